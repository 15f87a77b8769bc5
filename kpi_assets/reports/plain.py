"""Markdown and tables as text alone: for the plain part of a mail, and for Slack's own marks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kpi_assets.contracts import Table
from kpi_assets.reports.words import one_line, safe_link

WIDTH = 76
GAP = "  "
PARAGRAPH_ENDS = {"paragraph_close", "heading_close", "tr_close"}


@dataclass(frozen=True)
class Marks:
    """How a medium writes emphasis and links; `escape` guards what it would take for marks."""

    strong: str = ""
    emphasis: str = ""
    code: str = ""
    bullet: str = "- "

    def link(self, label: str, address: str) -> str:
        """The label with its address, once where they are the same."""
        return label if label == address else f"{label} ({address})"

    def escape(self, text: str) -> str:
        return text


TEXT = Marks()


def markdown_text(markdown: str, marks: Marks = TEXT) -> str:
    """The Markdown's paragraphs, headings, lists and code as text; nothing of it is lost but the looks."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return "\n".join(_blocks(parser.parse(markdown), marks)).strip()


def _blocks(tokens: Sequence[Token], marks: Marks) -> Iterator[str]:
    """Lines; an empty one ends every paragraph that stands outside lists."""
    counters: list[int | None] = []
    lead = ""
    for token in tokens:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            counters.append(int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            counters.pop()
            lead = GAP * len(counters)
            yield from () if counters else ("",)
        elif token.type == "list_item_open":
            lead = _lead(counters, marks)
        elif token.type == "inline":
            yield lead + _inline(token.children or (), marks)
            lead = GAP * len(counters)
        elif token.type in {"fence", "code_block"}:
            yield from (*(marks.escape(line) for line in token.content.rstrip().splitlines()), "")
        elif token.type in PARAGRAPH_ENDS and not counters:
            yield ""


def _lead(counters: list[int | None], marks: Marks) -> str:
    """What stands before a list item, its number counted on."""
    indent = GAP * (len(counters) - 1)
    number = counters[-1]
    if number is None:
        return indent + marks.bullet
    counters[-1] = number + 1
    return f"{indent}{number}. "


def _inline(tokens: Sequence[Token], marks: Marks) -> str:
    parts: list[str] = []
    address, start = "", 0
    for token in tokens:
        if token.type == "link_open":
            address, start = safe_link(str(token.attrs.get("href", ""))), len(parts)
        elif token.type == "link_close":
            label = "".join(parts[start:])
            parts[start:] = [marks.link(label, address) if address else label]
        else:
            parts.append(_piece(token, marks))
    return "".join(parts)


def _piece(token: Token, marks: Marks) -> str:
    match token.type:
        case "text" | "image":
            return marks.escape(token.content)
        case "code_inline":
            return f"{marks.code}{marks.escape(token.content)}{marks.code}"
        case "strong_open" | "strong_close":
            return marks.strong
        case "em_open" | "em_close":
            return marks.emphasis
        case "softbreak" | "hardbreak":
            return " "
        case _:
            return ""


def text_table(table: Table, *, indent: str = "", low: bool = False) -> list[str]:
    """The table's lines, columns padded, its footer as last rows. `low`: with the columns that phones do without."""
    kept = [i for i, column in enumerate(table.columns) if low or not column.low] or list(
        range(len(table.columns))
    )
    head = [one_line(table.columns[i].label) for i in kept]
    rows = [
        [one_line(row[i].text) if i < len(row) else "" for i in kept] for row in (*table.rows, *table.footer)
    ]
    right = [
        table.columns[i].align == "right"
        or any(row[i].bar is not None or row[i].heat is not None for row in table.rows if i < len(row))
        for i in kept
    ]
    lines = [head, *rows] if any(head) else rows
    widths = [max((len(line[c]) for line in lines), default=0) for c in range(len(kept))]
    return [
        indent
        + GAP.join(
            text.rjust(width) if on_right else text.ljust(width)
            for text, width, on_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def wrapped(text: str, *, indent: str = "") -> str:
    """The text in lines of at most 76 characters; numbers stay with their units (no-break spaces)."""
    wrapper = textwrap.TextWrapper(
        WIDTH, indent, indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return "\n".join("\n".join(wrapper.wrap(line)) for line in text.splitlines())
