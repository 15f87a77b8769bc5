"""Numbers in a grid, coloured by value."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Table
from kpi_assets.errors import ViewError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.heat_table import HeatTableView
from kpi_assets_tests.views.worlds import SOURCE, context, frames

COHORTS = pd.DataFrame(
    {
        "signed_up": ["2024-10-07", "2024-10-14", "2024-10-21"],
        "size": [1000, 1000, 3000],
        "0": [100, 100, 100],
        "1": [41, 49, 47],
        "2": [36.2, 41, None],
    }
)
COHORT_ARGS: dict[str, Any] = {"kind": "cohorts", "unit": "%", "column_title": "Week"}


def render(frame: pd.DataFrame, **args: Any) -> Block:
    view = HeatTableView(HeatTableView.Args.model_validate({**SOURCE, **args}))
    block = view.render({"query": frame}, context("Back after a week", 3))
    assert_honest_block(block)
    return block


def table(block: Block) -> Table:
    element = block.elements[0]
    assert isinstance(element, Table)
    return element


def test_cohorts_drop_week_0_and_leave_the_future_blank() -> None:
    """Week 0 is always 100; cells that do not exist yet are blank, the others carry number and step."""
    block = render(COHORTS, **COHORT_ARGS, rule_before=["2024-10-14"])
    grid = table(block)
    assert [column.label for column in grid.columns] == ["Signed up", "Size", "1", "2"]
    assert [[(cell.text, cell.heat) for cell in row] for row in grid.rows] == [
        [("Oct 7", None), ("1,000", None), ("41", 2), ("36", 0)],
        [("Oct 14", None), ("1,000", None), ("49", 6), ("41", 2)],
        [("Oct 21", None), ("3,000", None), ("47", 5), ("", None)],
    ]
    assert grid.rule_before == (1,)
    assert block.subtitle == "Back after a week, percent, Oct 7 – Nov 24"


def test_cohorts_before_and_after_a_line_are_weighted() -> None:
    """The finding compares both sides of the line, larger cohorts counting more; without a line the two ends."""
    block = render(COHORTS, **COHORT_ARGS, precision=1, rule_before=["2024-10-14"])
    assert block.finding == "Week 1: 47.5\u202f% since Oct 14, 41.0\u202f% before"
    assert render(COHORTS, **COHORT_ARGS).finding == "Week 1: 47\u202f% of Oct 21, 41\u202f% of Oct 7"


def test_long_form_is_recognised_and_sorted() -> None:
    """Rows of (row, column, value) become a grid whose numeric columns stand in order; sizes may be divided by."""
    frame = pd.DataFrame(
        {
            "cohort": ["a", "a", "b", "a"],
            "week": [10, 0, 1, 1],
            "active": [1, 10, 5, 4],
            "size": [10, 10, 20, 10],
        }
    )
    grid = table(render(frame, kind="cohorts", size="size", percent_of_size=True))
    assert [column.label for column in grid.columns] == ["Cohort", "Size", "1", "10"]
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["a", "10", "40", "10"],
        ["b", "20", "25", ""],
    ]


def test_moments_become_weekday_by_hour_in_the_reports_zone() -> None:
    """Rows are counted by local weekday and hour; a slot without rows is a true zero."""
    moments = pd.to_datetime(["2024-11-18 23:30", "2024-11-19 13:10", "2024-11-19 13:20", "2024-11-19 13:59"])
    block = render(pd.DataFrame({"at": moments.tz_localize("UTC")}), kind="weekday_hours")
    grid = table(block)
    assert block.finding == "Busiest: Tue 14:00 with 3"
    assert [row[0].text for row in grid.rows] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert grid.rows[1][1].text == "1"  # 23:30 UTC on Monday is half past midnight on Tuesday in Berlin
    assert grid.rows[0][1].text == "0"
    wide = render(pd.DataFrame({"at": moments}), kind="weekday_hours", hours=6)
    assert [column.label for column in table(wide).columns] == ["Day", "00", "06", "12", "18"]
    assert wide.finding == "Busiest: Tue 12:00–18:00 with 3"


def test_values_that_share_a_cell_need_a_rule() -> None:
    """Doubled places are refused, naming the place and the ways out; `aggregate` is one."""
    frame = pd.DataFrame({"r": ["a", "a", "b"], "c": ["x", "x", "x"], "n": [1, 2, 4]})
    with pytest.raises(ViewError, match="several values at row 'a', column 'x'; add `aggregate: sum`"):
        render(frame)
    assert table(render(frame, aggregate="mean")).rows[0][1].text == "1.5"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"row": "cohrt"}, "there is no column 'cohrt'"),
        ({"form": "wide", "row": "c"}, "column 'r' holds text values, not numbers"),
        ({"kind": "weekday_hours"}, "column 'r' holds text values, not times"),
        ({"percent_of_size": True}, "`percent_of_size` needs `size"),
    ],
)
def test_errors_name_view_and_column(args: dict[str, Any], says: str) -> None:
    """What does not fit is told with view and column."""
    frame = pd.DataFrame({"r": ["a", "a"], "c": ["x", "y"], "n": [1, 2]})
    with pytest.raises(ViewError, match="view 'signups'") as caught:
        render(frame, **args)
    assert says in str(caught.value)


def test_an_empty_frame_says_so() -> None:
    """No rows: one grey sentence."""
    assert render(COHORTS.head(0)).status == "empty"


@settings(max_examples=150)
@given(
    frames(), st.sampled_from(["grid", "cohorts", "weekday_hours"]), st.sampled_from([None, "long", "wide"])
)
def test_any_frame_gives_a_block_or_a_view_error(frame: pd.DataFrame, kind: str, form: str | None) -> None:
    """Whatever the rows are, the block is honest or a ViewError tells; the frame stays as it was."""
    kept = frame.copy(deep=True)
    with suppress(ViewError):
        render(frame, kind=kind, form=form, aggregate="sum")
    pd.testing.assert_frame_equal(frame, kept)
