"""How wide text will be, without a font at hand: readers' fonts differ, so an estimate with slack is all there is."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

SLACK = 1.08
"""Fonts at the reader's end may be wider than the one measured."""
BOLD = 1.05

_CLASSES = (
    ("iljI|.,:;!'`·’‘", 0.28),
    ('frt()[]{}/\\ \u00a0-*"', 0.36),
    ("\u202f", 0.2),
    ("abcdeghknopqsuvxyzßJ?0123456789+−–€$£#<>=±", 0.61),
    ("mw%@MW—…", 0.92),
)
_WIDTHS = {sign: width for signs, width in _CLASSES for sign in signs}
_ELLIPSIS = "…"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """`text` without signs that no XML may hold: vl_convert does not refuse them, it ends the process."""
    return _UNPRINTABLE.sub("", text)


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, *, bold: bool = False) -> int:
    """Pixels that `text` takes at `size`, slack included."""
    ems = sum(_WIDTHS.get(sign) or _other(sign) for sign in text)
    return math.ceil(ems * size * SLACK * (BOLD if bold else 1))


def _other(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.1
    return 0.7


def shorten(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """`text`, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, size, bold=bold) <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        cut = text[:length].rstrip() + _ELLIPSIS
        if text_width(cut, size, bold=bold) <= width:
            return cut
    return _ELLIPSIS


def shorten_apart(texts: Sequence[str], width: float, size: float, *, bold: bool = False) -> list[str]:
    """Each text cut to `width`; where two would look the same, in the middle, so that their ends tell them apart."""
    short = [shorten(text, width, size, bold=bold) for text in texts]
    same = {cut for cut in short if len({t for t, c in zip(texts, short, strict=True) if c == cut}) > 1}
    return [
        _shorten_middle(text, width, size, bold=bold) if cut in same else cut
        for text, cut in zip(texts, short, strict=True)
    ]


def _shorten_middle(text: str, width: float, size: float, *, bold: bool) -> str:
    for length in range(len(text) - 1, 1, -1):
        head = (length + 1) // 2
        cut = f"{text[:head].rstrip()}{_ELLIPSIS}{text[head - length :].lstrip()}"
        if text_width(cut, size, bold=bold) <= width:
            return cut
    return _ELLIPSIS


def widest(texts: list[str] | tuple[str, ...], size: float, *, bold: bool = False) -> int:
    """Width of the widest of several texts; 0 where there are none."""
    return max((text_width(text, size, bold=bold) for text in texts), default=0)


def wrap(text: str, width: float, size: float, lines: int = 2) -> list[str]:
    """`text` in at most `lines` lines; what does not fit is cut with an ellipsis."""
    words = text.split()
    rows: list[str] = []
    while words and len(rows) < lines:
        row = words.pop(0)
        while words and text_width(f"{row} {words[0]}", size) <= width:
            row = f"{row} {words.pop(0)}"
        rows.append(row)
    if words:
        rows[-1] = f"{rows[-1]} {' '.join(words)}"
    return [shorten(row, width, size) for row in rows] or [""]
