"""Catch-up: after an outage the missed editions are made, and people get as many of them as `catch_up:` says.

Missed is an edition whose tick came while the sensor was there to see it, and that has no good run. What was due before
the sensor was first switched on, or while the schedule was switched off, is not missed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from kpi_assets.assets.automation import sensor_status
from kpi_assets.assets.due import Due, due_editions
from kpi_assets.assets.runs import ASSET_JOB, EditionRun, run_request, runs_of
from kpi_assets.assets.schedules import schedule_name
from kpi_assets.assets.sensors.base import Clock, utc_now
from kpi_assets.contracts import Window
from kpi_assets.plan import ReportPlan

SECONDS = 60
GRACE = timedelta(minutes=10)
"""How long the schedule itself has, before an edition counts as missed."""

ABSENCE = timedelta(minutes=5)
"""A sensor that was away for longer leaves the schedule one turn first: it makes the newest edition by itself."""

FURTHEST = timedelta(days=31)
AT_ONCE = 5
"""Editions that are under way for catch-up at the same time, of one report."""

TRIES = 3
RETRY_AFTER = timedelta(hours=1)
"""A run that failed is repeated after this, then after twice as long."""

RunsOf = Callable[[Window], Sequence[EditionRun]]


@dataclass(frozen=True)
class CatchUpCursor:
    """Up to when every edition is settled, and when the sensor last looked."""

    settled: datetime
    looked: datetime

    @classmethod
    def read(cls, text: str | None) -> "CatchUpCursor | None":
        if not text:
            return None
        found = json.loads(text)
        return cls(*(datetime.fromisoformat(found[name]) for name in ("settled", "looked")))

    def __str__(self) -> str:
        return json.dumps({"settled": self.settled.isoformat(), "looked": self.looked.isoformat()})


@dataclass(frozen=True)
class CatchUp:
    """What to do now: editions to make, oldest first, each with whether people get it."""

    cursor: CatchUpCursor
    editions: tuple[tuple[Window, bool], ...] = ()
    reason: str = ""


@dataclass
class _Look:
    """What becomes of each due edition; `settled` only moves while everything before is settled."""

    settled: datetime
    missed: list[Window] = field(default_factory=list[Window])
    running: int = 0
    whole: bool = True

    def note(self, due: Due, verdict: str) -> None:
        self.running += verdict == "running"
        if verdict == "missed":
            self.missed.append(due.window)
        if verdict != "settled":
            self.whole = False
        elif self.whole:
            self.settled = due.at


def catch_up(
    plan: ReportPlan, cursor: CatchUpCursor | None, runs: RunsOf, *, now: datetime, scheduled: bool
) -> CatchUp:
    """Which missed editions to make at this moment. `scheduled`: is the schedule switched on?"""
    if cursor is None or not scheduled:
        why = "the schedule is switched off" if cursor else "looks for missed editions from now on"
        return CatchUp(CatchUpCursor(now, now), reason=f"{why}; what was due before is not missed")
    since = max(cursor.settled, now - FURTHEST)
    if now - cursor.looked > ABSENCE:
        return CatchUp(CatchUpCursor(since, now), reason="just back: the schedule has the first turn")
    due = due_editions(plan, since, now)
    look = _Look(since)
    for edition in (edition for edition in due if edition.at <= now - GRACE):
        look.note(edition, _verdict(runs(edition.window), now))
    chosen = look.missed[: max(AT_ONCE - look.running, 0)]
    newest = due[-1].window if due else None
    settled = max(look.settled, now - GRACE) if look.whole else look.settled
    return CatchUp(
        CatchUpCursor(settled, now),
        tuple((window, _notified(plan, window, newest)) for window in chosen),
        _reason(look),
    )


def _verdict(runs: Sequence[EditionRun], now: datetime) -> str:
    """`settled`, `running`, `missed`, or `waiting` for a second try."""
    states = [run.state for run in runs]
    if "done" in states:
        return "settled"
    if "running" in states:
        return "running"
    if len(states) >= TRIES:
        return "settled"
    ended = max((run.ended for run in runs if run.ended), default=None)
    again = None if ended is None else ended + RETRY_AFTER * 2 ** (len(states) - 1)
    return "missed" if again is None or again <= now else "waiting"


def _notified(plan: ReportPlan, window: Window, newest: Window | None) -> bool:
    policy = plan.config.catch_up
    return policy == "all" or (policy == "latest" and window == newest)


def _reason(look: _Look) -> str:
    if look.running:
        return f"{look.running} editions are under way, {len(look.missed)} are missed"
    return "no edition is missed" if look.whole else "waits before failed editions are made again"


def catch_up_sensor(plan: ReportPlan, clock: Clock = utc_now) -> dg.SensorDefinition | None:
    """The sensor of a report with a schedule; on whenever the schedule is."""
    schedule = plan.config.schedule
    if schedule is None or plan.config.upstream:
        return None

    @dg.sensor(
        name=f"{plan.id}__catch_up",
        job_name=ASSET_JOB,
        minimum_interval_seconds=SECONDS,
        default_status=sensor_status(schedule.enabled),
        description=f"Makes editions of {plan.id} that were missed in an outage; people get: {plan.config.catch_up}.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return evaluate(plan, context.instance, context.cursor, clock().astimezone(UTC))

    return sense


def evaluate(
    plan: ReportPlan, instance: dg.DagsterInstance, cursor: str | None, now: datetime
) -> dg.SensorResult:
    """One look of the sensor.

    Dagster's records are asked only where an edition is due: of thousands of sensors almost all find nothing.
    """
    before = CatchUpCursor.read(cursor)
    found = catch_up(
        plan,
        before,
        lambda window: runs_of(instance, plan, window),
        now=now,
        scheduled=not _is_due(plan, before, now) or is_scheduled(plan, instance),
    )
    requests = [run_request(plan, window, notify=notify) for window, notify in found.editions]
    return dg.SensorResult(
        run_requests=requests, skip_reason=None if requests else found.reason, cursor=str(found.cursor)
    )


def _is_due(plan: ReportPlan, cursor: CatchUpCursor | None, now: datetime) -> bool:
    return cursor is not None and bool(due_editions(plan, max(cursor.settled, now - FURTHEST), now))


def is_scheduled(plan: ReportPlan, instance: dg.DagsterInstance) -> bool:
    """Has nobody switched the schedule off in the UI (or, where it starts off, has somebody switched it on)?"""
    states = [
        state.status.value
        for state in instance.all_instigator_state()
        if state.instigator_type.value == "SCHEDULE" and state.instigator_name == schedule_name(plan.id)
    ]
    if not states or states[-1] == "DECLARED_IN_CODE":
        return plan.config.schedule is not None and plan.config.schedule.enabled
    return states[-1] != "STOPPED"
