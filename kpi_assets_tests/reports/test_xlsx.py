"""Workbooks, read back with the library that people's programs use."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Cell, Column, Table, Value
from kpi_assets.errors import PluginError
from kpi_assets.reports.cell_formats import cell_format
from kpi_assets.reports.compose import compose
from kpi_assets.reports.xlsx import render_xlsx
from kpi_assets.style.digits import symbols
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.samples import block, every_kind, meta

EN = NumberStyle("en")
NARROW = "\u202f"


def table(*rows: tuple[Cell, ...], columns: tuple[str, ...] = ("A",), footer: tuple[Cell, ...] = ()) -> Table:
    return Table(
        caption="",
        columns=tuple(Column(label=c) for c in columns),
        rows=rows,
        footer=(footer,) if footer else (),
    )


def opened(*blocks: Block, **more: Any) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(render_xlsx(meta(), blocks, EN, **more)))


def values(book: openpyxl.Workbook, sheet: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in book[sheet].iter_rows(values_only=True)]


def cell_of(cell: Cell) -> Any:
    """The cell under the header `A`, as it was written."""
    return opened(block("v", table((cell,)), title="T"))["T"]["A2"]


def test_a_sheet_per_table_behind_a_cover() -> None:
    """Cover first, which says title, window, zone and what lies where; then key figures, tables, numbers of charts."""
    book = opened(*every_kind())
    cover = values(book, "About")
    assert cover[0][0] == meta().title
    assert ("Window", "2024-11-18 to 2024-11-24 (7 days)", None, None) in cover
    assert any(row[0] == "Time zone" and str(row[1]).startswith("Europe/Berlin") for row in cover)
    listed = cover[cover.index(("Sheet", "What", "Rows", "Note")) + 1 :]
    assert [row[0] for row in listed] == book.sheetnames[1:]
    assert [row[2] for row in listed] == [2, 1, 2, 3]
    assert book.sheetnames[0] == "About"


def test_the_header_is_bold_and_stays() -> None:
    """The first row of every sheet is bold and frozen, totals are bold, and columns are as wide as their text."""
    long = "x" * 40
    rows = ((Cell(text=long),), (Cell(text="y"),))
    sheet = opened(block("v", table(*rows, footer=(Cell(text="Total"),)), title="T"))["T"]
    assert sheet.freeze_panes == "A2"
    assert [sheet.cell(row, 1).font.bold for row in (1, 2, 4)] == [True, False, True]
    assert sheet.column_dimensions["A"].width == 42


@pytest.mark.parametrize(
    ("text", "value", "kept", "format"),
    [
        ("1,234", 1234, 1234, "#,##0"),
        ("2024", 2024, 2024, "0"),
        ("−3.25", -3.25, -3.25, "#,##0.00"),
        ("€1,201", 1200.5, 1200.5, '"€"#,##0'),
        ("12 ms", 12, 12, '#,##0" ms"'),
        (f"12.3{NARROW}%", 0.123, 0.123, "0.0%"),
        (f"12.3{NARROW}%", 12.3, 12.3, '#,##0.0" %"'),
        (f"+9.1{NARROW}%", 0.091, 0.091, "+0.0%;-0.0%;0.0%"),
        ("1.2M", 1_234_567, 1_234_567, "General"),
        ("yes", True, True, "General"),
        ("Nov 18", date(2024, 11, 18), datetime(2024, 11, 18), "yyyy-mm-dd"),
        ("2 h 5 min", timedelta(hours=2, minutes=5), timedelta(hours=2, minutes=5), "[h]:mm:ss"),
    ],
)
def test_values_are_values(text: str, value: Value, kept: object, format: str) -> None:
    """Numbers, percentages, money, days and lengths of time can be calculated on, and look as on the page."""
    cell = cell_of(Cell(text=text, value=value))
    assert (cell.value, cell.number_format) == (kept, format)


def test_numbers_of_other_locales() -> None:
    """The page's own signs are understood: a comma for decimals, a dot for groups, money behind."""
    signs = symbols("de_DE")
    assert cell_format(f"1.234,50{NARROW}€", 1234.5, signs) == '#,##0.00" €"'
    assert cell_format(f"6,8{NARROW}%", 0.068, signs) == "0.0%"


def test_times_are_local_and_the_zone_is_named() -> None:
    """Times of any zone are those that the report's clocks show, and the header says which zone that is."""
    utc = datetime(2024, 11, 18, 22, 30, tzinfo=ZoneInfo("UTC"))
    book = opened(block("v", table((Cell(text="Nov 18, 23:30", value=utc),), columns=("At",)), title="T"))
    assert values(book, "T") == [("At (Europe/Berlin)",), (datetime(2024, 11, 18, 23, 30),)]


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "#N/A"]
)
def test_text_is_never_a_formula(text: str) -> None:
    """Text that spreadsheets would run or take for an error is kept as text, letter by letter."""
    made = render_xlsx(
        meta(title=text), [block("v", table((Cell(text=text),), columns=(text,)), title=text)], EN
    )
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert len(sheets) == 2
    assert not any(b"<f>" in sheet or b't="e"' in sheet for sheet in sheets)
    book = openpyxl.load_workbook(io.BytesIO(made))
    cells = [book["About"]["A1"], book.worksheets[1]["A1"], book.worksheets[1]["A2"]]
    assert [(cell.value, cell.data_type) for cell in cells] == [(text, "s")] * 3
    assert all(cell.quotePrefix == (text[0] != "#") for cell in cells)


def test_what_excel_cannot_hold_is_text() -> None:
    """Long ids keep their digits, days before Excel's first their year; control characters go; cuts are told."""
    assert (
        cell_of(Cell(text="12345678901234567890", value=12345678901234567890)).value == "12345678901234567890"
    )
    assert cell_of(Cell(text="Jan 1, 1850", value=date(1850, 1, 1))).value == "Jan 1, 1850"
    assert cell_of(Cell(text="−5 s", value=timedelta(seconds=-5))).value == "−5 s"
    assert cell_of(Cell(text="a\x00b\x1fc")).value == "abc"
    long = cell_of(Cell(text="x" * 40_000)).value
    assert (len(long), long[-6:]) == (32_767, " [cut]")


def test_missing_values_are_empty_cells() -> None:
    """`n/a` would break a sum: where nothing is, there is nothing."""
    assert cell_of(Cell(text="n/a", missing=True)).value is None


def test_names_of_sheets() -> None:
    """At most 31 characters, none that Excel refuses, no two alike whatever their case, none that Excel keeps."""
    titles = ["a/b:c*[d]?\\e", "x" * 40, "X" * 40, "x" * 40, "About", "history", "'q'", "", "::"]
    blocks = [block(f"v{i}", table((Cell(text="1"),)), title=title) for i, title in enumerate(titles)]
    names = opened(*blocks).sheetnames[1:]
    assert names[0] == "a b c d e"
    assert names[1:4] == ["x" * 31, "X" * 27 + " (2)", "x" * 27 + " (3)"]
    assert names[4:] == ["About (2)", "history (2)", "q", "v7", "Sheet"]


@settings(max_examples=30, deadline=None)
@given(titles=st.lists(st.text(max_size=50), min_size=1, max_size=5))
def test_any_title_makes_a_workbook(titles: list[str]) -> None:
    """Whatever a view is called, the workbook can be read, and its sheets keep Excel's rules."""
    blocks = [block(f"v{i}", table((Cell(text=title),)), title=title) for i, title in enumerate(titles)]
    names = opened(*blocks).sheetnames
    assert len({name.casefold() for name in names}) == len(titles) + 1
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_long_tables_go_on_in_the_next_sheet() -> None:
    """No row is lost: what a sheet cannot hold is in the next, each with a header; totals come last."""
    rows = tuple((Cell(text=str(n), value=n),) for n in range(25))
    book = opened(block("v", table(*rows, footer=(Cell(text="Total"),)), title="T"), most_rows=11)
    assert book.sheetnames == ["About", "T", "T (2)", "T (3)"]
    found = [values(book, name) for name in book.sheetnames[1:]]
    assert [part[0] for part in found] == [("A",)] * 3
    assert [row[0] for part in found for row in part[1:]] == [*range(25), "Total"]
    notes = [row[3] for row in values(book, "About")[-3:]]
    assert notes == ["part 1 of 3", "part 2 of 3", "part 3 of 3"]


def test_totals_get_a_sheet_where_there_is_no_room() -> None:
    """A table that fills its sheets to the last row has its totals in one more."""
    rows = tuple((Cell(text=str(n), value=n),) for n in range(10))
    book = opened(block("v", table(*rows, footer=(Cell(text="Total"),)), title="T"), most_rows=11)
    assert [row[0] for row in values(book, "T (2)")] == ["A", "Total"]


def test_the_same_edition_is_the_same_file() -> None:
    """Bytes depend on the edition alone: nothing in the file says when it was made."""
    first, second = (render_xlsx(meta(), every_kind(), EN) for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("docProps/core.xml").count(b"2024-11-24T23:00:00Z") == 2


def test_the_format_is_made_when_asked() -> None:
    """A document has the workbook beside its CSV files where both are asked for, and neither where not."""
    both = compose(meta(), every_kind(), {"csv", "xlsx"}, Theme(), EN)
    assert both.file("data/report.xlsx").media_type.endswith("spreadsheetml.sheet")
    assert sum(file.path.startswith("data/") for file in both.files) == 5
    assert not [
        file for file in compose(meta(), every_kind(), {"html"}, Theme(), EN).files if "data/" in file.path
    ]


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openpyxl the error names the extra."""
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(PluginError, match=r"pip install 'kpi-assets\[xlsx\]'"):
        render_xlsx(meta(), every_kind(), EN)
