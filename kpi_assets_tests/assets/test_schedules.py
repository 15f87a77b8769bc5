"""Schedules: which edition a tick makes, on every kind of day; and that it makes each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from kpi_assets.assets import keys
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.due import due_editions, newest_edition, ticks
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.run import QUIET, materialize_editions
from kpi_assets.assets.runs import ASSET_JOB, run_request, runs_of
from kpi_assets.assets.windows import select
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import Bell, Desk, make_plan

BERLIN = ZoneInfo("Europe/Berlin")


def plan_in(folder: Path, zone: str = "Europe/Berlin", cron: str = "0 6 * * 1", **more: Any) -> ReportPlan:
    schedule: Mapping[str, Any] = {"cron": cron, **more}
    plan = make_plan(folder, outputs={"desk": Desk, "bell": Bell}, config={"schedule": schedule})
    return replace(plan, zone=zone)


def asked(plan: ReportPlan, instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest | str:
    """What the schedule asks for at a tick, evaluated as Dagster does it; why not, where it asks for nothing."""
    repository = build_definitions([plan]).get_repository_def()
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=repository
    )
    found = repository.get_schedule_def(f"{plan.id}__schedule").evaluate_tick(context)
    return found.run_requests[0] if found.run_requests else str(found.skip_message)


def run(plan: ReportPlan, instance: dg.DagsterInstance, request: dg.RunRequest, home: Path) -> str:
    """Do what was asked for, as Dagster's daemon does; the id of the run."""
    job = build_definitions(
        [plan], home=KpiAssetsResource(home=str(home))
    ).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=request.asset_selection,
        partition_key=request.partition_key,
        tags=dict(request.tags),
        run_config=QUIET,
        raise_on_error=False,
    )
    return result.run_id


def test_a_tick_makes_the_newest_whole_edition(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    """Monday's tick asks for one run of Sunday's edition: all assets, people told, the window as YAML says."""
    plan = plan_in(tmp_path)
    request = asked(plan, kept, datetime(2024, 11, 25, 6, tzinfo=BERLIN))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-11-24"
    assert request.asset_selection == keys.all_keys(plan)
    chosen = select(plan, ["2024-11-24"], request.tags)
    assert (chosen.windows, chosen.notify) == ((plan.window("2024-11-24"),), True)
    assert chosen.windows[0].length == 7


@pytest.mark.parametrize(
    ("cron", "zone", "at", "edition"),
    [
        ("30 2 * * *", "Europe/Berlin", datetime(2024, 3, 31, 3, 0, tzinfo=BERLIN), "2024-03-30"),
        ("30 2 * * *", "Europe/Berlin", datetime(2024, 4, 1, 2, 30, tzinfo=BERLIN), "2024-03-31"),
        ("30 2 * * *", "Europe/Berlin", datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), "2024-10-26"),
        ("30 2 * * *", "Europe/Berlin", datetime(2024, 10, 28, 2, 30, tzinfo=BERLIN), "2024-10-27"),
        ("0 6 1 * *", "Europe/Berlin", datetime(2024, 12, 1, 6, tzinfo=BERLIN), "2024-11-30"),
        ("0 6 1 * *", "Europe/Berlin", datetime(2024, 3, 1, 6, tzinfo=BERLIN), "2024-02-29"),
        ("0 6 * * *", "Europe/Berlin", datetime(2025, 3, 1, 6, tzinfo=BERLIN), "2025-02-28"),
        ("0 22 * * *", "Asia/Tokyo", datetime(2024, 11, 24, 22, tzinfo=UTC), "2024-11-24"),
        ("0 1 * * *", "America/New_York", datetime(2024, 11, 25, 1, tzinfo=UTC), "2024-11-23"),
    ],
)
def test_the_edition_of_a_tick(
    tmp_path: Path, kept: dg.DagsterInstance, cron: str, zone: str, at: datetime, edition: str
) -> None:
    """The day before the tick in the report's zone: on DST days, at month ends, a leap day, in other zones."""
    request = asked(plan_in(tmp_path, zone, cron), kept, at)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == edition


def test_half_past_two_ticks_once_on_both_dst_days(tmp_path: Path) -> None:
    """In a year of 02:30 in Berlin every day has one tick and one edition, none is left out and none comes twice."""
    plan = plan_in(tmp_path, cron="30 2 * * *")
    start, end = datetime(2024, 1, 1, 12, tzinfo=BERLIN), datetime(2025, 1, 1, 12, tzinfo=BERLIN)
    schedule = plan.config.schedule
    assert schedule
    moments = [moment.astimezone(BERLIN) for moment in ticks(schedule, plan.zone, start, end)]
    assert len(moments) == 366
    assert len({moment.date() for moment in moments}) == 366
    odd = {f"{moment:%m-%d %H:%M %z}" for moment in moments if (moment.hour, moment.minute) != (2, 30)}
    assert odd == {"03-31 03:00 +0200"}
    assert [f"{m:%z}" for m in moments if (m.month, m.day) == (10, 27)] == ["+0100"]
    due = due_editions(plan, start, end)
    days = [edition.window.last_day for edition in due]
    assert days == [days[0] + timedelta(days=n) for n in range(366)]


def test_ticks_have_a_zone_of_their_own(tmp_path: Path) -> None:
    """`schedule.timezone` decides when it ticks, the report's zone which day that is; without it both are the same."""
    plan = plan_in(tmp_path, "Asia/Tokyo", "0 20 * * *", timezone="America/New_York")
    definition = build_definitions([plan]).get_repository_def().get_schedule_def("weekly__schedule")
    assert (definition.cron_schedule, definition.execution_timezone) == ("0 20 * * *", "America/New_York")
    at = datetime(2024, 11, 24, 20, tzinfo=ZoneInfo("America/New_York"))
    assert newest_edition(plan, at).key == "2024-11-24"
    same = build_definitions([plan_in(tmp_path)]).get_repository_def().get_schedule_def("weekly__schedule")
    assert same.execution_timezone == "Europe/Berlin"


@pytest.mark.parametrize(("enabled", "status"), [(True, "RUNNING"), (False, "STOPPED")])
def test_schedules_are_on_unless_yaml_says_otherwise(tmp_path: Path, enabled: bool, status: str) -> None:
    """Who writes `schedule:` gets one that runs; `enabled: false` leaves it off, and the catch-up with it."""
    repository = build_definitions([plan_in(tmp_path, enabled=enabled)]).get_repository_def()
    assert repository.get_schedule_def("weekly__schedule").default_status.value == status
    assert repository.get_sensor_def("weekly__catch_up").default_status.value == status


def test_schedules_cost_no_job(tmp_path: Path) -> None:
    """Everything runs in Dagster's own job over all assets, which exists under the name we use."""
    repository = build_definitions([plan_in(tmp_path)]).get_repository_def()
    assert [job.name for job in repository.get_all_jobs()] == [ASSET_JOB]


def test_no_edition_outside_the_reports_days(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    """Before partitions.start, and after a written end_date, a tick is skipped with the reason."""
    plan = plan_in(tmp_path)
    assert "partitions.start" in str(asked(plan, kept, datetime(2024, 1, 1, 6, tzinfo=BERLIN)))
    config = plan.config.model_copy(update={"end_date": datetime(2024, 11, 25).date()})
    ended = replace(plan, config=config)
    assert "end_date" in str(asked(ended, kept, datetime(2024, 12, 2, 6, tzinfo=BERLIN)))
    assert isinstance(asked(ended, kept, datetime(2024, 11, 25, 6, tzinfo=BERLIN)), dg.RunRequest)


def test_an_edition_that_is_done_is_not_asked_for_again(
    tmp_path: Path, home: Path, kept: dg.DagsterInstance
) -> None:
    """A dry run, a run that told nobody or one that failed do not keep a tick from its edition; a whole run does."""
    plan = plan_in(tmp_path)
    at = datetime(2024, 11, 25, 6, tzinfo=BERLIN)
    window = plan.window("2024-11-24")
    assert materialize_editions(plan, [window], home=home, outputs=(), environ={}).success
    run(plan, kept, run_request(plan, window, notify=False), home)
    broken = replace(
        plan, outputs=tuple(replace(o, raw_args={**o.raw_args, "fail": True}) for o in plan.outputs)
    )
    run(broken, kept, run_request(plan, window, notify=True), home)
    request = asked(plan, kept, at)
    assert isinstance(request, dg.RunRequest)
    states = {(run.state, run.delivers) for run in runs_of(kept, plan, window)}
    assert states == {("done", False), ("failed", True)}

    done = run(plan, kept, request, home)
    assert asked(plan, kept, at) == f"edition 2024-11-24: run {done} has made and delivered it"
    assert isinstance(asked(plan, kept, datetime(2024, 12, 2, 6, tzinfo=BERLIN)), dg.RunRequest)


def test_whoever_started_it_a_run_counts(tmp_path: Path, home: Path, kept: dg.DagsterInstance) -> None:
    """From the UI it has only a partition's tag, from the command line no selection: both make the edition."""
    plan = plan_in(tmp_path, "UTC")
    first, second, third = (plan.window(f"2024-11-{day}") for day in (22, 23, 24))
    run(plan, kept, replace_tags(run_request(plan, first, notify=True), {}), home)
    other = {"kpi_assets/window": "2024-11-22/2024-11-24"}
    run(plan, kept, replace_tags(run_request(plan, second, notify=True), other), home)
    assert materialize_editions(plan, [third], home=home, environ={}).success
    found = [[(run.state, run.delivers) for run in runs_of(kept, plan, w)] for w in (first, second, third)]
    assert found == [[("done", True)], [], [("done", True)]]


def replace_tags(request: dg.RunRequest, tags: Mapping[str, str]) -> dg.RunRequest:
    return dg.RunRequest(
        partition_key=request.partition_key, asset_selection=request.asset_selection, tags=dict(tags)
    )
