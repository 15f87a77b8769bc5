"""The numbers of an edition as one workbook: a cover, and a sheet per table. The same edition gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_assets.contracts import Block, Cell, Table, Value
from kpi_assets.errors import PluginError
from kpi_assets.registry import install_hint
from kpi_assets.reports.cell_formats import cell_format
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.sheets import data_tables
from kpi_assets.style.digits import EXACT
from kpi_assets.style.numbers import NumberStyle

if TYPE_CHECKING:
    from openpyxl import Workbook

PATH = "data/report.xlsx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COVER = "About"
MOST_ROWS = 1_048_576
"""Rows that Excel can hold in a sheet, the header among them."""
MOST_LETTERS = 32_767
"""Letters that Excel can hold in a cell."""
NAME_LENGTH = 31
FORMULA = ("=", "+", "-", "@")
FIRST_DAY = date(1900, 3, 1)
"""Excel counts a 29 February 1900 that never was; days before it would show as others."""
LOOKED_AT = 500
"""Rows by which a column's width is chosen."""
NARROWEST, WIDEST = 9, 60
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
STAMP = re.compile(rb"(<dcterms:(?:created|modified)\b[^>]*>)[^<]*")


@dataclass(frozen=True)
class Sheet:
    """A table, or the part of it that fits, under the name it gets."""

    name: str
    block: Block
    table: Table
    rows: tuple[tuple[Cell, ...], ...]
    footer: tuple[tuple[Cell, ...], ...] = ()
    part: str = ""


def render_xlsx(
    meta: DocumentMeta, blocks: Sequence[Block], numbers: NumberStyle, *, most_rows: int = MOST_ROWS
) -> bytes:
    """The workbook. A table longer than a sheet can be goes on in the next. Raises PluginError without openpyxl."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise PluginError(f"the format xlsx needs openpyxl; {install_hint('openpyxl')}") from error
    book = Workbook(write_only=True)
    sheets = list(_sheets(blocks, most_rows))
    _write_cover(book, meta, sheets)
    for sheet in sheets:
        _Writer(book, meta.window.zone, numbers).write(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_clock(buffer.getvalue(), meta.window.ends_at)


# ---------------------------------------------------------------- which sheets


def _sheets(blocks: Sequence[Block], most_rows: int) -> Iterator[Sheet]:
    taken = {COVER.casefold(), "history"}
    room = most_rows - 1
    for block, table in data_tables(blocks):
        base = block.measure or block.title or block.view
        parts = [table.rows[at : at + room] for at in range(0, len(table.rows), room)] or [()]
        if len(parts[-1]) + len(table.footer) > room:
            parts.append(())
        for number, rows in enumerate(parts, start=1):
            last = number == len(parts)
            part = f"part {number} of {len(parts)}" if len(parts) > 1 else ""
            yield Sheet(_name(base, taken), block, table, rows, table.footer if last else (), part)


def _name(wanted: str, taken: set[str]) -> str:
    """A name that Excel takes, and that no other sheet has; case does not tell sheets apart."""
    base = " ".join(FORBIDDEN.sub(" ", wanted).split()).strip("'") or "Sheet"
    number = 1
    while True:
        end = "" if number == 1 else f" ({number})"
        name = base[: NAME_LENGTH - len(end)].rstrip(" '") + end
        if name.casefold() not in taken:
            taken.add(name.casefold())
            return name
        number += 1


# ---------------------------------------------------------------- cover


def _write_cover(book: Workbook, meta: DocumentMeta, sheets: Sequence[Sheet]) -> None:
    sheet: Any = book.create_sheet(COVER)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 60
    sheet.column_dimensions["C"].width, sheet.column_dimensions["D"].width = 10, 60
    window = meta.window
    days = "1 day" if window.length == 1 else f"{window.length} days"
    sheet.append([_text(sheet, meta.title, bold=True)])
    facts = {
        "Window": f"{window.start} to {window.last_day} ({days})",
        "Time zone": f"{window.zone}; times in this workbook are local there",
        "Description": meta.description,
        "Page": meta.page_url,
    }
    for name, words in facts.items():
        if words:
            sheet.append([_text(sheet, name), _text(sheet, words)])
    sheet.append([])
    sheet.append([_text(sheet, name, bold=True) for name in ("Sheet", "What", "Rows", "Note")])
    for found in sheets:
        note = "; ".join(part for part in (found.part, found.block.note) if part)
        about = [found.name, found.block.title, len(found.rows), note]
        sheet.append([_text(sheet, value) if isinstance(value, str) else value for value in about])


# ---------------------------------------------------------------- sheets


@dataclass(frozen=True)
class _Writer:
    book: Workbook
    zone: str
    numbers: NumberStyle

    def write(self, found: Sheet) -> None:
        """Header, rows, totals."""
        from openpyxl.utils import get_column_letter

        sheet: Any = self.book.create_sheet(found.name)
        sheet.freeze_panes = "A2"
        for number, width in enumerate(_widths(found), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.append(
            [_text(sheet, self._label(found, i), bold=True) for i in range(len(found.table.columns))]
        )
        for row in found.rows:
            sheet.append([self._cell(sheet, cell) for cell in row])
        for row in found.footer:
            sheet.append([self._cell(sheet, cell, bold=True) for cell in row])

    def _label(self, found: Sheet, column: int) -> str:
        """The header; of times, with the zone they are in."""
        label = found.table.columns[column].label
        timed = any(isinstance(row[column].value, datetime) for row in found.rows[:LOOKED_AT])
        return f"{label} ({self.zone})" if timed else label

    def _cell(self, sheet: Any, cell: Cell, *, bold: bool = False) -> Any:
        """The value where Excel can hold it exactly, else the text that the page shows; nothing where it is missing."""
        if cell.missing:
            return None
        value = _local(cell.value, self.zone)
        if value is None or not _fits(value):
            return _text(sheet, cell.text, bold=bold) if cell.text else None
        made = _styled(sheet, value, bold=bold)
        made.number_format = cell_format(cell.text, value, self.numbers.symbols)
        return made


def _local(value: Value | None, zone: str) -> Value | None:
    """Times as the clocks in the zone show them: Excel knows no zones."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return value


def _fits(value: Value) -> bool:
    """Excel has no days before its first, no negative times, and 15 digits."""
    if isinstance(value, timedelta):
        return value >= timedelta(0)
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value) >= FIRST_DAY
    return abs(value) < EXACT or not isinstance(value, int)


def _text(sheet: Any, words: str, *, bold: bool = False) -> Any:
    """Text that stays text: what begins like a formula is none, and what does not fit says that it was cut."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    plain = ILLEGAL_CHARACTERS_RE.sub("", words)
    if len(plain) > MOST_LETTERS:
        plain = plain[: MOST_LETTERS - 6] + " [cut]"
    made = _styled(sheet, plain, bold=bold)
    made.data_type = "s"
    if plain[:1] in FORMULA:
        made.quotePrefix = True  # stays text also where somebody edits it
    return made


def _styled(sheet: Any, value: Any, *, bold: bool) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    made = WriteOnlyCell(sheet, value=value)
    if bold:
        made.font = Font(bold=True)
    return made


def _widths(found: Sheet) -> Iterator[int]:
    """Columns as wide as what stands in them, within reason."""
    shown = (*found.rows[:LOOKED_AT], *found.footer)
    for number, column in enumerate(found.table.columns):
        longest = max([len(column.label), *(_length(row[number]) for row in shown)])
        yield min(max(longest + 2, NARROWEST), WIDEST)


def _length(cell: Cell) -> int:
    """Letters that the cell needs; a day and a time are written longer than on the page."""
    dated = isinstance(cell.value, date)
    return max(len(cell.text), 19 if isinstance(cell.value, datetime) else 10 if dated else 0)


# ---------------------------------------------------------------- the file


def _without_clock(book: bytes, stamp: datetime) -> bytes:
    """The same workbook, made at the end of its window, so that making it again gives the same bytes."""
    moment = f"{stamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = STAMP.sub(rb"\g<1>" + moment, content)
            target.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
