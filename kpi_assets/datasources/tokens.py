"""`{from}`, `{to}`, `{interval}`, `{recipient.name}` and the user's own placeholders -> bound parameters.

Nothing is pasted into SQL.

Tokens count only in code: those in comments are left alone, those inside quotes are refused, since nothing could be
bound there. Other braces, `::casts`, `a:b` and a literal `%` are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kpi_assets.contracts import Window
from kpi_assets.datasources.bounds import midnight
from kpi_assets.datasources.dialects import Dialect
from kpi_assets.datasources.lexer import Piece, pieces

Bind = Callable[[Any], Any]

TOKEN = re.compile(r"(?<!\{)\{(from|to|interval|recipient\.\w+)\}(?!\})")
_SHIFTED = re.compile(
    r"(?i:\bdate_(?P<verb>sub|add)\s*\(\s*)\{(?P<a>from|to)\}\s*,\s*\{interval\}\s*\)"
    r"|\{(?P<b>from|to)\}\s*(?P<sign>[-+])\s*\{interval\}(?!\s*[*/])"
)
_SHIFTED_TEXT = re.compile(
    r"(?i:\bdatetime\s*\(\s*)\{(?P<c>from|to)\}\s*,\s*(?P<minus>-?)\s*\{interval\}\s*\)"
)
_OPERATOR_BEFORE = re.compile(r"[-+*/%]\s*\Z")


class TokenError(ValueError):
    """The text's tokens or placeholders cannot be bound; the message says what to write instead."""


@dataclass(frozen=True)
class Value:
    """A parameter's place in the text."""

    value: Any


@dataclass(frozen=True)
class Statement:
    """SQL text and the values between its pieces, independent of a driver's placeholders."""

    parts: tuple[str | Value, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(part.value for part in self.parts if isinstance(part, Value))

    def for_driver(self, style: str) -> tuple[str, Sequence[Any] | Mapping[str, Any] | None]:
        """The text in a driver's `paramstyle`, and its parameters; None when there are none to bind."""
        values = self.values
        if not values:
            return "".join(str(part) for part in self.parts), None
        numbers = iter(range(len(values)))
        doubled = style in ("format", "pyformat")
        text = "".join(
            _mark(style, next(numbers))
            if isinstance(part, Value)
            else part.replace("%", "%%")
            if doubled
            else part
            for part in self.parts
        )
        if style in ("named", "pyformat"):
            return text, {f"kpi_{number}": value for number, value in enumerate(values)}
        return text, list(values)


@dataclass(frozen=True)
class Params:
    """The user's own parameters (`query_args.params`): a list for `?` and `%s`, a mapping for `:name`, `%(name)s`."""

    values: tuple[Any, ...] | Mapping[str, Any] = ()

    @property
    def shape(self) -> tuple[str, ...] | int:
        """The names, or how many there are."""
        return tuple(self.values) if isinstance(self.values, Mapping) else len(self.values)


NOBODY: Mapping[str, Any] = {}


def bind(
    text: str,
    dialect: Dialect,
    *,
    window: Window,
    to_bound: Bind,
    params: Params,
    recipient: Mapping[str, Any] = NOBODY,
) -> Statement:
    """The statement for a window; `to_bound` turns a zone-aware instant into what the columns hold.

    `recipient`: the values of `{recipient.name}`. Raises TokenError.
    """
    binder = _Binder(dialect, window, to_bound, params, recipient)
    cut = _undoubled(pieces(text, dialect), dialect)
    parts: list[str | Value] = []
    for piece in cut:
        parts.extend(binder.piece(piece, _tail(parts)))
    binder.finish()
    return Statement(tuple(parts))


def stand_ins(
    text: str, dialect: Dialect, *, names: Mapping[str, str], placeholder: str, params: Params
) -> str:
    """The text with identifiers in place of tokens and placeholders, for parsing."""
    own = _own_placeholders(params, pieces(text, dialect))
    out: list[str] = []
    for piece in _undoubled(pieces(text, dialect), dialect):
        if piece.kind != "code":
            out.append(piece.text)
            continue
        code = TOKEN.sub(lambda match: names.get(match.group(1), placeholder), piece.text)
        out.append(own.sub(placeholder, code) if own else code)
    return "".join(out)


class _Binder:
    """Binds the pieces of one text, in order."""

    def __init__(  # noqa: PLR0917 - the same as of `bind`
        self,
        dialect: Dialect,
        window: Window,
        to_bound: Bind,
        params: Params,
        recipient: Mapping[str, Any],
    ) -> None:
        self.dialect, self.window, self.to_bound, self.recipient = dialect, window, to_bound, recipient
        self.params = params.values
        self.used: set[str | int] = set()

    def piece(self, piece: Piece, before: str) -> list[str | Value]:
        if piece.kind == "comment":
            return [piece.text]
        if piece.kind != "code":
            self._refuse_quoted(piece)
            return [piece.text]
        return self._code(piece.text, before)

    def finish(self) -> None:
        if len(self.used) == len(self.params):
            return
        if isinstance(self.params, Mapping):
            unused = ", ".join(sorted(str(name) for name in self.params if name not in self.used))
            raise TokenError(f"query_args.params: the query has no placeholder for {unused}; write :name")
        raise TokenError(
            f"query_args.params holds {len(self.params)} values, but the query has {len(self.used)} placeholders"
        )

    def _refuse_quoted(self, piece: Piece) -> None:
        if match := TOKEN.search(piece.text):
            token = match.group()
            raise TokenError(f"{token} stands inside quotes ({piece.text[:40]}): write {token} without them")

    def _code(self, code: str, before: str) -> list[str | Value]:
        parts: list[str | Value] = []
        position = 0
        for match in _things(self.dialect, self.params, code).finditer(code):
            if match.start() < position:
                continue
            parts.append(code[position : match.start()])
            made, position = self._thing(code, match, before)
            parts.extend(made)
        parts.append(code[position:])
        return [part for part in parts if part != ""]

    def _thing(self, code: str, match: re.Match[str], before: str) -> tuple[list[str | Value], int]:
        if match.lastgroup == "own" or match.group().startswith(("?", "%", ":", "@", "$")):
            return [self._own(match.group())], match.end()
        for pattern in (_SHIFTED, _SHIFTED_TEXT) if self.dialect.text_intervals else (_SHIFTED,):
            found = pattern.match(code, match.start())
            if found and not _OPERATOR_BEFORE.search(before + code[: match.start()]):
                return self._shifted(found.groupdict(), before + code[: match.start()]), found.end()
        return self._token(code, match, before)

    def _own(self, mark: str) -> Value:
        if isinstance(self.params, Mapping):
            name = re.sub(r"^%\(|\)s$|^[:@$]", "", mark)
            self.used.add(name)
            return Value(self.params[name])
        number = len(self.used)
        if number >= len(self.params):
            raise TokenError(
                f"query_args.params holds {len(self.params)} values, but the query has more placeholders"
            )
        self.used.add(number)
        return Value(self.params[number])

    def _shifted(self, groups: dict[str, str | None], before: str) -> list[str | Value]:
        """`date_sub({from}, {interval})` and its kin, counted in days of the calendar: right over a DST change.

        What is taken off leads to the window before, by the report's kind of window.
        """
        back = (
            (groups.get("verb") or "").lower() == "sub"
            or groups.get("sign") == "-"
            or groups.get("minus") == "-"
        )
        window = self.window.back(1) if back else self.window
        which = groups.get("a") or groups.get("b") or groups.get("c")
        day = window.start if which == "from" else window.end
        later = timedelta() if back else timedelta(days=window.length)
        return self._bound(midnight(day + later, window.zone), before)

    def _bound(self, instant: datetime, before: str) -> list[str | Value]:
        typed = re.search(r"(?i)\b(?:timestamp|datetime|date)\s*\Z", before)
        return ["" if typed else self.dialect.bound_type, Value(self.to_bound(instant))]

    def _token(self, code: str, match: re.Match[str], before: str) -> tuple[list[str | Value], int]:
        token = TOKEN.search(code, match.start())
        if token is None:  # the pattern of things holds nothing else
            raise TokenError(f"cannot read '{match.group()}'")
        lead = code[match.start() : token.start()]
        if token.group(1) == "interval":
            return self._interval(lead, before + code[: token.start()]), token.end()
        if token.group(1) not in ("from", "to"):
            return [lead, self._of_recipient(token.group(1))], token.end()
        instant = self.window.starts_at if token.group(1) == "from" else self.window.ends_at
        return [lead, *self._bound(instant, before + code[: token.start()])], token.end()

    def _of_recipient(self, token: str) -> Value:
        name = token.removeprefix("recipient.")
        try:
            value = self.recipient[name]
        except KeyError:
            known = ", ".join(sorted(self.recipient)) or "none, since it is nobody's own"
            raise TokenError(f"{{{token}}} has no value here; the recipient's values are {known}") from None
        return Value(self.to_bound(value) if isinstance(value, datetime) else value)

    def _interval(self, lead: str, before: str) -> list[str | Value]:
        days = self.window.length
        if not self.dialect.text_intervals:
            return [lead, self.dialect.interval.format(days=days)]
        if lead.strip() == "-":  # a modifier: datetime(value, -{interval})
            return [self.dialect.interval.format(days=-days)]
        if re.search(r"(?<!\|)[-+]\s*\Z", before) and lead.strip() != "+":
            raise TokenError(
                "SQLite cannot add {interval} to a value: write datetime(value, -{interval}), or {from} - {interval}"
            )
        return [self.dialect.interval.format(days=days)]


def _things(dialect: Dialect, params: tuple[Any, ...] | Mapping[str, Any], code: str) -> re.Pattern[str]:
    """What is replaced in code: shifted bounds, tokens, and the placeholders that the given params are for."""
    shifts = r"(?i:\bdate_(?:sub|add)\s*\(\s*)(?=\{(?:from|to)\}\s*,\s*\{interval\}\s*\))"
    if dialect.text_intervals:
        shifts += r"|(?i:\bdatetime\s*\(\s*)(?=\{(?:from|to)\}\s*,\s*-?\s*\{interval\}\s*\))"
        shifts += r"|(?:(?<=[(,])|(?<=[(,]\s))[-+]\s*(?=\{interval\})"
    own = _own_placeholders(Params(params), (Piece("code", code),))
    tail = f"|(?P<own>{own.pattern})" if own else ""
    return re.compile(f"{shifts}|{TOKEN.pattern}{tail}")


def _own_placeholders(params: Params, cut: Sequence[Piece]) -> re.Pattern[str] | None:
    if not params.values:
        return None
    if isinstance(params.values, Mapping):
        names = "|".join(re.escape(str(name)) for name in sorted(params.values, key=len, reverse=True))
        return re.compile(rf"%\((?:{names})\)s|(?<![:\w@$])[:@$](?:{names})(?!\w)")
    code = " ".join(piece.text for piece in cut if piece.kind == "code")
    return re.compile(r"(?<!%)%s(?!\w)" if re.search(r"(?<!%)%s(?!\w)", code) else r"\?")


def _undoubled(cut: Sequence[Piece], dialect: Dialect) -> Sequence[Piece]:
    """`%%` -> `%`, if the whole text is written for a driver that needs every literal `%` doubled."""
    if not dialect.doubled_percent:
        return cut
    text = "\n".join(
        re.sub(r"(?<!%)%(?:s|\(\w+\)s)(?!\w)", " ", piece.text) if piece.kind == "code" else piece.text
        for piece in cut
        if piece.kind != "comment"
    )
    runs = re.findall(r"%+", text)
    if not runs or any(len(run) % 2 for run in runs):
        return cut
    return [Piece(piece.kind, piece.text.replace("%%", "%")) for piece in cut]


def _tail(parts: Sequence[str | Value]) -> str:
    last = parts[-1] if parts else ""
    return last if isinstance(last, str) else "?"


def _mark(style: str, number: int) -> str:
    if style in ("named", "pyformat"):
        return f":kpi_{number}" if style == "named" else f"%(kpi_{number})s"
    return {"qmark": "?", "numeric": f":{number + 1}", "format": "%s"}[style]
