"""The lead: what happened, in one or two sentences, from what the blocks found. Never a cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpi_assets.contracts import Block, Stat, Stats
from kpi_assets.reports.words import one_line

OPPOSITE = {"better": "worse", "worse": "better", "up": "down", "down": "up"}
MOVED = {"up": "rose to", "down": "fell to", "flat": "stayed at", "none": "is at"}
NUMBER_SIGNS = {"+": "up ", "−": "down ", "-": "down "}


@dataclass(frozen=True)
class Lead:
    """`finding`: what happened. `contrast`: what went the other way, another finding, or the user's further words."""

    finding: str = ""
    contrast: str = ""

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.finding, self.contrast) if part)


def lead(blocks: Sequence[Block], written: str = "") -> Lead:
    """The user's own words, else the first key figure's finding and the first key figure that went the other way.

    Without key figures: the first two findings.
    """
    if written.strip():
        return _split(written)
    made = [block for block in blocks if block.status == "ok"]
    figures = list(_figures(made))
    if not figures:
        return _of_findings([block for block in made if block.finding])
    block, first = figures[0]
    finding = block.finding or _told(first)
    return Lead(_sentence(finding), _contrast(first, [stat for _, stat in figures[1:]], finding))


def _of_findings(blocks: Sequence[Block]) -> Lead:
    """The first finding, and the next other one after the name of its view."""
    first = blocks[0].finding if blocks else ""
    other = next((block for block in blocks if block.finding != first), None)
    if other is None:
        return Lead(_sentence(first))
    named = not other.measure or other.measure.casefold() in other.finding.casefold()
    return Lead(_sentence(first), _sentence(other.finding if named else f"{other.measure}: {other.finding}"))


def _figures(blocks: Sequence[Block]) -> Iterator[tuple[Block, Stat]]:
    for block in blocks:
        for element in block.elements:
            if isinstance(element, Stat):
                yield block, element
            elif isinstance(element, Stats):
                yield from ((block, stat) for stat in element.stats)


def _contrast(first: Stat, others: Sequence[Stat], finding: str) -> str:
    """The first other figure whose verdict, else whose direction, is the opposite of the first one's."""
    for facet in ("verdict", "direction"):
        wanted = OPPOSITE.get(_facet(first, facet), "")
        for stat in others:
            if wanted and _facet(stat, facet) == wanted and stat.label not in finding:
                return _sentence(_told(stat))
    return ""


def _facet(stat: Stat, name: str) -> str:
    if stat.change is None:
        return ""
    return stat.change.verdict if name == "verdict" else stat.change.direction


def _told(stat: Stat) -> str:
    """`Conversion fell to 6.8 %, down 0.4 points`."""
    if stat.change is None or stat.change.direction == "none":
        return f"{stat.label}: {stat.value}" if stat.label else stat.value
    text = stat.change.text
    if stat.change.direction == "flat":
        return f"{stat.label or 'It'} stayed at {stat.value}"
    word = NUMBER_SIGNS.get(text[:1])
    tail = f", {word}{text[1:]}" if word else ""
    return f"{stat.label or 'It'} {MOVED[stat.change.direction]} {stat.value}{tail}"


def _split(written: str) -> Lead:
    """The user's first sentence (or line) as the finding, the rest beneath it."""
    text = written.strip()
    parts = re.split(r"\n+|(?<=[.!?])\s+(?=\S)", text, maxsplit=1)
    rest = one_line(parts[1]) if len(parts) > 1 else ""
    return Lead(one_line(parts[0]), rest)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else text + "."
