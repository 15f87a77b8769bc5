"""The moments at which a range query is evaluated, and the ranges that give exactly those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kpi_assets.contracts import Window

MOST_POINTS = 11_000
"""Per series and range query; Prometheus refuses more."""
DAY = 86_400_000


@dataclass(frozen=True)
class Run:
    """A range query: `count` moments, `step` apart; milliseconds since 1970."""

    first: int
    step: int
    count: int

    @property
    def last(self) -> int:
        """The last moment, which range queries include."""
        return self.first + (self.count - 1) * self.step


def cuts_days(step: int) -> bool:
    """Do whole steps from midnight end at the next one?"""
    return DAY % step == 0


def runs(window: Window, step: int, most: int = MOST_POINTS) -> Iterator[Run]:
    """The ranges to ask for, in order. Every moment of `[start, end)` on the grid lies in exactly one."""
    for run in _merged(_days(window, step)) if cuts_days(step) else _whole(window, step):
        for done in range(0, run.count, most):
            yield Run(run.first + done * step, step, min(most, run.count - done))


def _whole(window: Window, step: int) -> Iterator[Run]:
    first = _instant(window.starts_at)
    yield Run(first, step, -(-(_instant(window.ends_at) - first) // step))


def _days(window: Window, step: int) -> Iterator[Run]:
    """Each day's own grid, from its midnight, so that a day's points are the same whatever range they came in.

    A day of 23 or 25 hours has an hour's worth of points less or more where steps are short; where they are longer
    than that, it has as many as every other day: one with a step of a day.
    """
    for day in window.days:
        one = Window.of_day(day, window.zone)
        first = _instant(one.starts_at)
        length = _instant(one.ends_at) - first
        if length:  # a zone may leave out a whole day
            yield Run(first, step, max(1, round(length / step)))


def _merged(days: Iterator[Run]) -> Iterator[Run]:
    """Neighbours whose grids go on without a break as one."""
    current: Run | None = None
    for day in days:
        if current and day.first == current.last + current.step:
            current = Run(current.first, current.step, current.count + day.count)
            continue
        if current:
            yield current
        current = day
    if current:
        yield current


def _instant(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
