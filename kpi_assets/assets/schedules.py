"""A report's `schedule:` as a Dagster schedule.

No `from __future__ import annotations` here: Dagster reads the annotation of `context`.
"""

from datetime import datetime

import dagster as dg

from kpi_assets.assets.automation import schedule_status
from kpi_assets.assets.due import newest_edition, refusal
from kpi_assets.assets.runs import ASSET_JOB, reason_against, run_request, runs_of
from kpi_assets.plan import ReportPlan


def schedule_name(report: str) -> str:
    return f"{report}__schedule"


def report_schedule(plan: ReportPlan) -> dg.ScheduleDefinition | None:
    """The schedule of a report: each tick makes the newest edition that is whole then. None without `schedule:`.

    Reports that wait for their sources (`upstream: true`) have none: the sensor keeps to the schedule's times.
    """
    schedule = plan.config.schedule
    if schedule is None or plan.config.upstream:
        return None

    @dg.schedule(
        name=schedule_name(plan.id),
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone or plan.zone,
        job_name=ASSET_JOB,
        default_status=schedule_status(schedule.enabled),
        description=f"Makes and delivers the newest edition of {plan.id} ({plan.rule.name}, {plan.zone}).",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return at_tick(plan, context.instance, context.scheduled_execution_time)

    return tick


def at_tick(plan: ReportPlan, instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest | dg.SkipReason:
    """What a tick asks for; nothing where the edition does not exist, or a run of it is under way or done."""
    window = newest_edition(plan, at)
    against = refusal(plan, window) or reason_against(runs_of(instance, plan, window), plan.edition(window))
    return dg.SkipReason(against) if against else run_request(plan, window, notify=True)
