"""What Dagster's records say of the runs of a report: which editions, under way or done, and did people get them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import dagster as dg

from kpi_assets.assets import keys
from kpi_assets.assets.windows import (
    BACKFILL_TAG,
    EDITION_TAG,
    NOTIFY_TAG,
    RANGE_END,
    RANGE_START,
    REPORT_TAG,
    WINDOW_TAG,
    run_tags,
)
from kpi_assets.contracts import Window
from kpi_assets.errors import InputError
from kpi_assets.plan import ReportPlan

ASSET_JOB = "__ASSET_JOB"
"""Dagster's own job over all assets of a code location: a job per report would double what a location costs to load."""

PARTITION_TAG = "dagster/partition"
RETRY_TAG = "dagster/will_retry"
STRATEGY_TAG = "dagster/retry_strategy"

CALL_TAG = "kpi_assets/call"
"""The same for all runs of one call of the command line."""

OWNER_TAG = "kpi_assets/owner"
"""`false`: the owner is not told of this run (a dry run, or somebody said so)."""

OUTPUTS_TAG = "kpi_assets/outputs"
"""The outputs of a run of the command line, `board,desk` or `none`: Dagster does not record what such a run selects."""

LOOKED_AT = 25
"""Newest runs of an edition that are looked at."""

State = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class EditionRun:
    """A run of one edition. `delivers`: it makes all outputs and may tell people. Moments in UTC, None before."""

    run_id: str
    state: State
    delivers: bool
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class RunFacts:
    """What a run was about. `incident` is shared by all runs that belong together. `quiet`: nobody is to be told."""

    run_id: str
    incident: str
    editions: tuple[str, ...]
    last_day: date
    delivers: bool
    backfill: str = ""
    quiet: bool = False


def run_request(plan: ReportPlan, window: Window, *, notify: bool) -> dg.RunRequest:
    """Ask for one edition, from the data to the outputs; automatic retries repeat only what failed."""
    tags = {**run_tags(plan, [window], notify=notify), STRATEGY_TAG: "FROM_ASSET_FAILURE"}
    return dg.RunRequest(partition_key=window.key, asset_selection=keys.all_keys(plan), tags=tags)


def runs_of(instance: dg.DagsterInstance, plan: ReportPlan, window: Window) -> list[EditionRun]:
    """The newest runs that make this edition, whoever started them: ours by their tags, the UI's by their partition."""
    wanted: list[dict[str, str]] = [{REPORT_TAG: plan.id, EDITION_TAG: plan.edition(window)}]
    if plan.is_regular(window):
        wanted.append({PARTITION_TAG: window.key})
    found: dict[str, EditionRun] = {}
    for tags in wanted:
        for record in instance.get_run_records(dg.RunsFilter(tags=tags), limit=LOOKED_AT):
            run = record.dagster_run
            if makes_document(run, plan) and (REPORT_TAG in tags or WINDOW_TAG not in run.tags):
                moments = (_moment(record.start_time), _moment(record.end_time))
                found[run.run_id] = EditionRun(run.run_id, state_of(run), delivers(run, plan), *moments)
    return list(found.values())


def reason_against(runs: Sequence[EditionRun], edition: str) -> str:
    """Why another run of an edition would be one too many; empty where it would not."""
    for run in runs:
        if run.delivers and run.state != "failed":
            how = "is under way" if run.state == "running" else "has made and delivered it"
            return f"edition {edition}: run {run.run_id} {how}"
    return ""


def state_of(run: dg.DagsterRun) -> State:
    if not run.is_finished:
        return "running"
    return "done" if run.is_success else "failed"


def is_about(run: dg.DagsterRun, plan: ReportPlan) -> bool:
    """Does the run make anything of this report?"""
    if REPORT_TAG in run.tags:
        return run.tags[REPORT_TAG] == plan.id
    if not run.asset_selection:
        steps = run.step_keys_to_execute or ()
        return run.job_name == ASSET_JOB or any(
            step.startswith(keys.step_name(plan.id, "")) for step in steps
        )
    return any(key.path[0] == plan.id for key in run.asset_selection)


def makes_document(run: dg.DagsterRun, plan: ReportPlan) -> bool:
    """Does the run compose the report's document?"""
    return is_about(run, plan) and _selects(run, [keys.document_key(plan.id)])


def delivers(run: dg.DagsterRun, plan: ReportPlan) -> bool:
    """Does the run make the document and every output, and may it tell people?"""
    named = run.tags.get(OUTPUTS_TAG)
    if named is not None and not set(named.split(",")) >= set(plan.outputs_by_id):
        return False
    wanted = [keys.document_key(plan.id), *(keys.output_key(plan.id, output.id) for output in plan.outputs)]
    return is_about(run, plan) and _selects(run, wanted) and _notifies(run)


def facts_of(run: dg.DagsterRun, plan: ReportPlan) -> RunFacts | None:
    """What the run was about, if it was about editions of this report."""
    windows = _windows(run, plan)
    if not windows or not is_about(run, plan):
        return None
    backfill = run.tags.get(BACKFILL_TAG, "")
    call = run.tags.get(CALL_TAG, "")
    return RunFacts(
        run_id=run.run_id,
        incident=_incident(call, backfill, run.root_run_id or run.run_id),
        editions=_editions(run, plan, windows),
        last_day=windows[-1].last_day,
        delivers=delivers(run, plan),
        backfill=backfill,
        quiet=run.tags.get(OWNER_TAG) == "false",
    )


def _incident(call: str, backfill: str, run: str) -> str:
    if call:
        return f"call {call}"
    return f"backfill {backfill}" if backfill else f"run {run}"


def outputs_tag(outputs: Sequence[str] | None) -> dict[str, str]:
    """The tag of a run that was given the ids of its outputs."""
    return {} if outputs is None else {OUTPUTS_TAG: ",".join(outputs) or "none"}


def call_tags(call: str, *, tells: bool) -> dict[str, str]:
    """Tags of the runs of a call of the command line; without `tells` no sensor tells the owner of them either."""
    return {CALL_TAG: call} if tells else {CALL_TAG: call, OWNER_TAG: "false"}


def call_incident(call: str) -> str:
    """The incident of a call of the command line."""
    return _incident(call, "", "")


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _selects(run: dg.DagsterRun, wanted: Sequence[dg.AssetKey]) -> bool:
    return not run.asset_selection or run.asset_selection >= set(wanted)


def _notifies(run: dg.DagsterRun) -> bool:
    many = RANGE_START in run.tags or BACKFILL_TAG in run.tags
    return run.tags.get(NOTIFY_TAG, "false" if many else "true") == "true"


def _windows(run: dg.DagsterRun, plan: ReportPlan) -> tuple[Window, ...]:
    """The regular windows of the run's partitions; none where it has none."""
    last = run.tags.get(RANGE_END) or run.tags.get(PARTITION_TAG, "")
    first = run.tags.get(RANGE_START) or last
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        return (Window.of_day(end, plan.zone),) if start == end else plan.windows(start, end)
    except (ValueError, InputError):
        return ()


def _editions(run: dg.DagsterRun, plan: ReportPlan, windows: Sequence[Window]) -> tuple[str, ...]:
    if len(windows) == 1:
        return (run.tags.get(EDITION_TAG) or windows[0].key,)
    return tuple(plan.edition(window) for window in windows)
