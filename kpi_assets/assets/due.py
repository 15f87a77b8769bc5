"""Which editions are due, and when. Pure: every moment is given, with its zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from dagster._utils.schedules import cron_string_iterator

from kpi_assets.assets.partitions import report_partitions
from kpi_assets.config.models import ScheduleConfig
from kpi_assets.contracts import Window
from kpi_assets.plan import ReportPlan


@dataclass(frozen=True, order=True)
class Due:
    """An edition, and the moment from which it should be made."""

    at: datetime
    window: Window


def newest_edition(plan: ReportPlan, at: datetime) -> Window:
    """The newest window of the report that is whole at this moment: it ends by the start of that day in its zone."""
    return plan.rule.newest(at.astimezone(ZoneInfo(plan.zone)).date(), plan.zone)


def refusal(plan: ReportPlan, window: Window) -> str:
    """Why the report has no such edition; empty where it has."""
    end = report_partitions(plan).end
    if window.last_day < plan.first_day:
        return f"the edition {window.key} lies before partitions.start ({plan.first_day})"
    if end is not None and window.last_day >= end.date():
        return f"the report ends on {end.date()} (end_date): there is no edition {window.key}"
    return ""


def ticks(schedule: ScheduleConfig, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """When the schedule ticks, later than `after` and up to `until`; as Dagster's scheduler counts, DST included."""
    found = cron_string_iterator(after.timestamp(), schedule.cron, schedule.timezone or zone)
    late = (tick.astimezone(UTC) for tick in found if tick > after)
    return takewhile(lambda tick: tick <= until, late)


def due_editions(plan: ReportPlan, after: datetime, until: datetime) -> list[Due]:
    """Editions that became due after one moment and up to another, oldest first, each once.

    By the ticks of the schedule; without one, each at the moment when its window is whole.
    """
    schedule = plan.config.schedule
    if schedule is None:
        found = _whole(plan, after, until)
    else:
        moments = ticks(schedule, plan.zone, after, until)
        found = [Due(moment, newest_edition(plan, moment)) for moment in moments]
    first: dict[Window, Due] = {}
    for due in found:
        if not refusal(plan, due.window):
            first.setdefault(due.window, due)
    return list(first.values())


def _whole(plan: ReportPlan, after: datetime, until: datetime) -> list[Due]:
    newest = newest_edition(plan, until)
    oldest = newest_edition(plan, after).last_day + timedelta(days=1)
    windows = plan.windows(oldest, newest.last_day)
    return [Due(window.ends_at.astimezone(UTC), window) for window in windows]
