"""The page as WeasyPrint lays it out: A4 sheets, or one endless sheet for the bitmap. Always light, never a script."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from markupsafe import Markup, escape

from kpi_assets.contracts import Block, Drawing, Picture
from kpi_assets.reports import css, svg
from kpi_assets.reports.html import PageWriter
from kpi_assets.reports.layout import Row, across, rows
from kpi_assets.reports.lead import Lead
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.slots import SlotModel
from kpi_assets.reports.tables import table_model
from kpi_assets.reports.trust import trusted
from kpi_assets.style.dates import window_text
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

A4_WIDTH = 688
"""CSS pixels between the margins."""
A4_GUTTER = 20
ENDLESS_HEIGHT = 30_000
"""CSS pixels; the bitmap is cut where the page ends."""
TYPE_SCALE = {"a4": 0.86, "endless": 1.0}

Sheet = Literal["a4", "endless"]


def paper_html(
    meta: DocumentMeta,
    blocks: Sequence[Block],
    theme: Theme,
    numbers: NumberStyle,
    *,
    lead: Lead,
    sheet: Sheet,
) -> str:
    """HTML for `render_pdf` (`a4`) or `render_png` (`endless`). Raises InputError as `render_html` does."""
    return PaperWriter(meta, theme, numbers, sheet=sheet).page(blocks, lead)


@dataclass(frozen=True)
class PaperSlot(SlotModel):
    """A slot with its width in CSS pixels; 0 = an equal share of the row."""

    width: int = 0
    across: int = 1


@dataclass(frozen=True)
class PaperRow:
    """`hole`: width left free at the right (1 = an equal share). `loose` rows may break over pages."""

    slots: tuple[PaperSlot, ...]
    hole: int = 0
    loose: bool = False


@dataclass
class PaperWriter(PageWriter):
    """Writes the same templates for paper; `rooms` are the widths that charts have, by the picture's `id()`."""

    sheet: Sheet = "a4"
    rooms: dict[int, int] = field(default_factory=dict[int, int])

    def page(self, blocks: Sequence[Block], lead: Lead) -> str:
        placed = [part for row in rows(blocks, self.theme) for part in self._rows(row)]
        self.rooms = _rooms(placed)
        palette = css.printed(self.theme) if self.sheet == "a4" else self.theme.light
        values = {
            **self.shared(blocks, lead),
            "rows": placed,
            "palette": palette,
            "interactive": lambda _: "",
        }
        return self.render("paper.html.j2", values)

    def style_sheet(self) -> str:
        """CSS within what WeasyPrint knows."""
        a4, wide = self.sheet == "a4", self.theme.content_width > 700
        margin, scale = self.theme.padding_width, TYPE_SCALE[self.sheet]
        page = f"{self.theme.content_width + 2 * margin}px {ENDLESS_HEIGHT}px"
        palette = css.printed(self.theme) if a4 else self.theme.light
        ground = "#ffffff" if a4 else palette.paper
        foot = f"{self.meta.title} · {window_text(self.meta.window, self.numbers.locale)}"
        values: dict[str, Any] = {
            "page_size": "A4" if a4 else page,
            "page_margin": "13mm 14mm 16mm" if a4 else f"24px {margin}px",
            "ground": ground,
            "variables": css.variables(replace(palette, paper=ground)),
            "muted": palette.muted,
            "px": lambda pixels: trusted(f"{pixels * scale:.1f}px"),
            "gutter": self._gutter,
            "kpi_size": 34 if a4 or wide else 28,
            "wide_panels": a4 or wide,
            "narrow_halves": a4,
            "footer_line": css.string(foot) if a4 else "",
        }
        return self.render_css("paper.css.j2", values)

    def drawings(self, picture: Picture, extra: str = "") -> Markup:
        """The drawing that fits the slot best, as an embedded picture: fonts and colours go with it."""
        drawing = best_drawing(picture, self.rooms.get(id(picture), 0))
        colors = css.paper_colors(self.theme) if self.sheet == "a4" else {}
        data = base64.b64encode(svg.standalone(drawing.svg, label="", colors=colors).encode()).decode()
        return trusted(
            f'<img class="chart {escape(extra)}" alt="{escape(picture.alt)}" width="{drawing.width}" '
            f'height="{drawing.height}" src="data:image/svg+xml;base64,{data}">'
        )

    def helpers(self) -> dict[str, Any]:
        return {**super().helpers(), "table": lambda table: table_model(table, exact=False)}

    @property
    def _gutter(self) -> int:
        return A4_GUTTER if self.sheet == "a4" else self.theme.padding_width

    def _rows(self, row: Row) -> Iterator[PaperRow]:
        slots = [self._paper_slot(self.slot(slot)) for slot in row]
        if self.sheet == "endless":
            free = self.theme.num_columns - sum(slot.cols for slot in row)
            widths = [self.theme.view_width(slot.cols) for slot in row]
            sized = tuple(replace(slot, width=width) for slot, width in zip(slots, widths, strict=True))
            yield PaperRow(sized, self.theme.view_width(free) if free > 0 else 0)
            return
        for start in range(0, len(slots), 2):
            pair = tuple(slots[start : start + 2])
            alone = len(pair) == 1
            yield PaperRow(pair, int(alone and len(slots) > 1), alone and pair[0].tall)

    def _paper_slot(self, slot: SlotModel) -> PaperSlot:
        strip = slot.strip
        number = strip.across if strip else 1
        if strip and self.sheet == "a4":
            number = min(number, across(len(strip.stats), A4_WIDTH // (2 if slot.shared else 1), 0))
        return PaperSlot(slot.id, slot.cols, slot.shared, slot.block, slot.thin, strip, across=number)


def _rooms(placed: Sequence[PaperRow]) -> dict[int, int]:
    """The width that each chart standing alone has, by the picture's `id()`."""
    rooms: dict[int, int] = {}
    for row in placed:
        number = len(row.slots) + bool(row.hole)
        share = (A4_WIDTH - (number - 1) * A4_GUTTER) // number
        for slot in row.slots:
            rooms |= {id(element): slot.width or share for element in slot.block.elements}
    return rooms


def best_drawing(picture: Picture, room: int) -> Drawing:
    """The drawing nearest to `room` pixels that needs to shrink by no more than a tenth; the narrowest if all do."""
    if not room:
        return picture.drawings[0]
    fitting = [drawing for drawing in picture.drawings if drawing.width <= room * 1.1]
    if not fitting:
        return min(picture.drawings, key=lambda drawing: drawing.width)
    return min(fitting, key=lambda drawing: abs(room - drawing.width))
