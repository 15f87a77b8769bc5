"""What the templates of one place in the grid are given."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets.contracts import Block, Picture, Stats, Table
from kpi_assets.reports.layout import Slot, Strip
from kpi_assets.style.theme import Theme

THIN = 300
"""CSS pixels below which a view is treated as on a phone: two panels in a row, no columns that can be spared."""
TALL_ROWS = 25
"""Tables with more rows may break over printed pages."""


@dataclass(frozen=True)
class SlotModel:
    """A place in the grid: `block`, or the `strip` that starts with it. `id` is unique in the page."""

    id: str
    cols: int
    shared: bool
    block: Block
    thin: bool = False
    strip: Strip | None = None

    @classmethod
    def of(cls, slot: Slot, id: str, theme: Theme) -> SlotModel:
        content = slot.content
        strip = content if isinstance(content, Strip) else None
        block = first_block(slot)
        return cls(id, slot.cols, slot.shared, block, theme.view_width(slot.cols) < THIN, strip)

    @property
    def is_strip(self) -> bool:
        return self.strip is not None

    @property
    def tag(self) -> str:
        return "figure" if any(isinstance(e, Picture | Table) for e in self.block.elements) else "section"

    @property
    def caption_tag(self) -> str:
        return "figcaption" if self.tag == "figure" else "div"

    @property
    def tall(self) -> bool:
        return any(isinstance(e, Table) and len(e.rows) > TALL_ROWS for e in self.block.elements)

    @property
    def title(self) -> str:
        """A strip's own title: only of a `stats` view whose title is not its finding, which the lead tells."""
        plain = isinstance(self.block.elements[0], Stats) and self.block.title != self.block.finding
        return self.block.title if plain else ""

    @property
    def subtitle(self) -> str:
        return self.block.subtitle

    @property
    def notes(self) -> list[str]:
        """A strip's footnotes, each once."""
        blocks = self.strip.blocks if self.strip else ()
        return list(dict.fromkeys(block.note for block in blocks if block.note))


def first_block(slot: Slot) -> Block:
    return slot.content.blocks[0] if isinstance(slot.content, Strip) else slot.content
