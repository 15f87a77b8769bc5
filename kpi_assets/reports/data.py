"""The numbers of an edition as CSV: one file per table, for people who calculate on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from kpi_assets.contracts import Block, File, Stat, Stats, Table
from kpi_assets.reports.slug import slugify
from kpi_assets.reports.words import one_line

FOLDER = "data"
NUMBER = re.compile(r"[-+±]?[\d(€$£].*")
PLAIN = str.maketrans({"\u202f": " ", "\u00a0": " ", "−": "-"})
FIGURES = ("Figure", "Qualifier", "Value", "Change", "Verdict", "Before", "Target")


def data_files(blocks: Sequence[Block]) -> Iterator[File]:
    """`data/<view>.csv` for every block with a table, key figures or numbers behind a chart; UTF-8 that Excel knows."""
    taken: set[str] = set()
    for block in blocks:
        for rows in _sheets(block):
            yield File(_path(block, taken), "text/csv", _csv(rows))


def _sheets(block: Block) -> Iterator[list[list[str]]]:
    if block.status == "placeholder":
        return
    stats = [stat for element in block.elements for stat in _stats(element)]
    if stats:
        yield [list(FIGURES), *(_figure(stat) for stat in stats)]
    tables = [element for element in block.elements if isinstance(element, Table)]
    for table in (*tables, *([block.numbers] if block.numbers else [])):
        rows = [[cell.text for cell in row] for row in (*table.rows, *table.footer)]
        yield [[column.label for column in table.columns], *rows]


def _stats(element: object) -> tuple[Stat, ...]:
    return element.stats if isinstance(element, Stats) else (element,) if isinstance(element, Stat) else ()


def _figure(stat: Stat) -> list[str]:
    change = stat.change
    verdict = change.verdict if change and change.verdict != "none" else ""
    target = stat.target.text if stat.target else ""
    return [
        stat.label,
        stat.qualifier,
        stat.value,
        change.text if change else "",
        verdict,
        stat.before or "",
        target,
    ]


def _csv(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([_safe(text) for text in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def _safe(text: str) -> str:
    """A text that a spreadsheet would run as a formula is marked as text; signed numbers stay numbers."""
    plain = one_line(text.translate(PLAIN))
    if plain[:1] in {"=", "@"} or (plain[:1] in {"+", "-"} and not NUMBER.fullmatch(plain)):
        return f"'{plain}"
    return plain


def _path(block: Block, taken: set[str]) -> str:
    base = slugify(block.view)
    name = next(n for n in (base, *(f"{base}-{i}" for i in range(2, 1000))) if n not in taken)
    taken.add(name)
    return f"{FOLDER}/{name}.csv"
