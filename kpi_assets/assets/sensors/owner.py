"""Owners are told of failures: once per run or backfill, with its link, what failed and why; and once when all is well.

One sensor for a code location. It reads the runs that ended since it last looked, at most `FRESH` old: switched off for
a week and on again it tells nobody of last week.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg

from kpi_assets.assets import specs
from kpi_assets.assets.automation import sensor_status
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.runs import RETRY_TAG, facts_of
from kpi_assets.assets.sensors.base import Clock, utc_now
from kpi_assets.assets.stage import FAILING
from kpi_assets.errors import KpiAssetsError
from kpi_assets.ledger.notices import Kind
from kpi_assets.owner import Fault, Incident, run_link, tell_owner
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session, open_session

log = logging.getLogger("kpi_assets")

NAME = "kpi_assets__owners"
SECONDS = 30
FRESH = timedelta(hours=6)
"""What ended longer ago is no news any more."""

AT_ONCE = 50
"""Runs that are read in one look; the others are read in the next."""

MOST_AGAIN = 50


class OpenSession(Protocol):
    """How a session of a report is opened."""

    def __call__(self, plan: ReportPlan) -> AbstractContextManager[Session]: ...


@dataclass(frozen=True)
class OwnerCursor:
    """Up to when runs were read, and the runs whose owner could not be told and is told again."""

    until: datetime
    again: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> "OwnerCursor | None":
        if not text:
            return None
        found = json.loads(text)
        return cls(datetime.fromisoformat(found["until"]), tuple(found["again"]))

    def __str__(self) -> str:
        return json.dumps({"until": self.until.isoformat(), "again": self.again})


@dataclass(frozen=True)
class Look:
    """What one look of the sensor did: sentences for its log, and where it goes on."""

    cursor: OwnerCursor
    told: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def look_at_runs(
    plans: Sequence[ReportPlan],
    instance: dg.DagsterInstance,
    cursor: OwnerCursor | None,
    *,
    now: datetime,
    base_url: str,
    session: OpenSession,
) -> Look:
    """Tell the owners of what happened since the cursor; the first look only remembers when it was."""
    if cursor is None:
        return Look(OwnerCursor(now))
    since = max(cursor.until, now - FRESH)
    told, troubles, again, until = list[str](), list[str](), list[str](), since
    for record in _records(instance, cursor.again, since):
        run, fresh = record.dagster_run, record.update_timestamp >= now - FRESH
        until = max(until, record.update_timestamp)
        for plan in plans if fresh else ():
            incident = incident_of(instance, run, plan, base_url)
            if incident:
                said, trouble = _tell(session, plan, incident)
                told += [said] if said else []
                if trouble:
                    troubles.append(trouble)
                    again.append(run.run_id)
    return Look(OwnerCursor(until, tuple(dict.fromkeys(again))[-MOST_AGAIN:]), tuple(told), tuple(troubles))


def _records(instance: dg.DagsterInstance, again: Sequence[str], since: datetime) -> Iterator[dg.RunRecord]:
    """The runs to tell of again, then those that ended later than `since`, oldest first."""
    if again:
        yield from instance.get_run_records(dg.RunsFilter(run_ids=list(again)))
    ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
    wanted = dg.RunsFilter(statuses=ended, updated_after=since)
    for record in instance.get_run_records(
        wanted, limit=AT_ONCE, order_by="update_timestamp", ascending=True
    ):
        if record.dagster_run.run_id not in again:
            yield record


def _tell(session: OpenSession, plan: ReportPlan, incident: Incident) -> tuple[str, str]:
    """(what was said, why nothing could be said): one of them, or neither."""
    try:
        with session(plan) as opened:
            return tell_owner(opened, incident), ""
    except KpiAssetsError as error:
        return "", f"the owner of {plan.id} could not be told of run {incident.run_id}: {error}"


# ---------------------------------------------------------------- runs -> incidents


def incident_of(
    instance: dg.DagsterInstance, run: dg.DagsterRun, plan: ReportPlan, base_url: str
) -> Incident | None:
    """What the owner of this report should know of a run that ended; None for nothing.

    A run that Dagster will repeat by itself is not told: its last try is.
    """
    facts = facts_of(run, plan)
    if facts is None or facts.quiet or run.tags.get(RETRY_TAG) == "true":
        return None
    kind, faults = _outcome(instance, run, plan)
    if (kind == "failed" and not faults) or (kind == "recovered" and not facts.delivers):
        return None
    return Incident(
        id=facts.incident,
        kind=kind,
        editions=facts.editions,
        last_day=facts.last_day,
        faults=tuple(faults),
        run_id=facts.run_id,
        backfill=facts.backfill,
        link=run_link(base_url, run.run_id),
    )


def _outcome(instance: dg.DagsterInstance, run: dg.DagsterRun, plan: ReportPlan) -> tuple[Kind, list[Fault]]:
    if run.status == dg.DagsterRunStatus.FAILURE:
        return "failed", _faults(instance, run, plan)
    left_out = list(_placeholders(instance, run, plan))
    return ("incomplete", left_out) if left_out else ("recovered", [])


def _faults(instance: dg.DagsterInstance, run: dg.DagsterRun, plan: ReportPlan) -> list[Fault]:
    """What failed of this report; nothing where only steps of other reports did."""
    failures = list(_events(instance, run, dg.DagsterEventType.STEP_FAILURE))
    if not failures:
        text = "the run did not start, or its process died; look at the run, and start it again when that is mended"
        return [Fault(text)]
    return [_fault(event) for event in failures if (event.step_key or "").startswith(f"{plan.id}__")]


def _fault(event: dg.DagsterEvent) -> Fault:
    """The words of our own errors; of others only the kind, since their text may hold anything."""
    data = event.step_failure_data
    ours = data.user_failure_data
    if ours is not None and FAILING in ours.metadata:
        return Fault(ours.description or "", str(ours.metadata[FAILING].value))
    error = data.error.cause or data.error if data.error else None
    kind = error.cls_name if error else "unknown"
    return Fault(f"step {event.step_key} ended with an unexpected error ({kind}): look at the run's log")


def _placeholders(instance: dg.DagsterInstance, run: dg.DagsterRun, plan: ReportPlan) -> Iterator[Fault]:
    """What could not be made under `on_view_error: placeholder`."""
    if plan.config.on_view_error != "placeholder":
        return
    for event in _events(instance, run, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = event.asset_check_evaluation_data
        mine = check.asset_key.path[0] == plan.id and check.check_name in (specs.ANSWERED, specs.RENDERED)
        if mine and not check.passed:
            yield Fault(check.description or "it could not be made", check.asset_key.to_user_string())


def _events(
    instance: dg.DagsterInstance, run: dg.DagsterRun, kind: dg.DagsterEventType
) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
        if record.event_log_entry.dagster_event:
            yield record.event_log_entry.dagster_event


# ---------------------------------------------------------------- the sensor


def owner_sensor(
    plans: Sequence[ReportPlan],
    home: KpiAssetsResource,
    base_url: str,
    clock: Clock = utc_now,
    *,
    name: str = NAME,
) -> dg.SensorDefinition | None:
    """The sensor of a code location; None where no report has an owner who can be told. On by default."""
    owned = [plan for plan in plans if plan.owner_output]
    if not owned:
        return None

    @dg.sensor(
        name=name,
        minimum_interval_seconds=SECONDS,
        default_status=sensor_status(),
        description=f"Tells the owners of {', '.join(plan.id for plan in owned)} of failures and recoveries.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        look = look_at_runs(
            owned,
            context.instance,
            OwnerCursor.read(context.cursor),
            now=clock().astimezone(UTC),
            base_url=base_url,
            session=lambda plan: open_session(plan, home.folder, clock=clock),
        )
        for trouble in look.troubles:
            context.log.error(trouble)
        said = "; ".join([*look.told, *look.troubles]) or "no news"
        return dg.SensorResult(skip_reason=said, cursor=str(look.cursor))

    return sense
