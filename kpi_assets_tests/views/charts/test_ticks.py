"""Axes are marked at few, round, separate places."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.views.charts.text import text_width
from kpi_assets.views.charts.ticks import Calendar, time_ticks, value_axis

BERLIN = Calendar("Europe/Berlin", "en")
ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("low", "high", "zero", "ticks"),
    [
        (58, 251, False, (0, 100, 200)),
        (0, 46, True, (0, 20, 40)),
        (0, 48210, True, (0, 20000, 40000)),
        (6.7, 7.3, False, (6.6, 6.8, 7.0, 7.2)),
        (-38, 40, True, (-50, 0)),
        (5, 5, False, (0, 2, 4)),
    ],
)
def test_ticks_of_values(low: float, high: float, zero: bool, ticks: tuple[float, ...]) -> None:
    """Bars begin at zero, a line far from it does not; there are at most four round lines."""
    found = value_axis(low, high, zero=zero).ticks
    assert found == ticks or set(ticks) <= set(found)
    assert len(found) <= 4


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12), st.booleans())
@settings(max_examples=300)
def test_an_axis_holds_its_values(low: float, span: float, zero: bool) -> None:
    """Every value lies on the axis, and every tick as well."""
    axis = value_axis(low, low + span, zero=zero)
    slack = 1e-6 * max(abs(axis.low), abs(axis.high), 1)
    assert axis.low <= low + slack
    assert low + span <= axis.high + slack
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in axis.ticks)
    assert len(axis.ticks) <= 6


def test_a_week_is_marked_by_day() -> None:
    """Seven days have seven labels with weekday and date, in the middle of each day."""
    start = datetime(2024, 11, 18, tzinfo=ZONE)
    ticks = time_ticks(start, start + timedelta(days=7), BERLIN, width=900, size=12)
    assert [tick.lines for tick in ticks][:2] == [("Mon", "Nov 18"), ("Tue", "Nov 19")]
    assert ticks[0].at.hour == 12


@pytest.mark.parametrize(("width", "names"), [(170, ["18", "20", "22", "24"]), (60, ["18", "24"])])
def test_a_narrow_week_keeps_some_days(width: int, names: list[str]) -> None:
    """Where not all days have room, every second or third stands there, and else the first and the last."""
    start = datetime(2024, 11, 18, tzinfo=ZONE)
    ticks = time_ticks(start, start + timedelta(days=7), BERLIN, width=width, size=12)
    assert [tick.lines[-1] for tick in ticks] == names


def test_a_stack_is_marked_at_its_last_day() -> None:
    """Stacks end in the middle of their last day, which has its name there."""
    start = datetime(2024, 11, 18, 12, tzinfo=ZONE)
    ticks = time_ticks(start, start + timedelta(days=6), BERLIN, width=900, size=12)
    assert [tick.lines[0] for tick in ticks] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def test_a_quarter_is_marked_by_month() -> None:
    """Ninety days are marked where months begin."""
    start = datetime(2024, 8, 27, tzinfo=ZONE)
    ticks = time_ticks(start, datetime(2024, 11, 25, tzinfo=ZONE), BERLIN, width=900, size=12)
    assert [tick.lines for tick in ticks] == [("Sep",), ("Oct",), ("Nov",)]


def test_the_day_of_the_clock_change_keeps_midnight() -> None:
    """Ticks after a change of the clock stand at local midnight, not an hour beside it."""
    start = datetime(2024, 10, 21, tzinfo=ZONE)
    ticks = time_ticks(start, datetime(2024, 11, 19, tzinfo=ZONE), BERLIN, width=300, size=12)
    assert all((tick.at.hour, tick.at.minute) == (0, 0) for tick in ticks)


@given(
    st.integers(1, 4000),
    st.integers(60, 1032),
    st.sampled_from([12, 15]),
    st.sampled_from(["en", "de", "fr", "ja"]),
)
@settings(max_examples=100)
def test_labels_of_time_never_touch(days: int, width: int, size: int, locale: str) -> None:
    """Whatever the span, width and language, labels keep apart."""
    start = datetime(2021, 2, 3, tzinfo=ZONE)
    end = start + timedelta(days=days)
    ticks = time_ticks(start, end, Calendar("Europe/Berlin", locale), width=width, size=size)
    edge = float("-inf")
    for tick in ticks:
        wide = max(text_width(line, size) for line in tick.lines)
        at = (tick.at - start) / (end - start) * width - (wide / 2 if tick.align == "center" else 0)
        assert at >= edge
        edge = at + wide
    assert ticks
