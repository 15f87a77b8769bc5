"""Where a window stands in its year: the strip of cells in the masthead and the words beneath it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from kpi_assets.contracts import Window


@dataclass(frozen=True)
class YearPlace:
    """The window's cell of its year: number `index` (from 1) of `count`; `text` says it in words."""

    index: int
    count: int
    text: str
    label: str


def year_place(window: Window) -> YearPlace | None:
    """Weeks for windows up to nine days, months up to 31, quarters up to 92; None for longer ones."""
    last = window.last_day
    if window.length <= 9:
        return _week(window)
    if window.length <= 31:
        return _place(last.month, 12, "Month", last.year)
    if window.length <= 92:
        return _place((last.month + 2) // 3, 4, "Quarter", last.year)
    return None


def _week(window: Window) -> YearPlace:
    """ISO weeks; a window that is no such week is placed by its middle and named by its last day."""
    middle = window.start + timedelta(days=(window.length - 1) // 2)
    year, week, _ = middle.isocalendar()
    count = date(year, 12, 28).isocalendar().week
    if window.length == 7 and window.start.isoweekday() == 1:
        return _place(week, count, "Week", year)
    last = window.last_day
    day, days = last.timetuple().tm_yday, date(last.year, 12, 31).timetuple().tm_yday
    text = f"Day {day} of {days} of {last.year}"
    return YearPlace(week, count, text, text)


def _place(index: int, count: int, unit: str, year: int) -> YearPlace:
    return YearPlace(
        index, count, f"{unit} {index} of {year}", f"{unit} {index} of the {count} {unit.lower()}s of {year}"
    )
