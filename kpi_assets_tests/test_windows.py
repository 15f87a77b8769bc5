from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.calendar_windows import Days
from kpi_assets.config.models import ReportConfig
from kpi_assets.contracts import Window
from kpi_assets.errors import ConfigError, InputError
from kpi_assets.windows import resolve_window

TODAY = date(2024, 11, 25)
ZONE = "Europe/Berlin"


def config(**settings: object) -> ReportConfig:
    return ReportConfig.model_validate(settings)


def window(report: ReportConfig, **asked: object) -> tuple[date, date]:
    found = resolve_window(report, Days(report.interval_days), today=TODAY, zone=ZONE, **asked)  # type: ignore[arg-type]
    assert found.zone == ZONE
    return found.start, found.end


def nov(first: int, last: int) -> tuple[date, date]:
    return date(2024, 11, first), date(2024, 11, last)


@pytest.mark.parametrize(
    ("settings", "asked", "expected"),
    [
        ({}, {}, nov(18, 25)),
        ({"interval_days": 1}, {}, nov(24, 25)),
        ({"end_date": date(2024, 11, 20)}, {}, nov(13, 20)),
        ({"start_date": "2024-11-01"}, {}, nov(1, 25)),
        ({"start_date": "Nov 1, 2024", "end_date": "8 November 2024"}, {}, nov(1, 8)),
        ({"start_date": "Nov 1"}, {}, nov(1, 25)),
        ({"start_date": "2024-11-01", "end_date": "2024-11-08"}, {"end": "2024-11-10"}, nov(1, 10)),
        ({"start_date": "2024-11-01"}, {"interval_days": 2}, nov(23, 25)),
        ({}, {"start": "2024-11-20"}, nov(20, 25)),
        ({}, {"start": "2024-11-01", "interval_days": 3}, nov(1, 4)),
        ({}, {"end": date(2024, 11, 20), "interval_days": 3}, nov(17, 20)),
        ({}, {"start": "2024-11-01", "end": "2024-11-20"}, nov(1, 20)),
        ({}, {"start": "2024-11-01", "end": "2024-11-04", "interval_days": 3}, nov(1, 4)),
        ({}, {"end": "2024-11-19T23:00:00Z"}, nov(13, 20)),
        ({"end_date": "2024-11-20 00:00 +0100"}, {}, nov(13, 20)),
        ({"end_date": "2024-11-20 15:30"}, {}, nov(13, 20)),
        ({"end_date": datetime(2024, 11, 19, 23, tzinfo=timezone(timedelta(0)))}, {}, nov(13, 20)),
    ],
)
def test_the_window_is_the_one_that_was_asked_for(
    settings: dict[str, object], asked: dict[str, object], expected: tuple[date, date]
) -> None:
    """The command line beats the file, and explicit offsets are converted into the report's zone."""
    assert window(config(**settings), **asked) == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"start": "2024-11-20", "end": "2024-11-20"}, "empty"),
        ({"start": "2024-11-21", "end": "2024-11-20"}, "reversed"),
        ({"start": "1924-11-21", "end": "2024-11-20"}, "a year mistyped"),
        ({"start": "2024-11-01", "end": "2024-11-04", "interval_days": 7}, "contradict"),
        ({"end": "soon"}, "--end-date 'soon' is not a date: write it as YYYY-MM-DD"),
        ({"end": ""}, "is not a date"),
        ({"end": "2024-11"}, "names no whole date"),
        ({"end": "Monday"}, "names no whole date"),
        ({"end": "2024-11-20 12:00"}, "write 2024-11-20 or 2024-11-21"),
        ({"end": "2024-11-20T00:00:00Z"}, "2024-11-20 01:00 in Europe/Berlin"),
        ({"end": "01/02/2024"}, "may be 2024-01-02 or 2024-02-01"),
        ({"end": "2024-11-20 00:00 XYZ"}, "time zone 'XYZ'"),
        ({"end": "0001-01-02"}, "leaves the calendar"),
        ({"end": "0001-01-01T00:00+23:00"}, "outside the calendar"),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_a_reason(asked: dict[str, object], words: str) -> None:
    """What is wrong on the command line is an InputError that says why and what would be right."""
    with pytest.raises(InputError) as caught:
        window(config(), **asked)
    assert words in str(caught.value)


def test_a_reversed_window_of_the_file_is_the_files_fault() -> None:
    """Dates of the report file that contradict each other are a ConfigError."""
    with pytest.raises(ConfigError, match="reversed"):
        window(config(start_date="2024-11-20", end_date="2024-11-18"))


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(1, 400),
    st.sampled_from([ZONE, "Asia/Kathmandu"]),
)
def test_days_written_as_text_or_as_dates_mean_the_same(end: date, days: int, zone: str) -> None:
    """ISO text, a date, and midnight with the zone's own offset give one and the same window."""
    midnight = Window.of_day(end, zone).starts_at
    asked = [end, end.isoformat(), midnight, midnight.isoformat()]
    found = {
        resolve_window(config(), Days(7), today=TODAY, zone=zone, end=value, interval_days=days)
        for value in asked
    }
    assert found == {Window(end - timedelta(days=days), end, zone)}
