from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.datasources.columns import Sink, TooManyRowsError
from kpi_assets.datasources.frame import FrameError, FrameMaker
from kpi_assets.datasources.options import QueryOptions
from kpi_assets.datasources.times import TimeReader
from kpi_assets.datasources.walls import utc_of_walls

BERLIN = "datetime64[ns, Europe/Berlin]"


def frame(
    *columns: list[Any], naive: str = "Europe/Berlin", detect: bool = False, **options: Any
) -> pd.DataFrame:
    """A frame of columns a, b, c, fetched in chunks of two rows."""
    sink = Sink(1000)
    sink.start(["a", "b", "c"][: len(columns)])
    table = list(zip(*columns, strict=True))
    for start in range(0, len(table), 2):
        sink.add_rows(table[start : start + 2])
    return FrameMaker(TimeReader(naive, "Europe/Berlin"), QueryOptions(**options), detect).frame(sink)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2, 3], "int64", [1, 2, 3]),
        ([1, 2, 3.5], "float64", [1.0, 2.0, 3.5]),
        ([None, None, 3], "float64", [np.nan, np.nan, 3.0]),
        ([True, False, True], "bool", [True, False, True]),
        ([True, None, True], "object", [True, None, True]),
        ([Decimal("1.10"), None, Decimal("12345.67")], "float64", [1.1, np.nan, 12345.67]),
        (["ä", None, "名前"], "object", ["ä", None, "名前"]),
        ([b"\x00\xff", memoryview(b"x"), None], "object", [b"\x00\xff", b"x", None]),
        ([None, None, None], "object", [None, None, None]),
        ([1, "a", None], "object", [1, "a", None]),
        ([2**63, 1, 2], "uint64", [2**63, 1, 2]),
        ([2**63, 1, -2], "object", [2**63, 1, -2]),
        ([{"a": 1}, [1, 2], None], "object", ['{"a": 1}', "[1, 2]", None]),
        (
            [timedelta(days=1), None, timedelta(0)],
            "timedelta64[ns]",
            [timedelta(days=1), pd.NaT, timedelta(0)],
        ),
    ],
)
def test_types(values: list[Any], dtype: str, expected: list[Any]) -> None:
    """Python values of a driver become the columns that views expect; nothing is lost on the way."""
    found = frame(values)["a"]
    assert str(found.dtype) == dtype
    pd.testing.assert_series_equal(found, pd.Series(expected, name="a"), check_dtype=False)


def test_timestamps_get_the_reports_zone() -> None:
    """Naive moments are read in the datasource's zone, others by their offset; all end in the report's zone."""
    moment = datetime(2024, 7, 1, 12)
    aware = moment.replace(tzinfo=timezone(timedelta(hours=2)))
    winter = datetime(2024, 12, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    found = frame([moment, None, moment], [aware, None, winter], naive="UTC")
    assert [str(kind) for kind in found.dtypes] == [BERLIN, BERLIN]
    assert found["a"][0].isoformat() == "2024-07-01T14:00:00+02:00"
    assert [found["b"][i].isoformat() for i in (0, 2)] == [
        "2024-07-01T12:00:00+02:00",
        "2024-12-01T12:00:00+01:00",
    ]


def test_days_are_naive_midnights() -> None:
    """DATE columns have no zone."""
    found = frame([date(2024, 3, 31), None])["a"]
    assert str(found.dtype) == "datetime64[ns]"
    assert found[0] == pd.Timestamp("2024-03-31")


def test_hours_that_come_twice_or_never() -> None:
    """A wall time shown twice is the first of the two; one that is skipped, the first instant after the gap."""
    found = frame([datetime(2024, 10, 27, 2, 30), datetime(2024, 3, 31, 2, 30), datetime(2024, 10, 27, 3)])[
        "a"
    ]
    assert [moment.isoformat() for moment in found] == [
        "2024-10-27T02:30:00+02:00",
        "2024-03-31T03:00:00+02:00",
        "2024-10-27T03:00:00+01:00",
    ]


@settings(max_examples=60)
@given(
    st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)) | st.none(), max_size=30),
    st.sampled_from(
        ["Europe/Berlin", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]
    ),
)
def test_fast_localizing_is_pandas(walls: list[datetime | None], zone: str) -> None:
    """The shortcut for days without a change of offset gives what pandas gives."""
    naive = pd.Series(walls, dtype="datetime64[ns]")
    first = np.ones(len(naive), dtype=bool)
    slow = naive.dt.tz_localize(ZoneInfo(zone), ambiguous=first, nonexistent="shift_forward")
    fast = pd.Series(utc_of_walls(naive.to_numpy(), ZoneInfo(zone))).dt.tz_localize("UTC")
    pd.testing.assert_series_equal(fast, slow.dt.tz_convert("UTC"))


def test_dates_beyond_nanoseconds(caplog: pytest.LogCaptureFixture) -> None:
    """The year 9999 becomes a missing value, and a warning says where and how many."""
    found = frame([date(9999, 12, 31), date(2024, 1, 1)])["a"]
    assert list(found.isna()) == [True, False]
    assert "column 'a': 1 dates outside" in caplog.text


def test_zero_dates_of_mysql(caplog: pytest.LogCaptureFixture) -> None:
    """MySQL's 0000-00-00, which its driver gives as text, becomes a missing value with a warning."""
    found = frame([datetime(2024, 1, 1), "0000-00-00 00:00:00", None])["a"]
    assert str(found.dtype) == BERLIN
    assert "1 zero dates" in caplog.text


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["2024-11-18", None, "2024-11-19"], "datetime64[ns]"),
        (["2024-11-18 07:30", "2024-11-18T07:30:00.25", "2024-11-19"], BERLIN),
        (["2024-11-18T07:30:00Z", "2024-11-18 07:30:00+01:00"], BERLIN),
        (["2024-11", "2024-12"], "object"),
        (["2024-02-31", "2024-02-01"], "object"),
        (["2024-11-18", "n/a"], "object"),
        ([None, None], "object"),
    ],
)
def test_text_that_is_time(values: list[Any], dtype: str) -> None:
    """Where time is kept as text, a column that is all ISO days or moments is time; any other stays text."""
    assert str(frame(values, detect=True)["a"].dtype) == dtype
    assert str(frame(values)["a"].dtype) == "object"


@pytest.mark.parametrize(
    ("values", "form", "dtype", "first"),
    [
        (["18.11.2024"], "%d.%m.%Y", "datetime64[ns]", "2024-11-18T00:00:00"),
        (["18.11.2024 07"], "%d.%m.%Y %H", BERLIN, "2024-11-18T07:00:00+01:00"),
        ([20241118], "%Y%m%d", "datetime64[ns]", "2024-11-18T00:00:00"),
        ([1731884400], None, BERLIN, "2024-11-18T00:00:00+01:00"),
        ([1731884400000], "ms", BERLIN, "2024-11-18T00:00:00+01:00"),
        (["2024-11-18"], None, "datetime64[ns]", "2024-11-18T00:00:00"),
        ([datetime(2024, 11, 18)], None, BERLIN, "2024-11-18T00:00:00+01:00"),
        ([date(2024, 11, 18)], "%Y-%m-%d", "datetime64[ns]", "2024-11-18T00:00:00"),
    ],
)
def test_parse_dates(values: list[Any], form: str | None, dtype: str, first: str) -> None:
    """`parse_dates` reads text and numbers as days or moments, by a format, a unit, or by itself."""
    found = frame(values, parse_dates={"a": form})["a"]
    assert (str(found.dtype), found[0].isoformat()) == (dtype, first)


def test_parse_dates_says_what_it_cannot_read() -> None:
    """Text that is not time by the given format is an error that names the column."""
    with pytest.raises(FrameError, match="column 'a' cannot be read as time"):
        frame(["18.11.2024", "never"], parse_dates={"a": "%d.%m.%Y"})


def test_index_col_comes_first() -> None:
    """`index_col` moves a column to the front; the index stays a plain range."""
    found = frame([1, 2], [3, 4], [5, 6], index_col=("c",))
    assert list(found.columns) == ["c", "a", "b"]
    assert isinstance(found.index, pd.RangeIndex)
    with pytest.raises(FrameError, match="no column 'x'; the columns are a, b, c"):
        frame([1], [2], [3], index_col=("x",))


def test_dtype() -> None:
    """`dtype` retypes columns, and says which one cannot be."""
    assert str(frame([1, 2], dtype={"a": "float32"})["a"].dtype) == "float32"
    with pytest.raises(FrameError, match="a cannot become int64"):
        frame(["x"], dtype={"a": "int64"})


def test_a_name_twice_is_refused() -> None:
    """Two columns of one name are an error that says how to mend it."""
    sink = Sink(10)
    sink.start(["n", "n"])
    with pytest.raises(FrameError, match=r"called 'n'.*AS"):
        FrameMaker(TimeReader("UTC", "UTC")).frame(sink)


def test_no_rows() -> None:
    """An answer without rows keeps its columns."""
    found = frame([], [])
    assert (list(found.columns), len(found)) == (["a", "b"], 0)


def test_max_rows() -> None:
    """The first chunk beyond the limit ends the fetch."""
    sink = Sink(3)
    sink.start(["a"])
    sink.add_rows([(1,), (2,), (3,)])
    with pytest.raises(TooManyRowsError):
        sink.add_rows([(4,)])
