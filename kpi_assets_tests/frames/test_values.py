"""One value or one hash of a frame, for conditions."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpi_assets.errors import DataError
from kpi_assets.frames.values import rows_hash, value_in


def frame(*values: Any, dtype: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"v": pd.Series(values, dtype=dtype)})


@pytest.mark.parametrize(
    ("values", "dtype", "agg", "wanted"),
    [
        ((1, 2, 3), "int64", "max", 3),
        ((1.5, math.nan, 3.5), "float64", "mean", 2.5),
        ((1, None, 3), "Int64", "sum", 4),
        ((Decimal("0.1"), None, Decimal("0.3")), object, "min", 0.1),
        ((True, False, True), "bool", "sum", 2),
        ((2**60 + 1, 2**60), "int64", "max", 2**60 + 1),
        ((math.inf, 1.0), "float64", "max", math.inf),
        ((math.inf, -math.inf), "float64", "sum", None),
        ((math.nan, math.nan), "float64", "max", None),
        ((None, None), object, "sum", None),
        ((1.0, math.nan), "float64", "last", None),
        ((pd.NaT, pd.NaT), "datetime64[ns]", "first", None),
        (("a", "b"), object, "first", "a"),
        ((), "float64", "last", None),
    ],
)
def test_a_value(values: tuple[Any, ...], dtype: str, agg: Any, wanted: object) -> None:
    """Missing values of every kind are left out of sums and bounds, and none of nothing is a number."""
    found = value_in(frame(*values, dtype=dtype), "v", agg)
    assert found == wanted
    assert not isinstance(found, np.generic) or agg in ("first", "last")


@pytest.mark.parametrize("values", [("1", "2"), (pd.Timestamp("2024-11-18"),), ([1],)])
def test_what_is_no_number(values: tuple[Any, ...]) -> None:
    """Text, times and lists are refused where a number is to be made of them; the message holds no value."""
    with pytest.raises(DataError, match=r"^column 'v' holds values that are no numbers$"):
        value_in(frame(*values), "v", "max")


def test_a_column_that_is_there_twice() -> None:
    """Which of two columns of one name is meant, nobody can know."""
    with pytest.raises(DataError, match="is there 2 times"):
        value_in(pd.DataFrame([[1, 2]], columns=["v", "v"]), "v", "max")


def test_rows_are_the_same_in_any_order() -> None:
    """Order does not count, values, names and how often a row is there do; whole floats are integers."""
    first = pd.DataFrame({"a": [1, 2, 2], "b": ["x", "y", None]})
    assert rows_hash(first) == rows_hash(first.iloc[::-1])
    assert rows_hash(first) != rows_hash(first.iloc[:2])
    assert rows_hash(first) != rows_hash(first.rename(columns={"a": "c"}))
    assert rows_hash(first) != rows_hash(first.assign(a=[1, 2, 3]))
    assert rows_hash(first, "a") == rows_hash(first.assign(b="z"), "a")
    assert rows_hash(frame(5)) == rows_hash(frame(5.0))
    assert rows_hash(first.iloc[:0]) != rows_hash(first)


def test_rows_of_any_type_have_a_hash() -> None:
    """Decimals, times with zones, mixed values and gaps."""
    odd = pd.DataFrame(
        {
            "d": [Decimal("1.10"), None],
            "t": pd.to_datetime(["2024-11-18", None]).tz_localize("Europe/Berlin"),
            "m": [{"k": 1}, "x"],
        }
    )
    assert rows_hash(odd) == rows_hash(odd.iloc[::-1])
