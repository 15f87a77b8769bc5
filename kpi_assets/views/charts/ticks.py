"""Where an axis is marked, and with which words: few, round, and never touching."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from kpi_assets.style.dates import day_text, month_text, skeleton, weekday_name
from kpi_assets.views.charts.text import text_width

MAX_GRID = 4
HEADROOM = 1.04
TINY = 1e-250
SQUEEZED = 0.75
"""A line whose lowest value is above this share of its highest would be squeezed by an axis from zero."""


@dataclass(frozen=True)
class ValueAxis:
    """Bounds of a value axis and its grid lines."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def within(self, low: float | None, high: float | None) -> ValueAxis:
        """The axis with fixed ends; marks outside them go."""
        if low is None and high is None:
            return self
        bottom = self.low if low is None else low
        top = self.high if high is None else high
        if top <= bottom:
            return self
        step = _step(bottom, top)
        first = math.ceil(bottom / step - 1e-9)
        count = math.floor(top / step + 1e-9) - first + 1
        return ValueAxis(bottom, top, tuple(_clean((first + i) * step) for i in range(count)))


@dataclass(frozen=True)
class Calendar:
    """Whose days and whose words: an IANA zone and a locale."""

    zone_name: str
    locale: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_name)


@dataclass(frozen=True)
class TimeTick:
    """A mark on a time axis: the instant, its label's lines, and whether the label starts there or is centred on it."""

    at: datetime
    lines: tuple[str, ...]
    align: Literal["left", "center"] = "left"


def value_axis(
    low: float, high: float, *, zero: bool, headroom: float = HEADROOM, squeezed: float = SQUEEZED
) -> ValueAxis:
    """An axis that holds `low`..`high` with at most four round grid lines.

    It begins at zero with `zero`, and where the lowest value is below the share `squeezed` of the highest.
    """
    if zero or low == high or (0 <= low <= squeezed * high) or (high <= 0 and high >= squeezed * low):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < TINY:
        low, high = (low - abs(low) * 0.1 - 0.5, high + abs(high) * 0.1 + 0.5) if low else (0.0, 1.0)
    step = _step(low, high)
    bottom = 0.0 if low == 0 else math.floor(low / step + 1e-9) * step
    top = high if high == 0 else high + (high - bottom) * (headroom - 1)
    count = math.floor((high - bottom) / step + 1e-9)
    return ValueAxis(bottom, top, tuple(_clean(bottom + i * step) for i in range(count + 1)))


def _step(low: float, high: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that needs at most four grid lines; never 2.5 itself."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / MAX_GRID))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = factor * power
        if math.isclose(step, 2.5):
            continue
        first = math.floor(low / step + 1e-9)
        if math.floor(high / step + 1e-9) - first + 1 <= MAX_GRID:
            return step
    return 100 * power


def _clean(value: float) -> float:
    return float(f"{value:.12g}") + 0.0


def time_ticks(
    start: datetime, end: datetime, calendar: Calendar, *, width: float, size: int
) -> tuple[TimeTick, ...]:
    """Marks for the half-open span, the densest kind whose labels keep apart over `width` pixels."""
    for ticks in _candidates(start, end, calendar):
        if len(ticks) >= 2 and _fits(ticks, (start, end), width, size):
            return tuple(ticks)
    return (TimeTick(start, (day_text(start.astimezone(calendar.zone).date(), calendar.locale),)),)


def _candidates(start: datetime, end: datetime, calendar: Calendar) -> list[list[TimeTick]]:
    first = start.astimezone(calendar.zone).date()
    last = (end.astimezone(calendar.zone) - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    found: list[list[TimeTick]] = []
    if len(days) <= 3:
        found += [_hours(days, calendar, step) for step in (1, 2, 3, 6, 12)]
    if len(days) <= 10:
        found += [_day_names(days, calendar, full=full) for full in (True, False)]
        found += [_day_names(days, calendar, full=False)[::every] for every in (2, 3, max(len(days) - 1, 1))]
    if len(days) <= 31:
        found.append(_day_numbers(days, calendar))
    if len(days) <= 70:
        found += [_weeks(days, calendar, every) for every in (1, 2)]
    if len(days) <= 1100:
        found += [_months(days, calendar, every) for every in (1, 2, 3, 6)]
    found += [_years(days, calendar, every) for every in (1, 2, 5, 10, 20, 50, 100)]
    return [[tick for tick in ticks if start <= tick.at < end or _closes(tick, end)] for ticks in found]


def _closes(tick: TimeTick, end: datetime) -> bool:
    """Does a span end in the middle of a day, as stacks do, whose name belongs there?"""
    return tick.align == "center" and tick.at == end


def _fits(ticks: Sequence[TimeTick], span: tuple[datetime, datetime], width: float, size: int) -> bool:
    edge = -math.inf
    for tick in ticks:
        at = (tick.at - span[0]) / (span[1] - span[0]) * width
        wide = max(text_width(line, size) for line in tick.lines)
        left = at if tick.align == "left" else at - wide / 2
        if left < edge + 6:
            return False
        edge = left + wide
    return True


def _at(day: date, zone: ZoneInfo, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), zone)


def _noon(day: date, zone: ZoneInfo) -> datetime:
    start, end = _at(day, zone), _at(day + timedelta(days=1), zone)
    return start + (end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC"))) / 2


def _hours(days: list[date], calendar: Calendar, step: int) -> list[TimeTick]:
    found: list[TimeTick] = []
    for day in days:
        for hour in range(0, 24, step):
            named = len(days) > 1 and hour == 0
            clock = f"{hour:02d}:00"
            lines = (clock, day_text(day, calendar.locale)) if named else (clock,)
            found.append(TimeTick(_at(day, calendar.zone, hour), lines))
    return found


def _day_names(days: list[date], calendar: Calendar, *, full: bool) -> list[TimeTick]:
    """`Mon` over `Nov 18` (or only `18`), centred on the day."""
    found: list[TimeTick] = []
    for day in days:
        below = day_text(day, calendar.locale) if full else skeleton(day, "d", calendar.locale)
        found.append(
            TimeTick(_noon(day, calendar.zone), (weekday_name(day, calendar.locale), below), "center")
        )
    return found


def _day_numbers(days: list[date], calendar: Calendar) -> list[TimeTick]:
    """`18` under each day, with the month's name where it begins."""
    found: list[TimeTick] = []
    for i, day in enumerate(days):
        number = skeleton(day, "d", calendar.locale)
        named = i == 0 or day.day == 1
        lines = (number, month_text(day, calendar.locale)) if named else (number,)
        found.append(TimeTick(_noon(day, calendar.zone), lines, "center"))
    return found


def _weeks(days: list[date], calendar: Calendar, every: int) -> list[TimeTick]:
    mondays = [day for day in days if day.weekday() == 0][::every]
    return [TimeTick(_at(day, calendar.zone), (day_text(day, calendar.locale),)) for day in mondays]


def _months(days: list[date], calendar: Calendar, every: int) -> list[TimeTick]:
    """Months, the year beneath the first of each year where there are several."""
    firsts = [day for day in days if day.day == 1 and (day.month - 1) % every == 0]
    crosses = days[0].year != days[-1].year
    found: list[TimeTick] = []
    for i, day in enumerate(firsts):
        named = crosses and (i == 0 or firsts[i - 1].year != day.year)
        name = month_text(day, calendar.locale)
        found.append(TimeTick(_at(day, calendar.zone), (name, str(day.year)) if named else (name,)))
    return found


def _years(days: list[date], calendar: Calendar, every: int) -> list[TimeTick]:
    years = [year for year in range(days[0].year, days[-1].year + 1) if year % every == 0]
    return [TimeTick(_at(date(year, 1, 1), calendar.zone), (str(year),)) for year in years]
