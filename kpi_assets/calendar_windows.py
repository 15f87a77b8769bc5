"""The kinds of windows that `window:` names: days, weeks, months, quarters, years, those to date, business days.

Each kind knows two things: which window of its kind is the newest that has ended by some day, and which comes before
another. Pure; days are dates of the report's zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from kpi_assets.contracts import Window, WindowRule
from kpi_assets.workdays import Workdays

ONE_DAY = timedelta(days=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_DAYS = 3660
_COUNTED = re.compile(r"(\d{1,4}) (business )?days?")


@dataclass(frozen=True)
class Days(WindowRule):
    """The last `count` days, whatever day it is."""

    count: int

    @property
    def name(self) -> str:
        return "1 day" if self.count == 1 else f"{self.count} days"

    @property
    def earlier(self) -> str:
        names = {1: "day", 7: "week", 14: "two weeks", 28: "four weeks"}
        return f"the {names.get(self.count, f'{self.count} days')} before"

    def newest(self, by: date, zone: str) -> Window:
        return Window(by - timedelta(days=self.count), by, zone, self)


@dataclass(frozen=True)
class Weeks(WindowRule):
    """Whole weeks. `first` is the day they start with, Monday = 0."""

    first: int = 0

    @property
    def name(self) -> str:
        return "last week"

    @property
    def earlier(self) -> str:
        return "the week before"

    def newest(self, by: date, zone: str) -> Window:
        end = week_start(by, self.first)
        return Window(end - timedelta(days=7), end, zone, self)


@dataclass(frozen=True)
class Months(WindowRule):
    """Whole calendar months (`months` = 1), quarters (3) or years (12)."""

    months: int = 1

    @property
    def name(self) -> str:
        return f"last {self._unit}"

    @property
    def earlier(self) -> str:
        return f"the {self._unit} before"

    @property
    def _unit(self) -> str:
        return {1: "month", 3: "quarter", 12: "year"}[self.months]

    def newest(self, by: date, zone: str) -> Window:
        end = period_start(by, self.months)
        return Window(months_later(end, -self.months), end, zone, self)


@dataclass(frozen=True)
class ToDate(WindowRule):
    """From the start of the week, month (1), quarter (3) or year (12) that the last day lies in, to that day.

    The window before has the same days of the period before; where that is shorter, it ends with it.
    """

    months: int = 1

    @property
    def name(self) -> str:
        return f"{self._unit} to date"

    @property
    def earlier(self) -> str:
        return f"the same days of the {self._unit} before"

    @property
    def _unit(self) -> str:
        return {1: "month", 3: "quarter", 12: "year"}[self.months]

    def newest(self, by: date, zone: str) -> Window:
        return Window(period_start(by - ONE_DAY, self.months), by, zone, self)

    def before(self, window: Window) -> Window:
        start = months_later(window.start, -self.months)
        whole, offset = _whole_months(window.start, window.end)
        end = months_later(start, whole)
        return Window(
            start,
            min(end + timedelta(days=offset), months_later(start, whole + 1), window.start),
            window.zone,
            self,
        )


@dataclass(frozen=True)
class WeekToDate(WindowRule):
    """From the start of the week that the last day lies in, to that day; before it the same days a week earlier."""

    first: int = 0

    @property
    def name(self) -> str:
        return "week to date"

    @property
    def earlier(self) -> str:
        return "the same days of the week before"

    def newest(self, by: date, zone: str) -> Window:
        return Window(week_start(by - ONE_DAY, self.first), by, zone, self)

    def before(self, window: Window) -> Window:
        week = timedelta(days=7)
        return replace(window, start=window.start - week, end=window.end - week)


@dataclass(frozen=True)
class BusinessDays(WindowRule):
    """From the first to the last of `count` business days. Free days between them are inside; those after are not."""

    count: int
    workdays: Workdays

    @property
    def name(self) -> str:
        return "1 business day" if self.count == 1 else f"{self.count} business days"

    @property
    def earlier(self) -> str:
        return f"the {self.name.removeprefix('1 ')} before"

    def newest(self, by: date, zone: str) -> Window:
        last = first = self.workdays.upto(by - ONE_DAY)
        for _ in range(self.count - 1):
            first = self.workdays.upto(first - ONE_DAY)
        return Window(first, last + ONE_DAY, zone, self)


NAMED: dict[str, Callable[[int], WindowRule]] = {
    "yesterday": lambda _: Days(1),
    "last week": Weeks,
    "last month": lambda _: Months(1),
    "last quarter": lambda _: Months(3),
    "last year": lambda _: Months(12),
    "week to date": WeekToDate,
    "month to date": lambda _: ToDate(1),
    "quarter to date": lambda _: ToDate(3),
    "year to date": lambda _: ToDate(12),
}


def window_rule(text: str, *, week_starts: str = "monday", workdays: Workdays | None = None) -> WindowRule:
    """What `last_month`, `28 days` or `5 business days` names. Raises ValueError that tells what is allowed."""
    words = " ".join(re.split(r"[\s_-]+", text.strip().lower()))
    if words in NAMED:
        return NAMED[words](WEEKDAYS.index(week_starts))
    counted = _COUNTED.fullmatch(words)
    if counted and 1 <= int(counted[1]) <= MOST_DAYS:
        count = int(counted[1])
        return BusinessDays(count, workdays or Workdays()) if counted[2] else Days(count)
    raise ValueError(f"'{text}' is not a window; allowed: {', '.join(allowed())}")


def allowed() -> Iterator[str]:
    """The texts that `window:` takes, as examples."""
    yield from (name.replace(" ", "_") for name in NAMED)
    yield from ("28 days", "5 business days")


def ends_on(rule: WindowRule, day: date) -> bool:
    """Is `day` the last day of a window of this kind?"""
    return rule.newest(day + ONE_DAY, "UTC").last_day == day


def week_start(day: date, first: int = 0) -> date:
    """The first day of the week that `day` lies in, where weeks start with weekday `first` (Monday = 0)."""
    return day - timedelta(days=(day.weekday() - first) % 7)


def period_start(day: date, months: int) -> date:
    """The first day of the calendar month (1), quarter (3) or year (12) that `day` lies in."""
    return date(day.year, day.month - (day.month - 1) % months, 1)


def months_later(start: date, months: int) -> date:
    """The first day of the month `months` months after the one that `start` begins."""
    years, month = divmod(start.month - 1 + months, 12)
    return date(start.year + years, month + 1, 1)


def _whole_months(start: date, end: date) -> tuple[int, int]:
    """Whole months and further days from the first day of a month to `end` (not included)."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months, end.day - 1
