"""`plugin: http`: JSON and CSV from any HTTP API, page after page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.args import login_as_sent
from kpi_assets.datasources.columns import Sink, TooManyRowsError
from kpi_assets.datasources.cut import CutError, cut
from kpi_assets.datasources.frame import FrameError, FrameMaker
from kpi_assets.datasources.options import QueryOptions
from kpi_assets.datasources.rest.asking import Filler, HttpQuery, read_query, uses_interval
from kpi_assets.datasources.rest.client import (
    Ask,
    LoginError,
    Manner,
    PassingError,
    RefusedError,
    RestClient,
    StatusError,
    same_origin,
)
from kpi_assets.datasources.rest.paging import Walk
from kpi_assets.datasources.rest.reading import Page, Part, read_page
from kpi_assets.datasources.times import TimeReader
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.errors import QueryError, RetriableError, TooMuchError
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{value}' is not a time zone; write an IANA name such as Europe/Berlin") from error


def _address(value: str) -> str:
    if fault := _fault(value):
        raise ValueError(f"`base_url` {fault}")
    return value.rstrip("/")


class BasicAuth(PluginArgs):
    """A user and a password."""

    username: str
    password: SecretStr


class HttpArgs(PluginArgs):
    """JSON and CSV from an HTTP API; a query's text is an address or a path, with {from} and {to}."""

    base_url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Address that paths in queries begin at; the login goes nowhere else."
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers of every request, such as X-Api-Key."
    )
    params: dict[str, SecretStr] = Field(
        default_factory=dict, description="Parameters of every request, such as an API key."
    )
    basic_auth: BasicAuth | None = Field(None, description="Login {username, password}.")
    bearer_token: SecretStr | None = Field(None, description="Token that is sent as `Authorization: Bearer`.")
    verify: bool = Field(True, description="Check the server's certificate; `ca_file` is better than false.")
    ca_file: str | None = Field(None, description="PEM file of the authority that signed the certificate.")
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        None,
        description="IANA zone of the server's days and of times without an offset; default: the report's.",
    )
    timeout: float = Field(30, gt=0, le=3600, description="Seconds to wait for the server to send something.")
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds to go on trying while the server is away or busy."
    )
    deadline: float = Field(
        300, gt=0, le=86_400, description="Seconds for a query, all its pages and retries together."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Queries at once, and connections at most.")
    max_rows: int = Field(5_000_000, ge=1, description="Longest answer that is taken into memory.")
    max_bytes: int = Field(1 << 30, ge=1, description="Longest page in bytes.")

    @model_validator(mode="after")
    def _one_login(self) -> HttpArgs:
        if self.basic_auth is not None and self.bearer_token is not None:
            raise ValueError("`basic_auth` and `bearer_token` are two logins: keep one")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not show in a message, as they are and as an address writes them."""
        password = urlsplit(self.base_url or "").password
        hidden = [*self.headers.values(), *self.params.values(), self.bearer_token]
        plain = [value.get_secret_value() for value in hidden if value is not None]
        plain += [password, unquote(password)] if password else []
        if self.basic_auth:
            word = self.basic_auth.password.get_secret_value()
            plain += [word, login_as_sent(self.basic_auth.username, word)]
        return tuple({form for value in plain for form in (value, quote(value, safe=""))})


class HttpDatasource(Datasource):
    """An HTTP API."""

    Args = HttpArgs
    kinds = ("http",)
    language = "url"
    binds_recipients = True

    def __init__(self, id: str, args: Any) -> None:
        super().__init__(id, args)
        self._lock = threading.Lock()
        self._opened: RestClient | None = None

    @property
    def concurrency(self) -> int:
        return self.args.concurrency

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        options = read_query(query)
        if fault := _address_fault(query.text, args.base_url):
            raise QueryError(query.id, query.datasource, fault)
        column = options.time_column
        if column is None:
            return QueryAnalysis("window", "query_args.time_column does not say which column holds the time")
        if uses_interval(query, options):
            return QueryAnalysis("window", "it sends {interval}, which is another for a day", column)
        return QueryAnalysis("day", f"rows are cut to the window by {column}", column)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        options = read_query(query)
        if fault := _address_fault(query.text, self.args.base_url):
            raise QueryError(query.id, self.id, fault)
        try:
            sink = self._fetched(self._asked(query, options, window), options)
            return self._frame(sink, options, window)
        except TooManyRowsError as error:
            raise TooMuchError(query.id, self.id, f"{error}: ask for less, or raise `max_rows`") from None
        except (RefusedError, FrameError, CutError) as error:
            raise QueryError(query.id, self.id, str(error)) from None
        except PassingError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from None

    def check(self) -> None:
        """Ask for `base_url`: whatever it answers, but for 401, shows that it is there and knows the login."""
        if self.args.base_url is None:
            return
        params = {name: value.get_secret_value() for name, value in self.args.params.items()}
        ask = Ask(self.args.base_url, params=tuple(params.items()))
        try:
            self._client().send(ask, Deadline(self.args.deadline)).body.close()
        except RefusedError as error:
            if isinstance(error, LoginError) or not isinstance(error, StatusError):
                raise QueryError("login", self.id, str(error)) from None
            log.debug("datasource %s: %s", self.id, error)
        except PassingError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from None

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _asked(self, query: Query, options: HttpQuery, window: Window) -> Ask:
        """What is sent. Raises QueryError for a recipient's value that must not be."""
        try:
            return self._ask(query, options, window)
        except ValueError as error:
            raise QueryError(query.id, self.id, str(error)) from None

    def _ask(self, query: Query, options: HttpQuery, window: Window) -> Ask:
        recipient = query.recipient.values if query.recipient else {}
        filler = Filler(window, self.args.timezone or window.zone, options.bounds, recipient)
        params = {name: value.get_secret_value() for name, value in self.args.params.items()}
        params |= {name: filler.value(value) for name, value in options.params.items()}
        return Ask(
            url=_joined(self.args.base_url, filler.address(query.text.strip())),
            method=options.method,
            params=tuple(_pairs(params)),
            headers={name: str(filler.value(value)) for name, value in options.headers.items()},
            body=filler.value(options.body),
        )

    def _fetched(self, ask: Ask, options: HttpQuery) -> Sink:
        parts: list[Part] = []
        rows = 0
        deadline = Deadline(self.args.deadline)
        walk = Walk(self._client(), ask, options.paging, lambda answer: read_page(answer, options), deadline)
        for page in walk:
            rows = self._counted(rows, page)
            parts.extend(page.parts)
        return _sink(parts, self.args.max_rows)

    def _counted(self, rows: int, page: Page) -> int:
        if rows + page.rows > self.args.max_rows:
            raise TooManyRowsError(self.args.max_rows)
        return rows + page.rows

    def _frame(self, sink: Sink, options: HttpQuery, window: Window) -> pd.DataFrame:
        times = TimeReader(self.args.timezone or window.zone, window.zone)
        chosen = QueryOptions(parse_dates=options.times, dtype={**options.dtype})
        column = options.time_column
        if not sink.rows and column is not None and column not in sink.names:
            return _nothing(column, window)
        frame = FrameMaker(times, chosen, detect_times=True).frame(sink)
        return frame if column is None else cut(frame, column, window)

    def _client(self) -> RestClient:
        with self._lock:
            if self._opened is None:
                # It would print addresses with their keys.
                logging.getLogger("httpx").setLevel(logging.WARNING)
                self._opened = RestClient(self._manner())
            return self._opened

    def _manner(self) -> Manner:
        args: HttpArgs = self.args
        headers = {name: value.get_secret_value() for name, value in args.headers.items()}
        if args.bearer_token is not None:
            headers["Authorization"] = f"Bearer {args.bearer_token.get_secret_value()}"
        login = args.basic_auth
        return Manner(
            headers=headers,
            login=(login.username, login.password.get_secret_value()) if login else None,
            verify=args.verify,
            ca_file=args.ca_file,
            timeout=args.timeout,
            retry_for=args.retry_for,
            deadline=args.deadline,
            concurrency=args.concurrency,
            max_bytes=args.max_bytes,
            secrets=args.secrets,
        )


def _fault(address: str) -> str:
    if "${" in address:
        return ""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    return "" if usable else "is no address: write https://host/path"


def _address_fault(text: str, base_url: str | None) -> str:
    text = text.strip()
    if base_url is None:
        if fault := _fault(text):
            return f"the query's text {fault}, or set `base_url` and write a path"
        return ""
    if "://" in text.partition("?")[0] and not same_origin(base_url, text):
        return "the query's address is not below `base_url`, where the login belongs: use a datasource of its own"
    return ""


def _joined(base_url: str | None, text: str) -> str:
    if base_url is None or "://" in text.partition("?")[0]:
        return text
    return f"{base_url}/{text.lstrip('/')}" if text and text[0] != "?" else base_url + text


def _pairs(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each).lower() if isinstance(each, bool) else str(each)


def _sink(parts: list[Part], max_rows: int) -> Sink:
    import pyarrow as pa

    names = list(dict.fromkeys(name for part in parts for name in part.values))
    sink = Sink(max_rows)
    sink.start(names)
    for part in parts:
        sink.add_batch(_Batch(part.rows, [part.values.get(name, pa.nulls(part.rows)) for name in names]))
    return sink


class _Batch:
    """What a sink takes: columns of one length."""

    def __init__(self, rows: int, columns: list[Any]) -> None:
        self.num_rows, self.columns = rows, columns


def _nothing(column: str, window: Window) -> pd.DataFrame:
    """No rows, and of the columns only the one that is known."""
    import pandas as pd

    return pd.DataFrame({column: pd.Series([], dtype=f"datetime64[ns, {window.zone}]")})
