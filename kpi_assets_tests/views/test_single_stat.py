"""One key figure, from KPI Reporter's keys and from ours."""

from __future__ import annotations

import math
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Span, Stat
from kpi_assets.errors import ViewError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.single_stat import SingleStatView
from kpi_assets_tests.views.worlds import SOURCE, context, frames


def view(**args: Any) -> SingleStatView:
    return SingleStatView(SingleStatView.Args.model_validate({**SOURCE, **args}))


def one(value: object) -> pd.DataFrame:
    return pd.DataFrame({"n": [value]})


def render(args: dict[str, Any], query: pd.DataFrame, title: str = "Sign-ups", **more: pd.DataFrame) -> Block:
    block = view(**args).render({"query": query, **more}, context(title))
    assert_honest_block(block)
    return block


def stat(block: Block) -> Stat:
    element = block.elements[0]
    assert isinstance(element, Stat)
    return element


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (pd.DataFrame({"n": [2, 3]}), "5"),
        (pd.DataFrame({"day": ["a", "b"], "n": [2, 3], "m": [9, 9]}), "5"),
        (pd.DataFrame({"day": [1, 2], "n": [0, 0]}), "0"),
        (pd.DataFrame({"n": [Decimal("1.10"), Decimal("2.20")]}), "3.3"),
        (pd.DataFrame({"n": [1.0, None]}), "1"),
        (pd.DataFrame({"n": [2**62, 2**62, 2**62]}), "13,835,058,055,282,163,712"),
        (pd.DataFrame({"n": [None]}), "n/a"),
        (pd.DataFrame({"n": []}, dtype=float), "n/a"),
        (pd.DataFrame({"n": [math.inf]}), "n/a"),
        (pd.DataFrame(), "n/a"),
    ],
)
def test_the_value_is_the_sum_of_the_second_or_only_column(frame: pd.DataFrame, text: str) -> None:
    """The first of several columns is what a row is of; nothing, NULL and infinity are n/a, a true zero is 0."""
    assert stat(render({}, frame)).value == text


def test_na_says_why_and_marks_the_block_empty() -> None:
    """A figure without a number has its reason as note, and the block's status is empty."""
    block = render({}, pd.DataFrame({"n": []}, dtype=float))
    assert (block.status, stat(block).note) == ("empty", "No rows in this window.")
    assert stat(render({"empty_is_zero": True}, pd.DataFrame({"n": []}, dtype=float))).value == "0"


def test_column_overrides_the_position() -> None:
    """`column` names what is added up."""
    frame = pd.DataFrame({"day": ["a"], "n": [2], "m": [9]})
    assert stat(render({"column": "m"}, frame)).value == "9"


@pytest.mark.parametrize(
    ("args", "frame", "says"),
    [
        ({"column": "revenu"}, pd.DataFrame({"revenue": [1]}), "did you mean 'revenue'?"),
        (
            {},
            pd.DataFrame({"n": [1], "name": ["a"]}),
            "column 'name' holds text values, not numbers; numeric",
        ),
    ],
)
def test_errors_name_view_column_and_what_exists(
    args: dict[str, Any], frame: pd.DataFrame, says: str
) -> None:
    """A wrong column is named with the ones that there are."""
    with pytest.raises(ViewError, match="view 'signups'") as caught:
        render(args, frame)
    assert says in str(caught.value)


def test_a_comparison_with_the_week_before() -> None:
    """`comparison: previous` asks the same query over the window before, and words the change."""
    asked = view(comparison="previous", higher_is_better=True)
    assert asked.needs()["comparison"].span == Span(windows_back=1)
    args = {"comparison": "previous", "higher_is_better": True}
    block = render(args, one(1284), comparison=one(1153))
    figure = stat(block)
    assert figure.change is not None
    assert (figure.change.text, figure.change.verdict) == ("+11.4\u202f%", "better")
    assert figure.before == "1,153 the week before"
    assert block.finding == "Sign-ups rose 11.4\u202f% to 1,284"
    assert (block.title, block.subtitle) == (block.finding, "Sign-ups, Nov 18–24")


def test_kpi_reporters_raw_comparison_is_rounded() -> None:
    """A comparison query without a type is a raw difference, with a sign and without float noise."""
    block = render({"comparison_query": "x"}, one(2.2), comparison_query=one(4.4))
    change = stat(block).change
    assert change is not None
    assert (change.text, change.direction, change.verdict) == ("−2.2", "down", "none")


@pytest.mark.parametrize(
    ("args", "now", "before", "text"),
    [
        ({"unit": "%"}, 6.8, 7.2, "−0.4 points"),
        ({"format": "percent"}, 0.068, 0.072, "−0.4 points"),
        ({"format": "percent", "comparison_type": "percent"}, 0.068, 0.072, "−0.4 points"),
        ({"unit": "€", "comparison_type": "raw"}, 48210, 46270, "+€1,940"),
        ({}, 5, 0, "new"),
        ({}, 5, -5, "n/a"),
    ],
)
def test_changes_suit_their_numbers(args: dict[str, Any], now: float, before: float, text: str) -> None:
    """Percentages change in points, raw differences carry the unit, zero and negative bases are told."""
    block = render({"comparison": "previous", **args}, one(now), comparison=one(before))
    change = stat(block).change
    assert change is not None
    assert change.text == text
    assert bool(stat(block).note) == (text == "n/a")


def test_a_percentage_compared_in_percent_is_warned_about() -> None:
    """What a type no longer means is said by `validate`."""
    assert view(unit="%", comparison="previous", comparison_type="percent").warnings()
    assert not view(comparison="previous", comparison_type="percent").warnings()


def test_a_label_template_is_html_here_and_text_there() -> None:
    """KPI Reporter's label keeps its HTML, other braces stay, and becomes text elsewhere."""
    label = '<b>{stat}</b> of {all} <a href="https://x.example">more &amp; more</a>'
    figure = stat(render({"label": label}, one(12), title="This week"))
    assert figure.label == "This week"
    assert figure.label_html == (
        '<b><span class="figure">12</span></b> of {all} <a href="https://x.example">more &amp; more</a>'
    )
    assert figure.label_text == "12 of {all} more & more"


def test_a_label_without_a_place_for_the_number_is_the_name() -> None:
    """`label: Orders` names the figure; a template without a title needs no name."""
    assert stat(render({"label": "Orders"}, one(1), title="")).label == "Orders"
    assert stat(render({"label": "{stat} orders"}, one(1), title="")).label == ""
    assert stat(render({}, one(1), title="")).label == "Signups"


@pytest.mark.parametrize(
    ("value", "text", "share"),
    [
        (48210, "96\u202f% of the €50,000 target", 0.9642),
        (49990, "99\u202f% of the €50,000 target", 0.9998),
        (60000, "120\u202f% of the €50,000 target", 1.2),
        (-100, "0\u202f% of the €50,000 target", 0.0),
    ],
)
def test_a_target_is_never_reached_by_rounding(value: float, text: str, share: float) -> None:
    """Below the goal whole percents are cut, not rounded up to 100."""
    target = stat(render({"target": 50000, "unit": "€"}, one(value))).target
    assert target is not None
    assert (target.text, target.share) == (text, pytest.approx(share))


def test_a_sparkline_of_windows_ends_with_the_value() -> None:
    """`sparkline: 6` asks five earlier windows, draws the line and finds the record."""
    asked = view(sparkline=6).needs()
    assert [need.span.windows_back for need in asked.values()] == [0, 1, 2, 3, 4, 5]
    past = {f"sparkline_{back}": one(100 - back) for back in range(1, 6)}
    block = render({"sparkline": 6}, one(120), **past)
    line = stat(block).sparkline
    assert line is not None
    assert line.alt == "Sign-ups, 6 weeks: from 95 to 120"
    assert [d.width for d in line.drawings] == [216]
    assert block.finding == "Sign-ups: 120, the highest of 6 weeks"
    assert block.rows == 6


def test_a_sparkline_of_steps_counts_back_from_the_windows_end() -> None:
    """Days are summed by weeks that end with the window; older days and weeks without rows are left out."""
    days = pd.date_range("2024-10-20", "2024-11-24", freq="D")
    past = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "n": 1})
    past = past[~past["day"].between("2024-11-04", "2024-11-10")]
    args = {"sparkline": {"query": "x", "days": 28, "step": "week"}}
    assert view(**args).needs()["sparkline"].span == Span(days=28)
    line = stat(render(args, one(7), sparkline=past)).sparkline
    assert line is not None
    assert line.alt == "Sign-ups, 4 weeks: from 7 to 7"
    assert '"v":null' in line.spec


def test_named_queries_are_asked_by_reference() -> None:
    """`query: {ref: ...}` needs no datasource."""
    asked = SingleStatView(SingleStatView.Args.model_validate({"query": {"ref": "signups"}})).needs()
    assert (asked["query"].ref, asked["query"].text) == ("signups", None)


@settings(max_examples=150)
@given(
    frames(), frames(), st.sampled_from(["", "%", "€"]), st.sampled_from(["", "percent", "compact", ",.1f"])
)
def test_any_frame_gives_a_block_or_a_view_error(
    query: pd.DataFrame, before: pd.DataFrame, unit: str, form: str
) -> None:
    """Whatever the rows are, the block is honest or a ViewError tells; the frames stay as they were."""
    kept = query.copy(deep=True)
    args = {"comparison": "previous", "unit": unit, "format": form, "target": 10, "higher_is_better": True}
    with suppress(ViewError):
        render(args, query, comparison=before)
    pd.testing.assert_frame_equal(query, kept)


def test_a_label_with_links_keeps_its_number_linked_beside_them() -> None:
    """With links in the label `link_url` goes around the number alone: links do not hold links."""
    label = '{stat} <a href="https://x.example">more</a>'
    figure = stat(render({"label": label, "link_url": "https://y.example"}, one(12)))
    assert figure.link_url is None
    assert figure.label_html == (
        '<a href="https://y.example"><span class="figure">12</span></a> <a href="https://x.example">more</a>'
    )
