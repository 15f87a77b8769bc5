"""Rows as a table."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from kpi_assets.contracts import Block, Table, Window
from kpi_assets.errors import ViewError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.table import TableView
from kpi_assets.views.tables.args import TableArgs
from kpi_assets_tests.views.worlds import SOURCE, context, frames

GOLDEN = Path(__file__).parent.parent / "golden" / "views"
COUNTRIES = pd.DataFrame(
    {
        "country": ["Germany", "United States", "France", "Poland", "Sweden"],
        "signups": [312, 187, 98, 41, 37],
        "change": [0.091, 0.427, -0.03, 0.0, None],
        "revenue": [1200.5, 300.0, 12.25, 4.0, 1.0],
    }
)
ARGS: dict[str, Any] = {
    "max_rows": 3,
    "labels": {"signups": "Sign-ups"},
    "formats": {"change": "+.1%"},
    "units": {"revenue": "€"},
    "bars": ["signups"],
    "scale": ["revenue"],
    "totals": "others",
    "highlight": {"change": "max"},
    "low": ["revenue"],
}


def render(frame: pd.DataFrame, **args: Any) -> Block:
    view = TableView(TableView.Args.model_validate({**SOURCE, **args}))
    block = view.render({"query": frame}, context("Sign-ups by country", 3))
    assert_honest_block(block)
    return block


def table(block: Block) -> Table:
    element = block.elements[0]
    assert isinstance(element, Table)
    return element


def texts(block: Block) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table(block).rows]


def test_the_block_of_a_ranking() -> None:
    """Bars, colours, the others, the highlighted row and what is not shown: the whole block as it is kept."""
    block = render(COUNTRIES, **ARGS)
    kept = json.loads((GOLDEN / "table.json").read_text(encoding="utf-8"))
    assert json.loads(block.model_dump_json(exclude_defaults=True)) == kept


def test_the_finding_counts_the_whole_only_where_it_is_one() -> None:
    """Who leads is told of all rows; of how many, only where totals say that the rows add up."""
    assert render(COUNTRIES, **ARGS).title == "Germany leads with 312 of 675 sign-ups"
    assert render(COUNTRIES, bars=["signups"]).title == "Germany leads with 312 signups"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"country": ["a", "b"], "n": [2, 1]}),
        pd.DataFrame({"country": ["a", "b", "c"], "n": [2, 2, 1]}),
        pd.DataFrame({"country": ["a", "a", "c"], "n": [3, 2, 1]}),
        pd.DataFrame({"country": ["a", "b", "c"], "avg_price": [3, 2, 1]}),
        pd.DataFrame({"country": ["a", "b", "c"], "city": ["x", "y", "z"]}),
        pd.DataFrame({"country": ["a", "b", "c"], "n": [-3, -2, -1]}),
    ],
)
def test_no_finding_where_nobody_leads(frame: pd.DataFrame) -> None:
    """Two rows, ties, doubled names, averages, texts and losses have no leader: the title is the measure."""
    block = render(frame)
    assert (block.finding, block.title) == ("", "Sign-ups by country")


def test_who_leads_is_told_only_of_rows_that_can_be_seen() -> None:
    """A leader among the rows that are not shown, or by values that are not added up, is no title."""
    frame = pd.DataFrame({"country": ["a", "b", "c", "d"], "orders": [3, 2, 1, 9]})
    assert render(frame, max_rows=2).finding == ""
    assert render(frame, max_rows=2, sort="-orders").finding == "d leads with 9 orders"
    assert render(frame, total_by={"orders": "none"}).finding == ""
    assert render(frame.rename(columns={"orders": "low"})).finding == ""


def test_days_have_a_finding_of_their_own() -> None:
    """Days do not lead, they are the highest."""
    frame = pd.DataFrame({"day": ["2024-11-18", "2024-11-19", "2024-11-20"], "orders": [1, 5, 2]})
    assert render(frame).title == "Most orders on Nov 19: 5"


def test_what_a_column_holds_decides_how_it_is_written() -> None:
    """Days, times, booleans, money, ids, missing and infinite values each have their form and side."""
    frame = pd.DataFrame(
        {
            "day": [date(2024, 11, 18), date(2023, 1, 1)],
            "at": pd.to_datetime(["2024-11-18 13:05", None]).tz_localize("UTC"),
            "paid": [True, False],
            "price": [Decimal("12.50"), Decimal("3")],
            "order_id": [123456, 7],
            "took": [timedelta(hours=3, minutes=12), None],
            "share": [math.inf, 0.5],
        }
    )
    block = render(frame, units={"price": "€"})
    assert texts(block) == [
        ["Nov 18, 2024", "Nov 18, 14:05", "yes", "€12.50", "123456", "3 h 12 min", "n/a"],
        ["Jan 1, 2023", "n/a", "no", "€3.00", "7", "n/a", "0.5"],
    ]
    sides = [column.align for column in table(block).columns]
    assert sides == ["left", "left", "left", "right", "left", "right", "right"]
    assert [column.header for column in table(block).columns] == [True] + [False] * 6
    assert block.note == "n/a: infinite or missing."


def test_a_day_without_a_midnight_is_a_moment_like_others() -> None:
    """Where the clocks skip midnight, the first instant of that day is written as it is."""
    moments = pd.to_datetime(["2018-11-04 03:00", "2018-11-04 15:30"], utc=True).tz_convert(
        "America/Sao_Paulo"
    )
    window = Window(date(2018, 11, 1), date(2018, 11, 8), "America/Sao_Paulo")
    block = TableView(TableArgs(**SOURCE)).render(
        {"query": pd.DataFrame({"at": moments})}, context(window=window)
    )
    assert texts(block) == [["Nov 4, 01:00"], ["Nov 4, 13:30"]]


def test_decimals_are_the_same_down_a_column() -> None:
    """The value with the most decimals decides for its column."""
    frame = pd.DataFrame({"name": ["a", "b"], "x": [1.25, 3.0], "small": [0.1234, 0.5]})
    assert texts(render(frame)) == [["a", "1.25", "0.123"], ["b", "3.00", "0.500"]]


def test_max_rows_of_zero_means_ten_and_null_means_all() -> None:
    """KPI Reporter's zero is its default; cut rows are counted."""
    frame = pd.DataFrame({"name": [f"r{i}" for i in range(42)], "x": range(42)})
    assert render(frame, max_rows=0).note == "Showing 10 of 42 rows."
    everything = render(frame, max_rows=None)
    assert (len(table(everything).rows), everything.note) == (42, "")


def test_sorting_hides_and_links() -> None:
    """Rows are sorted with missing values last; a link's column is hidden and only safe addresses are links."""
    frame = pd.DataFrame(
        {
            "name": ["a", "b", "c"],
            "n": [1.0, None, 3.0],
            "url": ["https://a.example", "javascript:alert(1)", None],
            "x": [1, 2, 3],
        }
    )
    block = render(frame, sort="-n", hide=["x"], links={"name": "url"})
    assert texts(block) == [["c", "3"], ["a", "1"], ["b", "n/a"]]
    assert [row[0].link_url for row in table(block).rows] == [None, "https://a.example", None]


def test_totals_add_what_can_be_added() -> None:
    """Sums for counts and money, nothing for percentages unless asked for."""
    block = render(COUNTRIES, **{**ARGS, "totals": True, "total_by": {"change": "mean"}})
    assert [[cell.text for cell in row] for row in table(block).footer] == [
        ["Total", "675", "+12.2\u202f%", "€1,518"]
    ]


def test_an_empty_frame_keeps_its_title() -> None:
    """No rows: status, title and one grey sentence."""
    block = render(COUNTRIES.head(0), **ARGS)
    assert (block.status, block.title, block.subtitle) == ("empty", "Sign-ups by country", "Nov 18–24")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"bars": ["signup"]}, "there is no column 'signup'; did you mean 'signups'?"),
        ({"bars": ["country"]}, "`bars` needs numbers, but column 'country' holds text values"),
        ({"formats": {"signups": "%d %b"}}, "does not suit column 'signups'"),
        ({"formats": {"country": ",.1f"}}, "column 'country' holds text values, which take no format"),
        ({"hide": ["country", "signups", "change", "revenue"]}, "`hide` leaves no column"),
    ],
)
def test_errors_name_view_and_column(args: dict[str, Any], says: str) -> None:
    """A wrong argument is told with view, column and what there is."""
    with pytest.raises(ViewError, match="view 'signups'") as caught:
        render(COUNTRIES, **args)
    assert says in str(caught.value)


@settings(max_examples=250)
@given(frames())
def test_any_frame_gives_a_block_or_a_view_error(frame: pd.DataFrame) -> None:
    """Whatever the rows are, the block is honest and the frame stays as it was."""
    kept = frame.copy(deep=True)
    args: dict[str, Any] = {"max_rows": 3, "totals": True, "highlight": "max"}
    if len(frame.columns):
        args["sort"] = f"-{frame.columns[-1]}"
    with suppress(ViewError):
        render(frame, **args)
    pd.testing.assert_frame_equal(frame, kept)


def test_two_may_share_the_top() -> None:
    """Of four, two that are level are named together."""
    frame = pd.DataFrame({"topic": ["a", "b", "c", "d"], "questions": [5, 5, 2, 1]})
    assert render(frame).title == "a and b lead with 5 questions each"
