"""`label:` as KPI Reporter meant it: a template around the number, HTML where HTML is shown, text elsewhere."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

STAT = "{stat}"
_WITH_UNIT = re.compile(r"(?<![^\s>])([^\s<>&;()]{0,3})\{stat\}([^\s<>&;().,:!?]{0,3})(?![^\s<])|\{stat\}")
"""The number with what is written right beside it, as in `${stat}` or `{stat}ms`."""


def is_template(label: str) -> bool:
    """Does `label` say where the number goes? If not, it is the figure's name."""
    return STAT in label


def label_html(label: str, value: str, link_url: str | None = None) -> str:
    """The configuration's HTML with the escaped number and its unit in it as a `figure`; other braces stay as they are.

    Where the label has links of its own, `link_url` goes around the number alone: links cannot hold links.
    """
    link = html.escape(link_url) if link_url and has_links(label) else ""

    def figure(match: re.Match[str]) -> str:
        shown = f'<span class="figure">{match[1] or ""}{html.escape(value)}{match[2] or ""}</span>'
        return f'<a href="{link}">{shown}</a>' if link else shown

    return _WITH_UNIT.sub(figure, label)


def has_links(label: str) -> bool:
    """Does the configuration's HTML hold an `<a>`?"""
    return re.search(r"<a\b", label, re.IGNORECASE) is not None


def label_text(label: str, value: str) -> str:
    """The same in plain words, tags left out."""
    # The number goes in last: what looks like a tag in it is not one.
    return plain(label).replace(STAT, value)


def plain(markup: str) -> str:
    """The text of HTML on one line."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    # Only plain spaces are joined; no-break ones belong to the numbers.
    return " ".join(word for word in "".join(reader.parts).replace("\n", " ").split(" ") if word)


class _Reader(HTMLParser):
    """Collects the text between tags."""

    BREAKS = frozenset({"br", "p", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "ul", "ol"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in {"script", "style"}:
            self._hidden += 1
        if tag in self.BREAKS:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        if tag in self.BREAKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
