"""`query_args` of HTTP queries, and the window's bounds put where `{from}`, `{to}` and `{last}` stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from kpi_assets.contracts import PluginArgs, Query, Window
from kpi_assets.contracts.recipient import RECIPIENT, filled, text_of
from kpi_assets.datasources.rest.jmes import compiled
from kpi_assets.errors import QueryError, suggest

Form = Literal["iso", "utc", "date", "epoch", "epoch_ms"]
FORMS = ("iso", "utc", "date", "epoch", "epoch_ms")
_TOKEN = re.compile(r"\{(from|to|last|interval)(?::([^{}]*))?\}")
_WHOLE = re.compile(r"(?<=[/=])" + RECIPIENT.pattern + r"(?=[/?&#]|\Z)")


class Paging(PluginArgs):
    """How the next page is reached, and how long to go on."""

    kind: Literal["link", "next", "cursor", "page", "offset"]
    """link: the Link header. next: JMESPath `next` gives an address. cursor: `next` gives what to send as `param`."""
    next: str = ""
    param: str = ""
    start: int | None = None
    size: int | None = Field(None, ge=1)
    size_param: str = ""
    in_body: bool = False
    """`param` and `size_param` are keys of the body, with dots where they lie deeper."""
    max_pages: int = Field(1000, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> Paging:
        if self.kind in ("next", "cursor") and not self.next:
            raise ValueError(f"paging: kind `{self.kind}` needs `next`, the JMESPath of the next page")
        if self.kind == "cursor" and not self.param:
            raise ValueError("paging: kind `cursor` needs `param`, the parameter that the cursor is sent as")
        if self.kind == "offset" and not self.size:
            raise ValueError("paging: kind `offset` needs `size`, the number of records of a page")
        if self.size_param and not self.size:
            raise ValueError("paging: `size_param` needs `size`")
        if self.next:
            compiled(self.next)
        return self


class HttpQuery(PluginArgs):
    """The options of a query."""

    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str | int | float | bool | list[str | int | float]] = Field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    bounds: str = "iso"
    format: Literal["json", "jsonl", "csv"] | None = None
    records: str = ""
    paging: Paging | None = None
    time_column: str | None = None
    parse_dates: dict[str, str | None] = Field(default_factory=dict)
    dtype: dict[str, str] = Field(default_factory=dict)
    delimiter: str = Field(",", min_length=1, max_length=1)

    @field_validator("parse_dates", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: None}
        return dict.fromkeys(value) if isinstance(value, list) else value

    @field_validator("bounds")
    @classmethod
    def _known(cls, value: str) -> str:
        _refuse_form(value)
        return value

    @field_validator("records")
    @classmethod
    def _expression(cls, value: str) -> str:
        if value:
            compiled(value)
        return value

    @model_validator(mode="after")
    def _fitting(self) -> HttpQuery:
        if self.paging is not None:
            refuse_lines(self.paging, self.format or "json")
            if self.paging.in_body and (self.method != "POST" or not isinstance(self.body, dict)):
                raise ValueError("paging: `in_body` needs `method: POST` and a `body` of keys")
        return self

    @property
    def times(self) -> dict[str, str | None]:
        """Columns that are read as time, the time column among them."""
        return self.parse_dates if self.time_column is None else {self.time_column: None, **self.parse_dates}


def refuse_lines(paging: Paging, form: str) -> None:
    """Raise ValueError where the next page is to be found in what is no JSON document."""
    if paging.kind in ("next", "cursor") and form != "json":
        raise ValueError(
            f"paging: kind `{paging.kind}` looks for the next page in JSON, and the answer is {form}: "
            "use link, page or offset"
        )


def read_query(query: Query) -> HttpQuery:
    """The options of a query, checked as far as that is possible without asking. Raises QueryError."""
    for name in query.args:
        if name not in HttpQuery.model_fields:
            raise QueryError(
                query.id,
                query.datasource,
                f"query_args: no argument '{name}': {suggest(name, HttpQuery.model_fields)}",
            )
    try:
        options = HttpQuery.model_validate(dict(query.args))
        for text in (query.text, *_texts([options.params, options.body, options.headers])):
            for match in _TOKEN.finditer(text):
                _refuse_form(match.group(2) or options.bounds)
        refuse_mixed(query, options)
    except ValidationError as error:
        raise QueryError(query.id, query.datasource, _complaint(error)) from None
    except ValueError as error:
        raise QueryError(query.id, query.datasource, f"query_args: {error}") from None
    return options


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    way, reason = [str(part) for part in first["loc"]], first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":  # of query_args themselves it was told before
        name = way.pop()
        reason = f"no argument '{name}': {suggest(name, Paging.model_fields)}"
    return f"{'.'.join(['query_args', *way])}: {reason}"


def refuse_mixed(query: Query, options: HttpQuery) -> None:
    """Raise ValueError for a `{recipient.name}` that is only a part of a text: it could mean anything in it.

    Whole are a part of the path between slashes, the value of a parameter, and texts in parameters, body and headers.
    """
    rest = _WHOLE.sub("", query.text.strip())
    for text in (rest, *_texts([options.params, options.body, options.headers])):
        token = RECIPIENT.search(text)
        if token and (text is rest or token[0] != text):
            raise ValueError(
                f"{token[0]} must be a whole part of the path, or the whole value of a parameter"
            )


def uses_interval(query: Query, options: HttpQuery) -> bool:
    """Whether the window's length is sent, so that a day is asked for in other words than a week."""
    texts = [query.text, *_texts([options.params, options.body, options.headers])]
    return any(match.group(1) == "interval" for text in texts for match in _TOKEN.finditer(text))


class Filler:
    """Puts a window's bounds into texts, as `zone` (the server's) says them.

    `{to}` is the first moment after the window, `{last}` the last day inside. Bounds that are days are rounded
    outwards, so that a server with other days gives too much rather than too little; the frame is cut afterwards.
    `recipient` are the values of `{recipient.name}`; raises ValueError for one that an API could take for no filter.
    """

    def __init__(
        self, window: Window, zone: str, form: str, recipient: Mapping[str, Any] | None = None
    ) -> None:
        self.window, self.form, self.recipient = window, form, recipient or {}
        place = ZoneInfo(zone)
        self.first, self.end = window.starts_at.astimezone(place), window.ends_at.astimezone(place)
        self.last = (window.ends_at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(place)

    def address(self, text: str) -> str:
        """Bounds escaped as an address needs it."""
        told = filled(text, lambda name: quote(text_of(self._of_recipient(name)), safe=""))
        return _TOKEN.sub(lambda match: quote(str(self._bound(match)), safe=""), told)

    def value(self, value: Any) -> Any:
        """The same for a parameter or a body, however nested; text that is one token becomes its number."""
        if isinstance(value, Mapping):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if match := _TOKEN.fullmatch(value):
            return self._bound(match)
        if match := RECIPIENT.fullmatch(value):
            found = self._of_recipient(match[1])
            return found if isinstance(found, int | float) else text_of(found)
        return _TOKEN.sub(lambda match: str(self._bound(match)), value)

    def _of_recipient(self, name: str) -> Any:
        if name not in self.recipient:
            raise ValueError(f"{{recipient.{name}}} has no value here")
        value = self.recipient[name]
        text = text_of(value)
        if text in ("", ".", "..") or not text.isprintable():
            raise ValueError(
                f"{{recipient.{name}}} is {text!r}, which an API may take for no filter: it is not sent"
            )
        return value

    def _bound(self, match: re.Match[str]) -> str | int:
        name, form = match.group(1), match.group(2) or self.form
        if name == "interval":
            return self.window.length
        if name == "from":
            return _said(self.first, form)
        if name == "last":
            return self.last.strftime(form if "%" in form else "%Y-%m-%d")
        return _said(self.end if _CLOCK.search(form) or form in _INSTANTS else self._day_after(), form)

    def _day_after(self) -> datetime:
        return self.last.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=1)


_INSTANTS = ("iso", "utc", "epoch", "epoch_ms")
_CLOCK = re.compile(r"%[HIMSfpXcTRrsz]")
_SAYINGS: Mapping[str, Callable[[datetime], str | int]] = {
    "iso": lambda instant: instant.isoformat(timespec="seconds"),
    "utc": lambda instant: instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda instant: instant.date().isoformat(),
    "epoch": lambda instant: int(instant.timestamp()),
    "epoch_ms": lambda instant: int(instant.timestamp() * 1000),
}


def _said(instant: datetime, form: str) -> str | int:
    return _SAYINGS[form](instant) if form in _SAYINGS else instant.strftime(form)


def _refuse_form(form: str) -> None:
    if form not in FORMS and "%" not in form:
        allowed = f"{', '.join(FORMS)}, or a format such as %d.%m.%Y"
        raise ValueError(f"'{form}' is no format of bounds; allowed: {allowed}")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list | tuple) else []
