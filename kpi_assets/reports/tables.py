"""Tables as the templates want them: tags, classes and bar widths decided, texts left to be escaped."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from kpi_assets.contracts import Cell, Column, Table
from kpi_assets.reports.trust import trusted
from kpi_assets.reports.words import safe_link

LONG = 32
HEAT_CELL = 26
VERDICTS = {"better": "good", "worse": "bad"}


@dataclass(frozen=True)
class HeadModel:
    label: str
    attributes: Markup


@dataclass(frozen=True)
class CellModel:
    """`bar` is a CSS width, None where the cell has none."""

    tag: str
    attributes: Markup
    text: str
    bar: str | None = None
    full: bool = False
    href: str = ""


@dataclass(frozen=True)
class RowModel:
    cells: tuple[CellModel, ...]
    turn: bool = False


@dataclass(frozen=True)
class TableModel:
    columns: tuple[HeadModel, ...]
    rows: tuple[RowModel, ...]
    footer: tuple[RowModel, ...]
    least: int = 0
    """Pixels that a heat table needs; narrower places scroll."""


@dataclass(frozen=True)
class _Layout:
    """What is known of a column from all its cells."""

    column: Column
    stepped: bool
    barred: bool
    digits: int
    """Length of the longest text beside a bar."""
    exact: bool


def table_model(table: Table, *, exact: bool = True) -> TableModel:
    """`exact`: whoever lays the page out knows `calc`."""
    layouts = [_layout(column, table, index, exact) for index, column in enumerate(table.columns)]
    rows = tuple(
        RowModel(_cells(row, layouts, table.style), index in table.rule_before)
        for index, row in enumerate(table.rows)
    )
    footer = tuple(RowModel(_cells(row, layouts, table.style)) for row in table.footer)
    least = sum(layout.column.width or HEAT_CELL for layout in layouts) if table.style == "heat" else 0
    return TableModel(tuple(_head(layout, table.style) for layout in layouts), rows, footer, least)


def _layout(column: Column, table: Table, index: int, exact: bool) -> _Layout:
    cells = [row[index] for row in table.rows if index < len(row)]
    barred = any(cell.bar is not None for cell in cells)
    return _Layout(
        column=column,
        stepped=any(cell.heat is not None for cell in cells),
        barred=barred,
        digits=max((len(cell.text) for cell in cells), default=0) if barred else 0,
        exact=exact,
    )


def _head(layout: _Layout, style: str) -> HeadModel:
    column = layout.column
    classes = [_align(layout, style), "lo" if column.low else "", "bar" if layout.barred else ""]
    if style == "heat" and not layout.stepped and not column.header:
        classes.append("plain")
    width = f' style="width:{column.width}px"' if column.width else ""
    return HeadModel(column.label, _attributes(classes, width))


def _cells(row: tuple[Cell, ...], layouts: list[_Layout], style: str) -> tuple[CellModel, ...]:
    return tuple(_cell(cell, layout, style) for cell, layout in zip(row, layouts, strict=False))


def _cell(cell: Cell, layout: _Layout, style: str) -> CellModel:
    column = layout.column
    share = None if cell.bar is None else min(max(cell.bar, 0), 1)
    return CellModel(
        tag="th" if column.header else "td",
        attributes=_attributes(_classes(cell, layout, style), ' scope="row"' if column.header else ""),
        text=cell.text,
        bar=None if share is None else _bar(share, layout),
        full=cell.emphasis,
        href=safe_link(cell.link_url),
    )


def _bar(share: float, layout: _Layout) -> str:
    """The longest bar leaves room for the longest text beside it. Without `calc` a guess has to do."""
    if layout.exact:
        return f"calc((100% - {layout.digits}ch - 10px)*{share:.3f})"
    return f"{share * max(30, 84 - 4 * layout.digits):.1f}%"


def _classes(cell: Cell, layout: _Layout, style: str) -> list[str]:
    classes = [_align(layout, style), "lo" if layout.column.low else "", "na" if cell.missing else ""]
    classes.append(VERDICTS.get(cell.verdict, ""))
    if cell.bar is not None:
        classes.append("bar")
    if len(cell.text) > LONG:
        classes.append("long")
    if style == "heat" and not layout.column.header:
        classes.append(_step(cell, layout))
    return classes


def _step(cell: Cell, layout: _Layout) -> str:
    if cell.heat is not None:
        return f"step h{cell.heat}"
    return "gap" if layout.stepped else "plain"


def _align(layout: _Layout, style: str) -> str:
    if layout.barred:
        return ""
    if style == "heat" and layout.stepped:
        return "center"
    return "" if layout.column.align == "left" else layout.column.align


def _attributes(classes: list[str], more: str) -> Markup:
    names = " ".join(name for name in classes if name)
    return trusted((f' class="{names}"' if names else "") + more)
