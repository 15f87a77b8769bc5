"""Text -> Markdown as the UI draws it. The catalog shows a description's first words undrawn: keep them plain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

EXCERPT = re.compile(r" *\d* \|( |$)")
"""A line of a file, as errors quote them: `  4 | views:`, or the one with the caret."""


SIGNS = "\\`*_[]<>|#!"
IN_SENTENCES = "\\`*[<"
"""Those that change a sentence where it stands alone; a name such as `per_day` stays as it is written."""


def escaped(text: str, signs: str = SIGNS) -> str:
    """Data must not become Markdown."""
    return "".join(f"\\{sign}" if sign in signs else sign for sign in text.replace("\n", " "))


def told(message: str) -> str:
    """An error's message: its sentences wrap, and what it quotes of a file keeps its lines."""
    parts = groupby(message.splitlines(), key=lambda line: bool(EXCERPT.match(line)))
    return "\n\n".join(_code(lines) if quoted else _sentences(lines) for quoted, lines in parts)


def _code(lines: Iterable[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def _sentences(lines: Iterable[str]) -> str:
    return "\n\n".join(escaped(line.strip(), IN_SENTENCES) for line in lines if line.strip())
