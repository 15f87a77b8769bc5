from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.datasources.bounds import bound_value, is_ambiguous

BERLIN = ZoneInfo("Europe/Berlin")
FORMS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f"]
minutes = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
    lambda d: d.replace(second=0, microsecond=0)
)


@given(minutes, st.integers(-3, 3), st.sampled_from(FORMS))
def test_text_bounds_compare_like_time(bound: datetime, off: int, form: str) -> None:
    """A text bound sorts against text moments as the instants do, whatever their precision."""
    row = bound + timedelta(minutes=off)
    text = bound_value(bound.replace(tzinfo=ZoneInfo("UTC")), "UTC", "text")
    assert isinstance(text, str)
    assert (row.strftime(form) >= text) == (row >= bound)
    assert (row.strftime(form) < text) == (row < bound)


@given(st.integers(-2, 2))
def test_text_bounds_of_midnight_compare_with_days(off: int) -> None:
    """A bound at midnight is the day's text, so that rows that hold only a day are in their own day."""
    start = datetime(2024, 11, 18)
    text = bound_value(start.replace(tzinfo=BERLIN), "Europe/Berlin", "text")
    row = (start + timedelta(days=off)).date().isoformat()
    assert (row >= str(text)) == (off >= 0)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("native", datetime(2024, 11, 17, 23)),
        ("text", "2024-11-17 23:00"),
        ("iso", "2024-11-17T23:00"),
        ("epoch", 1731884400),
        ("epoch_ms", 1731884400000),
    ],
)
def test_forms(form: str, value: object) -> None:
    """Midnight in Berlin is told to a datasource in UTC as its columns hold it."""
    assert bound_value(datetime(2024, 11, 18, tzinfo=BERLIN), "UTC", form) == value  # pyright: ignore


def test_midnight_that_comes_twice() -> None:
    """Havana's clocks show midnight twice in autumn; there a bound needs its offset."""
    havana = ZoneInfo("America/Havana")
    assert is_ambiguous(datetime(2024, 11, 3, tzinfo=havana), "America/Havana")
    assert not is_ambiguous(datetime(2024, 11, 4, tzinfo=havana), "America/Havana")
