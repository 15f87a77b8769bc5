from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.contracts import Window
from kpi_assets.reports.calendar import year_place


@pytest.mark.parametrize(
    ("start", "end", "index", "count", "text"),
    [
        ("2024-11-18", "2024-11-25", 47, 52, "Week 47 of 2024"),
        ("2020-12-28", "2021-01-04", 53, 53, "Week 53 of 2020"),
        ("2024-12-30", "2025-01-06", 1, 52, "Week 1 of 2025"),
        ("2024-11-20", "2024-11-27", 47, 52, "Day 331 of 366 of 2024"),
        ("2024-11-24", "2024-11-25", 47, 52, "Day 329 of 366 of 2024"),
        ("2024-02-01", "2024-03-01", 2, 12, "Month 2 of 2024"),
        ("2024-10-01", "2025-01-01", 4, 4, "Quarter 4 of 2024"),
    ],
)
def test_place(start: str, end: str, index: int, count: int, text: str) -> None:
    """A window is placed among the weeks, months or quarters of the year it belongs to."""
    place = year_place(Window(date.fromisoformat(start), date.fromisoformat(end), "UTC"))
    assert place is not None
    assert (place.index, place.count, place.text) == (index, count, text)


def test_long_windows_have_no_place() -> None:
    """A window of a year is no part of a year."""
    assert year_place(Window(date(2024, 1, 1), date(2025, 1, 1), "UTC")) is None


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 92))
def test_the_place_exists(start: date, days: int) -> None:
    """Every shorter window has a place inside its year."""
    place = year_place(Window(start, start + timedelta(days=days), "UTC"))
    assert place is not None
    assert 1 <= place.index <= place.count
