"""Frames held against the contract of their columns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import ColumnContract
from kpi_assets.frames.contract import Violation, describe, violations
from kpi_assets.frames.drift import drift


def check(values: Any, **promises: Any) -> list[str]:
    """What is said against a column `x` of these values."""
    frame = pd.DataFrame({"x": values})
    return [str(found) for found in violations(frame, [ColumnContract("x", **promises)])]


TOKYO = "Asia/Tokyo"
MOMENT = pd.Timestamp("2024-11-18 12:00", tz="Europe/Berlin")

GOOD: list[tuple[str, Any]] = [
    ("string", ["a", None]),
    ("string", pd.Series(["a", None], dtype="string")),
    ("integer", [1, 2]),
    ("integer", [1.0, np.nan]),
    ("integer", pd.Series([1, None], dtype="Int64")),
    ("integer", pd.Series([1, None, Decimal("2.0")], dtype=object)),
    ("float", [1.5, np.inf]),
    ("float", [1, 2]),
    ("number", [Decimal("1.1"), None]),
    ("number", pd.Series([1.5], dtype="Float32")),
    ("boolean", [True, None]),
    ("boolean", [0, 1]),
    ("boolean", pd.Series([True, None], dtype="boolean")),
    ("date", [date(2024, 11, 18), None]),
    ("date", pd.to_datetime(["2024-11-18", None])),
    ("datetime", pd.to_datetime(["2018-11-04 03:00"], utc=True).tz_convert("America/Sao_Paulo")),
    ("date", pd.Series(pd.to_datetime(["2024-11-18"])).dt.as_unit("us").dt.tz_localize("Europe/Berlin")),
    ("datetime", [MOMENT]),
    ("datetime", pd.Series([MOMENT]).dt.as_unit("s")),
    ("datetime", pd.Series([datetime(2024, 1, 1), None], dtype=object)),
]

BAD: list[tuple[str, Any]] = [
    ("string", [1]),
    ("string", pd.Series([b"a"], dtype=object)),
    ("integer", [1.5]),
    ("integer", [np.inf]),
    ("integer", [True]),
    ("integer", ["1"]),
    ("float", ["1.5"]),
    ("number", [True]),
    ("number", pd.Series([True], dtype=object)),
    ("boolean", [2]),
    ("boolean", ["true"]),
    ("date", [MOMENT]),
    ("date", ["2024-11-18"]),
    ("datetime", ["2024-11-18"]),
    ("datetime", [20241118]),
]


def test_where_clocks_skip_midnight_the_first_instant_is_no_day() -> None:
    """A moment of a day that begins at 01:00 breaks a promise of days as any moment does."""
    first = pd.to_datetime(["2018-11-04 03:00"], utc=True).tz_convert("America/Sao_Paulo")
    assert check(first, type="date")


@pytest.mark.parametrize(("type_", "values"), GOOD)
def test_values_that_are_of_the_type(type_: Any, values: Any) -> None:
    """However a driver brings them, gaps included, these values keep the promise."""
    assert check(values, type=type_) == []


@pytest.mark.parametrize(("type_", "values"), BAD)
def test_values_that_are_not_of_the_type(type_: Any, values: Any) -> None:
    """Each of these breaks the promise in its only row."""
    assert check(values, type=type_) == [f"column 'x' is not of type {type_}: 1 row (0)"]


def test_rows_are_counted_and_five_are_shown() -> None:
    """The message has the count and the first row numbers, and no value."""
    assert check([1, "a"] * 7, type="number") == [
        "column 'x' is not of type number: 7 rows (1, 3, 5, 7, 9, ...)"
    ]


def test_missing_and_repeated_values() -> None:
    """`nullable: false` and `unique` are asked for themselves; missing values do not count as repeated."""
    assert check([1, None, 1, None], nullable=False, unique=True) == [
        "column 'x' has missing values: 2 rows (1, 3)",
        "column 'x' has values that occur before: 1 row (2)",
    ]
    assert check(["a", "b", None], unique=True) == []


@pytest.mark.parametrize(
    ("values", "low", "high", "below", "above"),
    [
        ([1, 5, 9], 2, 8, 0, 2),
        ([1.5, np.nan, 9.5], 2, 8, 0, 2),
        ([Decimal(1), None, Decimal(9)], 2, 8, 0, 2),
        (["a", "m", "z"], "b", "y", 0, 2),
        ([date(2024, 1, 1), date(2024, 6, 1), date(2024, 12, 1)], "2024-02-01", "2024-11-01", 0, 2),
        (pd.to_datetime(["2024-01-01", "2024-06-01", "2024-12-01"]), "2024-02-01", "2024-11-01", 0, 2),
        (
            pd.to_datetime(["2024-01-01", None, "2024-12-01"]).tz_localize("Asia/Tokyo"),
            "2024-01-02",
            "2024-11-30",
            0,
            2,
        ),
    ],
)
def test_bounds(values: Any, low: Any, high: Any, below: int, above: int) -> None:
    """Numbers, texts, days and zoned moments are held against bounds as YAML has them; bounds are allowed values."""
    assert check(values, min=low, max=high) == [
        f"column 'x' has values below {low}: 1 row ({below})",
        f"column 'x' has values above {high}: 1 row ({above})",
    ]
    assert check(values[:0], min=low, max=high) == []


def test_a_bound_is_itself_allowed() -> None:
    """`min` and `max` include their values, the day of a bound in the column's own zone."""
    assert check([2, 8], min=2, max=8) == []
    assert check([pd.Timestamp("2024-01-01", tz=TOKYO)], min="2024-01-01", max="2024-01-01") == []


def test_values_that_cannot_be_compared_break_the_bound() -> None:
    """A text in a column of numbers is not silently within bounds."""
    assert check([1, "a", None], min=0) == ["column 'x' has values below 0: 1 row (1)"]


def test_allowed_values() -> None:
    """Values are compared as they are, days also as YAML writes them; the allowed ones are told."""
    assert check(["pro", "free", "trial", None], allowed=("pro", "free")) == [
        "column 'x' has values that are not allowed (allowed: pro, free): 1 row (2)"
    ]
    assert check(pd.to_datetime(["2024-11-18", None]), allowed=("2024-11-18",)) == []
    assert check([date(2024, 11, 18)], allowed=(date(2024, 11, 18),)) == []
    assert len(check(["a"], allowed=tuple(range(100)))[0]) < 120


def test_a_column_that_is_not_there() -> None:
    """A missing column is told with the nearest name, a repeated one with its count."""
    frame = pd.DataFrame([[1, 2, 3]], columns=["plan", "n", "n"])
    found = violations(frame, [ColumnContract("plam"), ColumnContract("n")])
    assert [str(violation) for violation in found] == [
        "column 'plam' is not there; did you mean 'plan'?",
        "column 'n' is there 2 times; name the columns apart",
    ]
    assert found[0] == Violation("plam", "present", "is not there; did you mean 'plan'?")


def test_no_rows_break_nothing() -> None:
    """An empty frame keeps every promise of values, and a frame without any column every promise."""
    contract = ColumnContract("x", type="datetime", nullable=False, unique=True, min=1, max="b", allowed=(1,))
    assert violations(pd.DataFrame({"x": []}), [contract]) == ()
    assert violations(pd.DataFrame(), [contract]) == ()


def test_promises_are_described() -> None:
    """Each promise has a short phrase; what is not promised has none."""
    assert describe(ColumnContract("x", type="number", min=0.0, max=10, allowed=(1, 2))) == {
        "type": "of type number",
        "min": "at least 0",
        "max": "at most 10",
        "allowed": "one of 1, 2",
    }
    assert describe(ColumnContract("x")) == {}


SECRETS = st.text(st.characters(categories=["Ll"]), min_size=12, max_size=20)


@settings(max_examples=50)
@given(values=st.lists(SECRETS | st.none(), min_size=1, max_size=8))
def test_no_message_holds_a_value(values: list[str | None]) -> None:
    """Whatever is broken, what the rows hold is not told."""
    contract = ColumnContract("x", type="number", nullable=False, unique=True, min=1, allowed=(1,))
    text = "".join(map(str, violations(pd.DataFrame({"x": values}), [contract])))
    assert not any(value in text for value in values if value)


def test_drift_names_both_sides() -> None:
    """Columns gone, new, and of another kind are told with what was and what is."""
    before = [("day", "datetime64[ns]"), ("n", "int64"), ("plan", "object"), ("at", "ns|Europe/Berlin")]
    after = [("day", "datetime64[us]"), ("n", "bool"), ("tier", "object"), ("at", "float64")]
    assert drift(before, after) == (
        "column 'plan' (object) is gone; now: day, n, tier, at",
        "column 'tier' (object) is new; before: day, n, plan, at",
        "column 'n' was int64 and is now bool",
        "column 'at' was ns|Europe/Berlin and is now float64",
    )


@pytest.mark.parametrize(("left", "right"), [("int64", "float64"), ("Int64", "float32"), ("object", "int64")])
def test_what_a_gap_changes_is_no_drift(left: str, right: str) -> None:
    """Integers that became floats for a gap, and objects, which may be anything, are not told."""
    assert drift([("x", left)], [("x", right)]) == ()
