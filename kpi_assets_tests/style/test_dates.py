"""Days, windows and zones as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kpi_assets.contracts import Window
from kpi_assets.style.d3 import d3_locale
from kpi_assets.style.dates import (
    day_text,
    days_text,
    earlier_words,
    moment_text,
    weekday_name,
    window_short,
    window_text,
    zone_text,
)
from kpi_assets.style.numbers import NumberStyle

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")


@pytest.mark.parametrize(
    ("locale", "long", "short"),
    [
        ("en", "Mon, Nov 18 – Sun, Nov 24, 2024", "Nov 18–24"),
        ("de", "Mo., 18. Nov. – So., 24. Nov. 2024", "18.–24. Nov."),
        ("fr", "lun. 18 nov. – dim. 24 nov. 2024", "18–24 nov."),
    ],
)
def test_a_window_names_its_last_day(locale: str, long: str, short: str) -> None:
    """Window texts include the last day and follow the locale's order."""
    assert window_text(WEEK, locale) == long
    assert window_short(WEEK, locale) == short


def test_windows_of_one_day_and_over_new_year() -> None:
    """One day stands alone; both years are named where they differ."""
    assert window_text(Window(date(2024, 11, 18), date(2024, 11, 19), "UTC")) == "Mon, Nov 18, 2024"
    over = Window(date(2024, 12, 27), date(2025, 1, 3), "UTC")
    assert window_text(over) == "Fri, Dec 27, 2024 – Thu, Jan 2, 2025"
    assert window_short(over) == "Dec 27, 2024 – Jan 2, 2025"


def test_days_in_two_months_keep_both() -> None:
    """Months are repeated only where they differ."""
    assert days_text(date(2024, 8, 27), date(2024, 11, 24)) == "Aug 27 – Nov 24"
    assert day_text(date(2024, 8, 27), year=True) == "Aug 27, 2024"


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (WEEK, "Europe/Berlin (UTC+1)"),
        (
            Window(date(2024, 10, 21), date(2024, 10, 28), "Europe/Berlin"),
            "Europe/Berlin (UTC+2, then UTC+1)",
        ),
        (Window(date(2024, 10, 21), date(2024, 10, 28), "Asia/Kolkata"), "Asia/Kolkata (UTC+5:30)"),
        (Window(date(2024, 10, 21), date(2024, 10, 28), "America/New_York"), "America/New_York (UTC−4)"),
        (Window(date(2024, 10, 21), date(2024, 10, 28), "UTC"), "UTC (UTC±0)"),
    ],
)
def test_a_zone_carries_its_offset(window: Window, text: str) -> None:
    """The offset is that of the window's days, both where the clock changes."""
    assert zone_text(window) == text


def test_moments_weekdays_and_the_time_before() -> None:
    """Moments name day, time and offset; the window before is called by its length."""
    assert moment_text(datetime(2024, 11, 25, 6, 0, tzinfo=UTC)) == "Mon, Nov 25, 2024, 06:00 (UTC±0)"
    assert weekday_name(WEEK.start, "de", short=False) == "Montag"
    assert [earlier_words(Window.ending("2024-11-24", n, "UTC")) for n in (1, 7, 30)] == [
        "the day before",
        "the week before",
        "the 30 days before",
    ]


def test_vega_gets_the_same_words() -> None:
    """The d3 locale has the separators, signs and month names of the number style."""
    locale = d3_locale(NumberStyle("de"), "€")
    assert locale["number"]["thousands"] == "."
    assert locale["number"]["currency"] == ("", "\u202f€")
    assert locale["time"]["days"][0] == "Sonntag"
    assert locale["time"]["months"][2] == "März"
    assert d3_locale(NumberStyle("hi"))["number"]["grouping"][:3] == (3, 2, 2)
