"""The step of a time series: one value per hour, day, week, month... and where each step begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["minute", "hour", "day", "week", "month", "year"]


@dataclass(frozen=True)
class Step:
    """`count` units long; `anchor` is one beginning, in wall-clock time, from which the others are counted.

    `dense`: most values stand one step apart. Where they do not (one value a week on a grid of days), nobody may say
    of a value that it is "a day".
    """

    unit: Unit
    count: int
    anchor: datetime
    dense: bool = False

    @property
    def whole_days(self) -> bool:
        return self.unit in {"day", "week", "month", "year"}

    @property
    def words(self) -> str:
        """`a day`, as in "44 a day"; empty where it would be clumsy, or wrong."""
        if not self.dense:
            return ""
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
        """The beginning of the step after the one that begins at `moment`, which may be some microseconds late."""
        if self.unit in {"month", "year"}:
            return _month(moment, self.count * (12 if self.unit == "year" else 1))
        return moment.replace(microsecond=0) + self._length

    @property
    def _length(self) -> timedelta:
        if self.unit == "minute":
            return timedelta(minutes=self.count)
        if self.unit == "hour":
            return timedelta(hours=self.count)
        return timedelta(days=self.count * (7 if self.unit == "week" else 1))

    def how_many(self, start: datetime, end: datetime) -> int:
        """About how many steps the span holds."""
        return int((end - start) / (self.next(self.anchor) - self.anchor)) + 1

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """Beginnings of all steps that overlap the half-open span."""
        found: list[datetime] = []
        at = self.floor(start)
        while at < end:
            found.append(at)
            at = self.next(at)
        return found


MINUTE = 60_000_000_000
DAY = 1440 * MINUTE
COUNTS: tuple[tuple[Unit, int, tuple[int, ...]], ...] = (
    ("hour", 60, (12, 6, 4, 3, 2, 1)),
    ("minute", 1, (30, 15, 10, 5, 1)),
)


def infer_step(moments: pd.DatetimeIndex) -> Step | None:
    """The largest step on which all moments (wall-clock, sorted, distinct) begin; None where they follow no rhythm."""
    if len(moments) == 0:
        return None
    import numpy as np

    first = moments[0].to_pydatetime()
    nanoseconds = moments.to_numpy(dtype="datetime64[ns]").astype(np.int64)
    if not (nanoseconds % DAY).any():
        return _date_step(moments, first)
    if (nanoseconds % MINUTE).any():
        return None
    minutes = int(np.gcd.reduce(nanoseconds % DAY // MINUTE))
    midnight = datetime(first.year, first.month, first.day)
    for unit, length, counts in COUNTS:
        for count in counts:
            if minutes % (length * count) == 0 and (len(moments) > 2 or count == 1):
                dense = _mostly(np.diff(nanoseconds), length * count * MINUTE)
                return Step(unit, count, midnight, dense)
    return None


def _date_step(days: pd.DatetimeIndex, first: datetime) -> Step:
    import numpy as np

    if len(days) > 1 and (days.day == 1).all():
        apart = np.diff(days.year * 12 + days.month)
        months = int(np.gcd.reduce(apart))
        unit, count = ("year", 1) if months % 12 == 0 else ("month", 3 if months % 3 == 0 else 1)
        return Step(unit, count, first, _mostly(apart, 12 if unit == "year" else count))
    apart = np.diff(days.to_numpy(dtype="datetime64[D]").astype(np.int64))
    if len(days) >= 3 and not (apart % 7).any():
        return Step("week", 1, first, _mostly(apart, 7))
    return Step("day", 1, first, _mostly(apart, 1))


def _mostly(apart: Any, length: int) -> bool:
    """Are at least half of the distances of this length?"""
    return len(apart) > 0 and 2 * int((apart == length).sum()) >= len(apart)


def _month(moment: datetime, ahead: int) -> datetime:
    months = moment.year * 12 + moment.month - 1 + ahead
    return moment.replace(year=months // 12, month=months % 12 + 1, day=1)
