from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.dataframe import forget_frame, register_frame
from kpi_assets.errors import PluginError, QueryError
from kpi_assets_tests.datasources.helpers import WEEK, ask, make

ORDERS = pd.DataFrame(
    {
        "time": pd.to_datetime(["2024-11-24 23:59", "2024-11-18 00:00", "2024-11-25 00:00", None]),
        "from": ["ä", "b", "c", "d"],
    }
)


@pytest.fixture(autouse=True)
def _orders() -> Iterator[None]:
    register_frame("orders", ORDERS)
    yield
    forget_frame("orders")


def test_the_window_is_half_open() -> None:
    """Rows are cut at the report's midnights and come day by day, with times of the report's zone."""
    found = ask(make("dataframe", time_column="time"), "orders")
    assert list(found["from"]) == ["b", "ä"]
    assert str(found.dtypes["time"]) == "datetime64[ns, Europe/Berlin]"
    assert found.index.equals(pd.RangeIndex(2))


def test_without_a_time_column() -> None:
    """All rows are given, in a copy: the registered frame stays as it is."""
    found = ask(make("dataframe"), " orders ")
    found["from"] = "changed"
    assert list(ORDERS["from"]) == ["ä", "b", "c", "d"]
    assert list(ask(make("dataframe"), "orders")["from"]) == ["ä", "b", "c", "d"]


def test_a_callable_makes_the_frame() -> None:
    """A registered callable is asked with the window; a named index becomes the first column, days stay days."""

    def make_frame(window: Window) -> pd.DataFrame:
        return pd.DataFrame({"n": [1, 2]}, index=pd.Index(pd.to_datetime(window.days[:2]), name="day"))

    register_frame("orders", make_frame)
    found = ask(make("dataframe"), "orders", time_column="day")
    assert found.to_dict("list") == {
        "day": [pd.Timestamp("2024-11-18"), pd.Timestamp("2024-11-19")],
        "n": [1, 2],
    }


@pytest.mark.parametrize(
    "days",
    [
        pd.Series([date(2024, 11, 18), date(2024, 11, 25), None]),
        pd.Series(pd.to_datetime(["2024-11-18", "2024-11-25", None])).convert_dtypes(dtype_backend="pyarrow"),
        pd.Series([date(2024, 11, 18), date(2024, 11, 25), None], dtype=pd.ArrowDtype(pa.date32())),
    ],
    ids=["dates", "pyarrow", "pyarrow dates"],
)
def test_days_in_any_dress(days: pd.Series[Any]) -> None:
    """Python's dates and pyarrow's times are time as pandas' own are; dates out of its bounds stay."""
    register_frame("orders", pd.DataFrame({"day": days, "until": date(9999, 12, 31)}))
    found = ask(make("dataframe"), "orders", time_column="day")
    assert found.to_dict("list") == {"day": [pd.Timestamp("2024-11-18")], "until": [date(9999, 12, 31)]}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([{"n": 1}], "'orders' is list, not a DataFrame"),
        (pd.Series([1], name="n"), "'orders' is Series, not a DataFrame"),
        (lambda window: None, "'orders' makes NoneType, not a DataFrame"),
        (pd.DataFrame([[1, 2]], columns=["n", "n"]), "two columns are called 'n': rename one of them"),
        (pd.DataFrame({"n": [1]}, index=pd.Index([3], name="n")), "two columns are called 'n'"),
        (pd.DataFrame({"n": ["2024-11-18"]}), "make it time with pd.to_datetime"),
    ],
)
def test_what_is_no_frame_is_told(frame: Any, words: str) -> None:
    """By the name that it is registered as, with what to do."""
    register_frame("orders", frame)
    with pytest.raises(QueryError) as caught:
        ask(make("dataframe"), "orders", time_column="n")
    assert words in str(caught.value)


def test_days_make_the_whole() -> None:
    """The frames of the days, one after the other, are the frame of the window, over a change of the clocks."""
    window = Window(date(2024, 10, 26), date(2024, 10, 29), "Europe/Berlin")
    hours = pd.date_range("2024-10-25", periods=120, freq="h", tz="UTC")[::-1]
    register_frame("orders", pd.DataFrame({"time": hours, "n": range(120)}))
    source = make("dataframe", time_column="time")
    parts = [ask(source, "orders", Window.of_day(day, window.zone)) for day in window.days]
    whole = ask(source, "orders", window)
    assert [len(part) for part in parts] == [24, 25, 24]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("ordres", {}, "did you mean 'orders'?"),
        ("orders", {"time_column": "nope"}, "no column 'nope'; the columns are time, from"),
        ("orders", {"time_column": "from"}, "does not hold time"),
        ("orders", {"time_colum": "x"}, "no argument 'time_colum': did you mean 'time_column'?"),
    ],
)
def test_mistakes(text: str, options: dict[str, Any], words: str) -> None:
    """A wrong name is told with the right ones."""
    with pytest.raises(QueryError) as caught:
        ask(make("dataframe"), text, **options)
    assert words in str(caught.value)


def test_grain_and_module() -> None:
    """Days are cut where a time column is named; a module that is missing is named."""
    source = make("dataframe", time_column="time")
    assert source.analyse(Query("q", "shop", "orders"), source.args).day_column == "time"
    assert make("dataframe").analyse(Query("q", "shop", "orders"), make("dataframe").args).grain == "window"
    with pytest.raises(PluginError, match="module 'no_such_module'"):
        ask(make("dataframe", module="no_such_module"), "orders")
    assert len(ask(make("dataframe"), "orders", WEEK)) == 4
