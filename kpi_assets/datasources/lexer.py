"""Cuts SQL text into code, strings, quoted names and comments. Joined again, the pieces are the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from kpi_assets.datasources.dialects import Dialect

Kind = Literal["code", "string", "name", "comment"]


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def pieces(text: str, dialect: Dialect) -> tuple[Piece, ...]:
    """The text in pieces of one kind each. An unclosed quote or comment reaches to the end."""
    found: list[Piece] = []
    start = position = 0
    scanner = _scanner(dialect)
    while match := scanner.search(text, position):
        end = _comment_end(text, match, dialect) if match.lastgroup == "block" else match.end()
        if match.start() > start:
            found.append(Piece("code", text[start : match.start()]))
        found.append(Piece(_KINDS[match.lastgroup or ""], text[match.start() : end]))
        start = position = end
    if start < len(text):
        found.append(Piece("code", text[start:]))
    return tuple(found)


def code_of(text: str, dialect: Dialect) -> str:
    """The text with comments blanked and the inside of strings and names emptied, for looking at keywords."""
    stand_in = {"code": None, "string": "''", "name": '""', "comment": " "}
    return "".join(stand_in[piece.kind] or piece.text for piece in pieces(text, dialect))


_KINDS: dict[str, Kind] = {
    "line": "comment",
    "block": "comment",
    "string": "string",
    "dollar": "string",
    "name": "name",
}


@cache
def _scanner(dialect: Dialect) -> re.Pattern[str]:
    line = [r"--(?=[\s\x00-\x1f]|\Z)[^\n]*" if dialect.spaced_dashes else r"--[^\n]*"]
    line += [r"\#[^\n]*"] if dialect.hash_comments else []
    line += [r"//[^\n]*"] if dialect.slash_comments else []
    plain, escaped = _quoted("'"), _quoted("'", backslash=True)
    strings = [escaped if dialect.backslash_escapes else rf"(?<![\w$])[eE]{escaped}|{plain}"]
    names = [_quoted("`")]
    double = _quoted('"', backslash=dialect.backslash_escapes)
    (strings if dialect.double_quoted_strings else names).append(double)
    if dialect.bracketed_names:
        names.append(r"\[[^\]]*(?:\]|\Z)")
    groups = [("line", line), ("block", [r"/\*"]), ("string", strings), ("name", names)]
    if dialect.dollar_quotes:
        groups.insert(2, ("dollar", [r"(?<![\w$])(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z)"]))
    return re.compile("|".join(f"(?P<{name}>{'|'.join(options)})" for name, options in groups), re.DOTALL)


def _quoted(quote: str, *, backslash: bool = False) -> str:
    inside = rf"(?:{quote}{quote}|\\.|[^{quote}\\])*" if backslash else rf"(?:{quote}{quote}|[^{quote}])*"
    return rf"{quote}{inside}(?:{quote}|\Z)"


def _comment_end(text: str, match: re.Match[str], dialect: Dialect) -> int:
    depth, position = 1, match.end()
    marks = re.compile(r"/\*|\*/" if dialect.nested_comments else r"\*/")
    while depth and (mark := marks.search(text, position)):
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
    return position if not depth else len(text)
