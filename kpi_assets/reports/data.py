"""The numbers of an edition as CSV: one file per table, for people who calculate on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from kpi_assets.contracts import Block, File
from kpi_assets.reports.sheets import data_tables
from kpi_assets.reports.slug import slugify
from kpi_assets.reports.words import one_line

FOLDER = "data"
NUMBER = re.compile(r"[-+±]?[\d(€$£].*")
PLAIN = str.maketrans({"\u202f": " ", "\u00a0": " ", "−": "-"})


def data_files(blocks: Sequence[Block]) -> Iterator[File]:
    """`data/<view>.csv` for every block with a table, key figures or numbers behind a chart; UTF-8 that Excel knows."""
    taken: set[str] = set()
    for block, table in data_tables(blocks):
        rows = [[cell.text for cell in row] for row in (*table.rows, *table.footer)]
        content = _csv([[column.label for column in table.columns], *rows])
        yield File(_path(block, taken), "text/csv", content)


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
