"""The rhythm of a series is found, or there is none."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from kpi_assets.views.charts.steps import infer_step


@pytest.mark.parametrize(
    ("times", "unit", "count"),
    [
        (pd.date_range("2024-11-18", periods=7), "day", 1),
        (pd.DatetimeIndex(["2024-11-18", "2024-11-21", "2024-11-30"]), "day", 1),
        (pd.date_range("2024-08-26", periods=13, freq="7D"), "week", 1),
        (pd.date_range("2024-01-01", periods=12, freq="MS"), "month", 1),
        (pd.date_range("2024-01-01", periods=4, freq="QS"), "month", 3),
        (pd.date_range("2021-01-01", periods=4, freq="YS"), "year", 1),
        (pd.date_range("2024-11-24", periods=24, freq="h"), "hour", 1),
        (pd.date_range("2024-11-24 00:15", periods=9, freq="15min"), "minute", 15),
        (pd.DatetimeIndex(["2024-11-24"]), "day", 1),
    ],
)
def test_rhythms(times: pd.DatetimeIndex, unit: str, count: int) -> None:
    """Days, weeks, months and hours are told apart by where the values stand."""
    step = infer_step(times)
    assert step is not None
    assert (step.unit, step.count) == (unit, count)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (pd.date_range("2024-11-18", periods=7).delete(3), "a day"),
        (pd.date_range("2024-11-11", periods=2, freq="7D"), ""),
        (pd.DatetimeIndex(["2024-10-15", "2024-11-15", "2024-12-15"]), ""),
        (pd.date_range("2024-08-26", periods=6, freq="7D"), "a week"),
        (pd.date_range("2024-08-26", periods=6, freq="14D"), ""),
        (pd.date_range("2024-01-01", periods=5, freq="MS"), "a month"),
        (pd.DatetimeIndex(["2024-01-01", "2024-06-01", "2024-12-01"]), ""),
        (pd.date_range("2024-01-01", periods=4, freq="QS"), "a quarter"),
        (pd.date_range("2024-11-18 11:00", periods=5), ""),
        (pd.date_range("2024-11-18 11:00", periods=5, freq="h"), "an hour"),
    ],
)
def test_values_are_said_to_be_a_step_s_only_where_they_are(times: pd.DatetimeIndex, words: str) -> None:
    """Two values a week apart are not "a day", and a value at 11:00 each day is not "an hour"."""
    step = infer_step(times)
    assert step is not None
    assert step.words == words


def test_seconds_have_no_rhythm() -> None:
    """Events at any second belong to no step."""
    assert infer_step(pd.DatetimeIndex(["2024-11-18 10:00:07", "2024-11-18 10:01:09"])) is None


def test_months_follow_each_other() -> None:
    """Steps of a month begin on the first, whatever the months' lengths."""
    step = infer_step(pd.date_range("2024-01-01", periods=3, freq="MS"))
    assert step is not None
    found = step.between(datetime(2024, 1, 20), datetime(2024, 4, 1))
    assert found == [datetime(2024, 1, 1), datetime(2024, 2, 1), datetime(2024, 3, 1)]
