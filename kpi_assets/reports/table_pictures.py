"""Tables as pictures, for channels whose own text cannot hold one well: laid out as on the page, always light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpi_assets.contracts import Picture, Table
from kpi_assets.reports.digest import Digest
from kpi_assets.reports.paper import PaperWriter
from kpi_assets.reports.plain import text_table
from kpi_assets.reports.png import SCALE, render_png
from kpi_assets.reports.trust import trusted
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

MOST_ROWS = 40
"""A longer table becomes several pictures, each with the header: nobody can read a ribbon."""
WIDTH, WIDE, FEW = 600, 1032, 6
"""CSS pixels of a table with few columns, and of one with more than that."""
MARGIN = 16
MOST_ALT = 900


@dataclass(frozen=True)
class DrawnPart:
    """Some rows of a table, and the picture of them."""

    table: Table
    picture: Picture


TablePictures = Mapping[int, tuple[DrawnPart, ...]]
"""What each table is drawn as, by the table's `id()`."""


def draw_tables(digest: Digest, theme: Theme, numbers: NumberStyle) -> TablePictures:
    """The pictures of every table of the evidence. Raises PluginError where the extra `pdf` is not installed."""
    writer = PaperWriter(digest.meta, theme, numbers, sheet="endless")
    tables = (
        element for block in digest.evidence for element in block.elements if isinstance(element, Table)
    )
    return {id(table): tuple(_drawn(table, writer)) for table in tables}


def _drawn(table: Table, writer: PaperWriter) -> Iterator[DrawnPart]:
    parts = list(_parts(table))
    for number, part in enumerate(parts, 1):
        png = render_png(_sheet(part, writer))
        width, height = (int.from_bytes(png[at : at + 4], "big") // SCALE for at in (16, 20))
        title = f"Part {number} of {len(parts)}" if len(parts) > 1 else ""
        picture = Picture(
            name="table",
            alt=_alt(part),
            title=title,
            drawings=(),
            png=png,
            png_width=width,
            png_height=height,
        )
        yield DrawnPart(part, picture)


def _parts(table: Table) -> Iterator[Table]:
    """The table in pieces of at most `MOST_ROWS` rows, the footer with the last."""
    starts = range(0, max(1, len(table.rows)), MOST_ROWS)
    for start in starts:
        rules = (row - start for row in table.rule_before)
        update = {
            "rows": table.rows[start : start + MOST_ROWS],
            "rule_before": tuple(row for row in rules if 0 <= row < MOST_ROWS),
            "footer": table.footer if start == starts[-1] else (),
        }
        yield table.model_copy(update=update)


def _sheet(table: Table, writer: PaperWriter) -> str:
    width = (WIDE if len(table.columns) > FEW else WIDTH) + 2 * MARGIN
    values = {
        **writer.helpers(),
        "css": trusted(writer.style_sheet()),
        "language": writer.meta.language,
        "element": table,
        "width": width,
        "margin": MARGIN,
    }
    return writer.render("table_sheet.html.j2", values)


def _alt(table: Table) -> str:
    """What the table is about, then its rows as long as there is room, then how many more there are."""
    lines = text_table(table, low=True)
    told = [table.caption.removesuffix(".")]
    for number, line in enumerate(" ".join(line.split()) for line in lines):
        if sum(len(part) + 2 for part in told) + len(line) > MOST_ALT:
            told.append(f"and {len(lines) - number} more rows")
            break
        told.append(line)
    return "; ".join(part for part in told if part)
