"""Changes are rounded once, and sign, arrow and verdict agree with what is printed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Change
from kpi_assets.style.changes import no_change_reason
from kpi_assets.style.numbers import NumberStyle

EN = NumberStyle()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_a_rise_against_the_week_before() -> None:
    """A rise in percent has sign, one decimal, arrow and verdict."""
    assert EN.change(1284, 1153, higher_is_better=True) == Change(
        text="+11.4\u202f%", direction="up", verdict="better"
    )


def test_without_a_good_direction_there_is_no_verdict() -> None:
    """No declared polarity, no judgement."""
    assert EN.change(5, 4).verdict == "none"


@pytest.mark.parametrize(
    ("value", "base", "higher_is_better", "text", "verdict"),
    [
        (6.8, 7.2, True, "−0.4 points", "worse"),
        (1.9, 2.2, False, "−0.3 points", "better"),
        (2.0, 2.04, True, "±0.0 points", "same"),
    ],
)
def test_percentages_change_in_points(
    value: float, base: float, higher_is_better: bool, text: str, verdict: str
) -> None:
    """A change of a percentage is worded in points, and the verdict follows the declared direction."""
    change = EN.change(value, base, "points", higher_is_better=higher_is_better)
    assert (change.text, change.verdict) == (text, verdict)


@pytest.mark.parametrize(
    ("value", "base", "text"),
    [(5, 0, "new"), (0, 0, "±0.0\u202f%"), (-5, 0, "n/a"), (5, -3, "n/a"), (-3, -3, "±0.0\u202f%")],
)
def test_zero_and_negative_bases_are_told_honestly(value: float, base: float, text: str) -> None:
    """A percentage of nothing, or of less than nothing, is not printed."""
    assert EN.change(value, base).text == text


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_nothing_to_compare_is_na(missing: object) -> None:
    """No value or no base gives n/a without arrow or verdict."""
    expected = Change(text="n/a", direction="none", verdict="none")
    assert EN.change(missing, 1, higher_is_better=True) == expected
    assert EN.change(1, missing, higher_is_better=True) == expected


def test_a_raw_difference_carries_the_unit() -> None:
    """`raw` is the difference in the value's own unit, rounded."""
    assert EN.change(48210, 46270, "raw", unit="€").text == "+€1,940"
    assert EN.change(2.2, 4.4, "raw").text == "−2.2"
    assert EN.change(2, 2, "raw", unit="m2") == Change(text="±0 m2", direction="flat", verdict="none")


def test_a_change_that_rounds_to_nothing_is_flat() -> None:
    """Arrow and verdict come from the rounded text."""
    change = EN.change(100, 100.01, higher_is_better=True)
    assert (change.text, change.direction, change.verdict) == ("±0.0\u202f%", "flat", "same")


@settings(max_examples=300, deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from(["percent", "raw", "points"]))
def test_sign_arrow_and_numbers_agree(value: float, base: float, kind: str) -> None:
    """An arrow up is only printed with a plus and a value above its base; n/a always has a reason."""
    change = EN.change(value, base, kind, higher_is_better=True)  # type: ignore[arg-type]
    signs = {"up": "+", "down": "−", "flat": "±", "none": "n"}
    assert change.text.startswith(signs[change.direction])
    if change.direction in {"up", "down"}:
        assert (value > base) == (change.direction == "up")
    assert (change.text == "n/a") == bool(no_change_reason(value, base, kind))
