"""The text of a YAML file: read whole, decoded once, quoted in errors with a caret and without secrets."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kpi_assets.errors import ConfigError, Position, Problem

MAX_BYTES = 10_000_000
LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
CONTEXT_LINES = 2
MAX_WIDTH = 110

_SECRET = (
    r"(?:passw|passphrase|pwd\b|secret|token|api_?key|access_?key|private_?key|credential)"  # noqa: S105 - a pattern
    r"""[\w-]*["']?\s*:(?=\s|$)\s*"""
)
_SECRET_LINE = re.compile(rf"^(?P<head>.*?{_SECRET})(?P<value>.*)$", re.IGNORECASE)
_SECRET_IN_BRACES = re.compile(rf"""({_SECRET})("[^"]*"|'[^']*'|[^,}}]+)""", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)(?!\$\{)(\S+)(?=@)")
_HARMLESS = re.compile(r"""$|\$\{|\{\s*env\s*:|[|>][-+0-9]*\s*$""")


@dataclass(frozen=True)
class Mark:
    """A place in a source; `line` and `column` start at 0, `end` is the column after it on the same line."""

    source: Source
    line: int
    column: int
    end: int

    @property
    def position(self) -> Position:
        return Position(self.source.name, self.line + 1, self.column + 1)

    @property
    def where(self) -> str:
        """The place in words, for messages about two places."""
        return f"in line {self.position.line}"

    @property
    def excerpt(self) -> str:
        return self.source.excerpt(self.line, self.column, self.end)

    def problem(self, message: str, path: tuple[str | int, ...] = ()) -> Problem:
        """A problem that points here."""
        return Problem(message, path, self.position, self.excerpt)


@dataclass(frozen=True)
class Source:
    """A file's name, as it was given, and its text."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Lines as YAML counts them, secrets masked."""
        return _masked(LINE_BREAK.split(self.text))

    def mark(self, line: int, column: int, end: int | None = None) -> Mark:
        """A place by line and column, both from 0."""
        return Mark(self, line, column, column + 1 if end is None else end)

    def mark_at(self, offset: int) -> Mark:
        """The place of the character at `offset`."""
        before = LINE_BREAK.split(self.text[:offset])
        return self.mark(len(before) - 1, len(before[-1]))

    def excerpt(self, line: int, column: int, end: int) -> str:
        """The line with a caret under it, and up to two lines before; nothing for an empty file."""
        if not self.text.strip():
            return ""
        shown = range(max(0, line - CONTEXT_LINES), min(line, len(self.lines) - 1) + 1)
        skip = max(0, column - MAX_WIDTH // 2) if len(self._line(line)) > MAX_WIDTH else 0
        gutter = len(str(line + 1)) + 2
        rows = [f"{number + 1:>{gutter}} | {_clip(self._line(number), skip)}".rstrip() for number in shown]
        rows.append(f"{'':>{gutter}} | {self._caret(line, column, end, skip)}")
        return "\n".join(rows)

    def _line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""

    def _caret(self, line: int, column: int, end: int, skip: int) -> str:
        lead = _clip(self._line(line)[:column], skip)
        width = max(1, min(end - column, MAX_WIDTH - len(lead)))
        return "".join(_blank(char) for char in lead) + "^" * width


def read_source(path: Path) -> Source:
    """The file's text. Raises ConfigError when it is unreadable, too big or not UTF-8."""
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([Problem(f"{name}: cannot be read: {reason.lower()}")]) from error
    return source_of(name, data)


def source_of(name: str, data: bytes) -> Source:
    """The source behind a file's bytes. Raises ConfigError as `read_source` does."""
    if len(data) >= MAX_BYTES:
        limit = f"{MAX_BYTES // 1_000_000} MB"
        raise ConfigError([Problem(f"{name}: is too big: a report file must be smaller than {limit}")])
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        good = Source(name, data[: error.start].decode("utf-8", "replace"))
        mark = good.mark_at(len(good.text))
        whole = Source(name, data.decode("utf-8", "replace"))
        byte = f"0x{data[error.start]:02x}"
        message = f"not UTF-8: byte {byte} cannot be read; save the file with the encoding UTF-8"
        raise ConfigError([whole.mark(mark.line, mark.column).problem(message)]) from error


def _masked(lines: list[str]) -> tuple[str, ...]:
    """The lines with `***` for values that look like secrets, those of several lines too."""
    shown: list[str] = []
    hidden_below: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if hidden_below is not None and line.strip() and indent > hidden_below:
            shown.append(line[:indent] + "***")
            continue
        if line.strip():
            hidden_below = indent if _SECRET_LINE.match(line) and "{" not in line else None
        shown.append(_URL_PASSWORD.sub(_stars, _masked_line(line)))
    return tuple(shown)


def _masked_line(line: str) -> str:
    match = _SECRET_LINE.match(line)
    if not match or _HARMLESS.match(match["value"]):
        return line
    if "{" in match["head"]:
        return _SECRET_IN_BRACES.sub(_stars, line)
    return match["head"] + "***"


def _stars(match: re.Match[str]) -> str:
    """Stars as many as characters, so that a caret further right stays in its place."""
    value = match[2]
    return match[1] + (value if _HARMLESS.match(value) else "*" * len(value))


def _clip(line: str, skip: int) -> str:
    part = line[skip : skip + MAX_WIDTH]
    part = f"…{part[1:]}" if skip and part else part
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in part)


def _blank(char: str) -> str:
    """White space as wide as the character."""
    if char == "\t":
        return char
    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in "WF" else " "
