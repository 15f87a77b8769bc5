"""The hash of what a frame says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpi_assets.frames.codec import encode
from kpi_assets.frames.content import content_hash
from kpi_assets.frames.encoded import combined_hash


def hash_of(values: Any, name: str = "x") -> str:
    return content_hash(encode(pd.DataFrame({name: values})))


MOMENTS = pd.Series(pd.to_datetime(["2024-11-18T12:00", None]))
ZONED = MOMENTS.dt.tz_localize("UTC")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param([1, 2], [1.0, 2.0], id="whole floats"),
        pytest.param([1, 2], pd.Series([1, 2], dtype="Int64"), id="nullable"),
        pytest.param([1.0, np.nan], pd.Series([1, None], dtype="Int64"), id="NaN and NA"),
        pytest.param([1.0, np.nan], pd.Series([1, None], dtype=object), id="objects"),
        pytest.param([1, 2], pd.Series([1, 2], dtype="uint8"), id="width"),
        pytest.param([1, 2], pd.Series([1, 2], dtype="int64[pyarrow]"), id="arrow"),
        pytest.param([True, False], pd.Series([True, False], dtype=object), id="flags"),
        pytest.param(["a", None], pd.Series(["a", None], dtype="string"), id="texts"),
        pytest.param(["a", None], pd.Series(["a", None], dtype="string[pyarrow]"), id="arrow texts"),
        pytest.param(["a", "b"], pd.Categorical(["a", "b"]), id="categories"),
        pytest.param([None, None], [np.nan, np.nan], id="nothing"),
        pytest.param([], pd.Series([], dtype="datetime64[ns]"), id="no rows"),
        pytest.param(MOMENTS, MOMENTS.dt.as_unit("s"), id="unit"),
        pytest.param(ZONED, ZONED.dt.tz_convert("Asia/Tokyo"), id="zone"),
        pytest.param(
            pd.to_timedelta(["1h"]), pd.Series(pd.to_timedelta(["1h"])).dt.as_unit("s"), id="durations"
        ),
    ],
)
def test_the_same_values_have_the_same_hash(left: Any, right: Any) -> None:
    """Types that a driver chose, by what else came in the answer, do not show in the hash."""
    assert hash_of(left) == hash_of(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param([1, 2], [2, 1], id="order"),
        pytest.param([1], [1, 1], id="count"),
        pytest.param([1], [1.5], id="fraction"),
        pytest.param([2**53 + 1], [float(2**53)], id="beyond floats"),
        pytest.param([2**64 - 1], [-1], id="unsigned"),
        pytest.param([1], ["1"], id="number and text"),
        pytest.param([1], [True], id="number and flag"),
        pytest.param(["a"], [b"a"], id="text and bytes"),
        pytest.param(["1"], [Decimal(1)], id="text and decimal"),
        pytest.param([Decimal("1.0")], [Decimal("1.00")], id="scale"),
        pytest.param(["ab", "c"], ["a", "bc"], id="where one text ends"),
        pytest.param(["", None], [None, ""], id="which is missing"),
        pytest.param([0, None], [None, 0], id="which number is missing"),
        pytest.param(MOMENTS, MOMENTS.dt.tz_localize("UTC"), id="naive and zoned"),
        pytest.param(MOMENTS, MOMENTS + pd.Timedelta("1ns"), id="nanosecond"),
        pytest.param(MOMENTS, MOMENTS.astype("int64").where(MOMENTS.notna()), id="moments and numbers"),
        pytest.param([None], [], id="a gap and no row"),
    ],
)
def test_other_values_have_another_hash(left: Any, right: Any) -> None:
    """What a reader would see as other rows is another hash."""
    assert hash_of(left) != hash_of(right)


def test_names_count() -> None:
    """Another name, and the same names in another order, are another content."""
    assert hash_of([1], "x") != hash_of([1], "y")
    left = pd.DataFrame({"x": [1], "y": [1]})
    assert content_hash(encode(left)) != content_hash(encode(left[["y", "x"]]))


def test_a_part_of_a_frame_hashes_as_itself() -> None:
    """Rows cut out of a longer frame have the hash of the same rows alone."""
    frame = pd.DataFrame({"n": range(10), "plan": list("abcdefghij"), "flag": [True, False] * 5})
    part = frame.iloc[3:7]
    assert content_hash(encode(part)) == content_hash(encode(part.reset_index(drop=True).copy()))


def test_the_hash_is_pinned() -> None:
    """The hash of a known frame stays what it is: a change would make every stored day look changed."""
    frame = pd.DataFrame(
        {"n": [1, None], "plan": ["ü", None], "day": MOMENTS.dt.tz_localize("UTC"), "x": [0.5, 1]}
    )
    assert content_hash(encode(frame)) == "c63b2c793f91223d0666f98d0b4d0719fe0d7e86f8a6171d43cb0723838891d8"


def test_hashes_combine_by_slot() -> None:
    """The hash over several slots does not depend on the order they are told in, and on which slot has which rows."""
    one, two = ("2024-11-18", "a"), ("2024-11-19", "b")
    assert combined_hash([one, two]) == combined_hash([two, one])
    assert combined_hash([one, two]) != combined_hash([("2024-11-18", "b"), ("2024-11-19", "a")])
