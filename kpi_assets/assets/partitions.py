"""The days that exist as partitions of a report: those on which one of its windows ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import dagster as dg

from kpi_assets.calendar_windows import BusinessDays, Months, Weeks, months_later
from kpi_assets.plan import ReportPlan

Sparse = Weeks | Months | BusinessDays
"""Windows that do not end on every day."""

HORIZON = 30
"""Years after the first day for which single days (public holidays, leap days) are left out."""


def report_partitions(plan: ReportPlan) -> dg.DailyPartitionsDefinition:
    """From `partitions.start` on. A report whose `end_date` is written down has no editions behind it."""
    end = plan.config.end_date
    if isinstance(end, datetime):
        end = None if end.time() != time() else end.date()
    fixed = isinstance(end, date) and end > plan.first_day
    sparse = plan.rule if isinstance(plan.rule, Sparse) else None
    return _partitions(plan.first_day, end if fixed else None, plan.zone, sparse)


@cache
def _partitions(
    start: date, end: date | None, zone: str, sparse: Sparse | None
) -> dg.DailyPartitionsDefinition:
    """Reports that say the same share one object, so that a backfill may span them."""
    left_out = _left_out(sparse, start, zone)
    return dg.DailyPartitionsDefinition(
        start.isoformat(), end and end.isoformat(), timezone=zone, exclusions=left_out or None
    )


def _left_out(sparse: Sparse | None, start: date, zone: str) -> list[str | datetime]:
    """The days on which no window ends, as cron lines and midnights in the zone."""
    match sparse:
        case Weeks(first):
            last = (first - 1) % 7
            return [f"0 0 * * {','.join(str((day + 1) % 7) for day in range(7) if day != last)}"]
        case Months(months):
            leap = [date(year, 2, 28) for year in _years(start) if _days_of(year, 2) == 29]
            return [*_inside_months(months), *(_midnight(day, zone) for day in leap)]
        case BusinessDays(_, workdays):
            free = workdays.free_days(start, date(start.year + HORIZON, 12, 31))
            return [_midnight(day, zone) for day in free]
        case _:
            return []


def _inside_months(months: int) -> Iterator[str]:
    """Cron lines of all days but the last of every period of months; February 28 of leap years is not among them."""
    between = [str(month) for month in range(1, 13) if month % months]
    if between:
        yield f"0 0 * {','.join(between)} *"
    for month in range(months, 13, months):
        yield f"0 0 1-{_days_of(2023, month) - 1} {month} *"


def _days_of(year: int, month: int) -> int:
    return (months_later(date(year, month, 1), 1) - timedelta(days=1)).day


def _years(start: date) -> range:
    return range(start.year, start.year + HORIZON + 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
