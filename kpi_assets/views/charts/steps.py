"""The step of a time series: one value per hour, day, week, month... and where each step begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import gcd
from typing import Literal

Unit = Literal["minute", "hour", "day", "week", "month", "year"]


@dataclass(frozen=True)
class Step:
    """`count` units long; `anchor` is one beginning, in wall-clock time, from which the others are counted."""

    unit: Unit
    count: int
    anchor: datetime

    @property
    def whole_days(self) -> bool:
        return self.unit in {"day", "week", "month", "year"}

    @property
    def words(self) -> str:
        """`a day`, as in "44 a day"; empty where it would be clumsy."""
        names = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month", "year": "a year"}
        return names.get(self.unit, "") if self.count == 1 else "a quarter" if self._quarter else ""

    @property
    def _quarter(self) -> bool:
        return self.unit == "month" and self.count == 3

    def floor(self, moment: datetime) -> datetime:
        """The beginning of the step that `moment` (wall-clock time) lies in."""
        if self.unit in {"month", "year"}:
            months = self.count * (12 if self.unit == "year" else 1)
            since = (moment.year - self.anchor.year) * 12 + moment.month - self.anchor.month
            return _month(self.anchor, since // months * months)
        length = self._length
        return self.anchor + (moment - self.anchor) // length * length

    def next(self, moment: datetime) -> datetime:
        """The beginning of the step after the one that begins at `moment`."""
        if self.unit in {"month", "year"}:
            return _month(moment, self.count * (12 if self.unit == "year" else 1))
        return moment + self._length

    @property
    def _length(self) -> timedelta:
        if self.unit == "minute":
            return timedelta(minutes=self.count)
        if self.unit == "hour":
            return timedelta(hours=self.count)
        return timedelta(days=self.count * (7 if self.unit == "week" else 1))

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """Beginnings of all steps that overlap the half-open span."""
        found: list[datetime] = []
        at = self.floor(start)
        while at < end:
            found.append(at)
            at = self.next(at)
        return found


def infer_step(moments: Sequence[datetime]) -> Step | None:
    """The largest step on which all moments (wall-clock, sorted, distinct) begin; None where they follow no rhythm."""
    if not moments:
        return None
    first = moments[0]
    if all(m.hour == m.minute == m.second == m.microsecond == 0 for m in moments):
        return _date_step([m.date() for m in moments], first)
    if any(m.second or m.microsecond for m in moments):
        return None
    minutes = 0
    for moment in moments:
        minutes = gcd(minutes, moment.hour * 60 + moment.minute)
    midnight = datetime(first.year, first.month, first.day)
    for unit, length in (("hour", 60), ("minute", 1)):
        for count in (12, 6, 4, 3, 2, 1) if unit == "hour" else (30, 15, 10, 5, 1):
            if minutes % (length * count) == 0:
                return Step(unit, count if len(moments) > 2 or count == 1 else 1, midnight)  # type: ignore[arg-type]
    return None


def _date_step(days: list[date], first: datetime) -> Step:
    if len(days) < 2:
        return Step("day", 1, first)
    if all(day.day == 1 for day in days):
        months = 0
        for day in days[1:]:
            months = gcd(months, (day.year - first.year) * 12 + day.month - first.month)
        return (
            Step("year", 1, first) if months % 12 == 0 else Step("month", 3 if months % 3 == 0 else 1, first)
        )
    gaps = [(b - a).days for a, b in zip(days, days[1:], strict=False)]
    if len(days) >= 3 and all(gap % 7 == 0 for gap in gaps):
        return Step("week", 1, first)
    return Step("day", 1, first)


def _month(moment: datetime, ahead: int) -> datetime:
    months = moment.year * 12 + moment.month - 1 + ahead
    return moment.replace(year=months // 12, month=months % 12 + 1, day=1)
