"""Tables as mail programs can draw them: widths as attributes, bars and heat as cells with a ground."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets.contracts import Block, Cell, Column, Table
from kpi_assets.reports.digest import MISSING
from kpi_assets.reports.words import safe_link
from kpi_assets.style.theme import Palette

WIDEST_BAR = 72
MANY = 6
"""More columns than this are set in smaller type."""


@dataclass(frozen=True)
class MailCell:
    """`bar` in percent, None where the cell has none; `ground` and `ink` are colours, "" for the paper's."""

    tag: str
    text: str
    classes: str
    bar: int | None = None
    full: bool = False
    ground: str = ""
    ink: str = ""
    href: str = ""
    width: int = 0


@dataclass(frozen=True)
class MailTable:
    head: tuple[MailCell, ...]
    rows: tuple[tuple[MailCell, ...], ...]


def mail_note(block: Block) -> str:
    """The block's note, without the word on n/a where that stands only in columns that mails leave out."""
    tables = [element for element in block.elements if isinstance(element, Table)]
    if not tables or any(_shows_missing(table) for table in tables):
        return block.note
    return MISSING.sub("", block.note).strip()


def _shows_missing(table: Table) -> bool:
    kept = _kept(table)
    return any(row[i].missing for row in (*table.rows, *table.footer) for i in kept if i < len(row))


def _kept(table: Table) -> list[int]:
    """The columns that a phone has room for; all where there would be none."""
    return [i for i, column in enumerate(table.columns) if not column.low] or list(range(len(table.columns)))


def mail_table(table: Table, palette: Palette) -> MailTable:
    """The table without the columns that a phone has no room for, its footer as last rows."""
    kept = _kept(table)
    columns = [table.columns[i] for i in kept]
    barred = [any(row[i].bar is not None for row in table.rows if i < len(row)) for i in kept]
    stepped = [any(row[i].heat is not None for row in table.rows if i < len(row)) for i in kept]
    writer = _Writer(tuple(columns), tuple(barred), tuple(stepped), palette)
    rows = [
        writer.row([row[i] for i in kept if i < len(row)], turn=index in table.rule_before)
        for index, row in enumerate(table.rows)
    ]
    sums = [writer.row([row[i] for i in kept if i < len(row)], sum_row=True) for row in table.footer]
    return MailTable(writer.head(), (*rows, *sums))


@dataclass(frozen=True)
class _Writer:
    columns: tuple[Column, ...]
    barred: tuple[bool, ...]
    stepped: tuple[bool, ...]
    palette: Palette

    def head(self) -> tuple[MailCell, ...]:
        if not any(column.label for column in self.columns):
            return ()
        widths = self._widths()
        return tuple(
            MailCell("th", column.label, " ".join(filter(None, self._head(i))), width=widths[i])
            for i, column in enumerate(self.columns)
        )

    def row(self, cells: list[Cell], *, turn: bool = False, sum_row: bool = False) -> tuple[MailCell, ...]:
        more = " ".join(name for name, on in (("turn", turn or sum_row), ("sum", sum_row)) if on)
        return tuple(self._cell(cell, i, more) for i, cell in enumerate(cells[: len(self.columns)]))

    def _head(self, index: int) -> tuple[str, ...]:
        beside_steps = any(self.stepped) and not self.stepped[index]
        return ("th", "mut", self._side(index), "plain" if beside_steps else "")

    def _cell(self, cell: Cell, index: int, more: str) -> MailCell:
        tag = "th" if self.columns[index].header else "td"
        if self.stepped[index]:
            heat = cell.heat
            ground = self.palette.heat[heat] if heat is not None else ""
            ink = self.palette.heat_text[heat] if heat is not None else ""
            return MailCell(tag, cell.text, "step" if ground else "step mut", ground=ground, ink=ink)
        color = {"better": "good", "worse": "bad"}.get(cell.verdict, "mut" if cell.missing else "ink")
        names = (
            "cell",
            "line" if "turn" not in more else "rule",
            color,
            self._side(index),
            self._tight(),
            more,
        )
        return MailCell(
            tag,
            cell.text,
            " ".join(name for name in names if name),
            bar=None if cell.bar is None else _bar(cell.bar),
            full=cell.emphasis,
            href=safe_link(cell.link_url),
        )

    def _side(self, index: int) -> str:
        if self.stepped[index]:
            return "middle"
        if self.barred[index] or self.columns[index].align == "left":
            return ""
        return {"right": "right-side", "center": "middle"}[self.columns[index].align]

    def _tight(self) -> str:
        if any(self.stepped):
            return "plain"
        return "tight" if len(self.columns) > MANY else ""

    def _widths(self) -> list[int]:
        """Shares in percent where there is a bar, which needs its room; else what the mail program finds."""
        if not any(self.barred):
            return [0] * len(self.columns)
        bars = sum(self.barred)
        bar = 42 if bars == 1 else 60 // bars
        return [bar if barred else 0 for barred in self.barred]


def _bar(share: float) -> int:
    """Percent of the cell; what is more than nothing is at least a line."""
    return max(round(min(max(share, 0), 1) * WIDEST_BAR), 1 if share > 0 else 0)
