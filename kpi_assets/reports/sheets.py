"""The numbers of an edition as tables: what CSV files and workbooks are written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpi_assets.contracts import Block, Cell, Column, Stat, Stats, Table

FIGURES = ("Figure", "Qualifier", "Value", "Change", "Verdict", "Before", "Target")


def data_tables(blocks: Sequence[Block]) -> Iterator[tuple[Block, Table]]:
    """Each table, strip of key figures and table of the numbers behind a chart, with the block it is in."""
    for block in blocks:
        if block.status == "placeholder":
            continue
        stats = [stat for element in block.elements for stat in _stats(element)]
        if stats:
            yield block, _figures(stats)
        for element in block.elements:
            if isinstance(element, Table):
                yield block, element
        if block.numbers:
            yield block, block.numbers


def _stats(element: object) -> tuple[Stat, ...]:
    return element.stats if isinstance(element, Stats) else (element,) if isinstance(element, Stat) else ()


def _figures(stats: Sequence[Stat]) -> Table:
    columns = tuple(Column(label=label, header=label == "Figure") for label in FIGURES)
    return Table(caption="Key figures", columns=columns, rows=tuple(_figure(stat) for stat in stats))


def _figure(stat: Stat) -> tuple[Cell, ...]:
    change = stat.change
    verdict = change.verdict if change and change.verdict != "none" else ""
    texts = (
        stat.label,
        stat.qualifier,
        stat.value,
        change.text if change else "",
        verdict,
        stat.before or "",
        stat.target.text if stat.target else "",
    )
    cells = [Cell(text=text) for text in texts]
    cells[FIGURES.index("Value")] = Cell(text=stat.value, value=stat.number)
    return tuple(cells)
