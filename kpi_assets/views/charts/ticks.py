"""Where an axis is marked, and with which words: few, round, and never touching."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from kpi_assets.style.dates import day_text, month_text, skeleton, weekday_name
from kpi_assets.views.charts.text import text_width

MAX_GRID = 4
HEADROOM = 1.04
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
class TimeTick:
    """A mark on a time axis: the instant, its label's lines, and whether the label starts there or is centred on it."""

    at: datetime
    lines: tuple[str, ...]
    align: Literal["left", "center"] = "left"


def value_axis(low: float, high: float, *, zero: bool, headroom: float = HEADROOM) -> ValueAxis:
    """An axis that holds `low`..`high` with at most four round grid lines; from zero where `zero`, or where it costs little."""
    if zero or (0 <= low <= SQUEEZED * high) or (high <= 0 and high >= SQUEEZED * low):
        low, high = min(low, 0.0), max(high, 0.0)
    if high <= low:
        low, high = (low - abs(low) * 0.1 - 0.5, high + abs(high) * 0.1 + 0.5) if low else (0.0, 1.0)
    step = _step(low, high)
    bottom = 0.0 if low == 0 else math.floor(low / step + 1e-9) * step
    top = high if high == 0 else high + (high - bottom) * (headroom - 1)
    count = math.floor((top - bottom) / step + 1e-9)
    return ValueAxis(bottom, top, tuple(_clean(bottom + i * step) for i in range(count + 1)))


def _step(low: float, high: float) -> float:
    """The least of 1, 2, 5 times a power of ten that needs at most four grid lines."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / MAX_GRID))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first = math.floor(low / step + 1e-9)
        if math.floor(high * (1 + 1e-9) / step + 1e-9) - first + 1 <= MAX_GRID:
            return step
    return 100 * power


def _clean(value: float) -> float:
    return float(f"{value:.12g}") + 0.0


Scale = Callable[[datetime], float]


def time_ticks(
    start: datetime, end: datetime, zone: str, width: float, size: int, locale: str
) -> tuple[TimeTick, ...]:
    """Marks for the half-open span, the densest kind whose labels keep apart over `width` pixels."""
    spread = max((end - start).total_seconds(), 1.0)
    for candidate in _candidates(start, end, ZoneInfo(zone), locale):
        ticks = candidate
        if len(ticks) >= 2 and _fits(ticks, start, spread, width, size):
            return tuple(ticks)
    ends = [TimeTick(start, (day_text(start.astimezone(ZoneInfo(zone)).date(), locale),))]
    return tuple(ends)


def _candidates(start: datetime, end: datetime, zone: ZoneInfo, locale: str) -> list[list[TimeTick]]:
    first = start.astimezone(zone).date()
    last = (end.astimezone(zone) - timedelta(microseconds=1)).date()
    days = (last - first).days + 1
    found: list[list[TimeTick]] = []
    if days <= 3:
        found += [_hours(first, days, zone, step, locale) for step in (1, 2, 3, 6, 12)]
    if days <= 31:
        found += [_day_names(first, days, zone, locale), _day_numbers(first, days, zone, locale)]
    if days <= 70:
        found += [_weeks(first, days, zone, every, locale) for every in (1, 2)]
    if days <= 1100:
        found += [_months(first, last, zone, every, locale) for every in (1, 2, 3, 6)]
    found += [_years(first, last, zone, every) for every in (1, 2, 5, 10, 20, 50, 100)]
    return [[tick for tick in ticks if start <= tick.at < end] for ticks in found]


def _fits(ticks: Sequence[TimeTick], start: datetime, spread: float, width: float, size: int) -> bool:
    edge = -math.inf
    for tick in ticks:
        at = (tick.at - start).total_seconds() / spread * width
        wide = max(text_width(line, size) for line in tick.lines)
        left = at if tick.align == "left" else at - wide / 2
        if left < edge + 6 or left < -wide:
            return False
        edge = left + wide
    return True


def _at(day: date, zone: ZoneInfo, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), zone)


def _noon(day: date, zone: ZoneInfo) -> datetime:
    start, end = _at(day, zone), _at(day + timedelta(days=1), zone)
    return start + (end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC"))) / 2


def _hours(first: date, days: int, zone: ZoneInfo, step: int, locale: str) -> list[TimeTick]:
    found: list[TimeTick] = []
    for day in (first + timedelta(days=i) for i in range(days)):
        for hour in range(0, 24, step):
            named = days > 1 and hour == 0
            lines = (f"{hour:02d}:00", day_text(day, locale)) if named else (f"{hour:02d}:00",)
            found.append(TimeTick(_at(day, zone, hour), lines))
    return found


def _day_names(first: date, days: int, zone: ZoneInfo, locale: str) -> list[TimeTick]:
    """`Mon` over `Nov 18`, centred on the day; only where there are few."""
    if days > 10:
        return []
    every = [first + timedelta(days=i) for i in range(days)]
    return [
        TimeTick(_noon(day, zone), (weekday_name(day, locale), day_text(day, locale)), "center")
        for day in every
    ]


def _day_numbers(first: date, days: int, zone: ZoneInfo, locale: str) -> list[TimeTick]:
    """`18` under each day, with the month's name where it begins."""
    found: list[TimeTick] = []
    for i in range(days):
        day = first + timedelta(days=i)
        month = month_text(day, locale) if i == 0 or day.day == 1 else ""
        found.append(TimeTick(_noon(day, zone), (skeleton(day, "d", locale), month), "center"))
    return found


def _weeks(first: date, days: int, zone: ZoneInfo, every: int, locale: str) -> list[TimeTick]:
    monday = first + timedelta(days=(-first.weekday()) % 7)
    count = max(0, (days - (monday - first).days + 6) // 7)
    mondays = [monday + timedelta(weeks=i) for i in range(0, count, every)]
    return [TimeTick(_at(day, zone), (day_text(day, locale),)) for day in mondays]


def _months(first: date, last: date, zone: ZoneInfo, every: int, locale: str) -> list[TimeTick]:
    found: list[TimeTick] = []
    year, month = first.year, first.month
    crosses = first.year != last.year
    while date(year, month, 1) <= last:
        day = date(year, month, 1)
        if (month - 1) % every == 0 and day >= first:
            named = crosses and (not found or month <= every)
            lines = (month_text(day, locale), str(year)) if named else (month_text(day, locale),)
            found.append(TimeTick(_at(day, zone), lines))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _years(first: date, last: date, zone: ZoneInfo, every: int) -> list[TimeTick]:
    years = [year for year in range(first.year, last.year + 1) if year % every == 0]
    return [TimeTick(_at(date(year, 1, 1), zone), (str(year),)) for year in years]
