"""Markdown as HTML: CommonMark and tables; raw HTML in it is shown as text."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token


def markdown_to_html(text: str) -> str:
    """The text as HTML, its headings moved below the view's own (h3 and lower)."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        _lower(token)
    return str(parser.renderer.render(tokens, parser.options, {})).strip()


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _lower(token: Token) -> None:
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
