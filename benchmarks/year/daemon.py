"""Dagster's daemon, as far as schedules and sensors go, on a clock that is moved: evaluates, launches, remembers.

The schedules, sensors, jobs, instance, cursors and ledger are the real ones. Sensors are looked at around every tick
and when a failed edition is due again; in between, where no sensor would find anything, only the catch-up sensor's note
of when it last looked is moved on, as its looks each minute would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from benchmarks.year.world import KINDS, ZONE, Kind, World
from kpi_assets.assets.due import ticks
from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.runs import ASSET_JOB
from kpi_assets.assets.schedules import schedule_name
from kpi_assets.assets.sensors import owner
from kpi_assets.assets.sensors.catch_up import CatchUpCursor
from kpi_assets.assets.windows import EDITION_TAG, NOTIFY_TAG, REPORT_TAG
from kpi_assets.config.models import ScheduleConfig

MINUTE = timedelta(minutes=1)
AFTER_TICK = (0, 11, 75, 205)
"""Minutes after a tick of a report at which it is looked at: the schedule; catch-up; a second try, and the third."""

AFTER_OUTAGE = (0, 1, 11, 12, 13, 75, 77, 205, 207)


@dataclass(frozen=True)
class Tick:
    """A tick of a schedule, and what became of it: `ran`, `lost` (the daemon died upon it), `missed` (it was off)."""

    kind: Kind
    at: datetime
    fate: str = "ran"

    @property
    def edition(self) -> str:
        """What the tick should make: all three windows end on the day before."""
        return (self.at.astimezone(ZoneInfo(ZONE)).date() - timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class Run:
    """A run that was launched. `by`: the schedule or sensor that asked for it."""

    id: str
    report: str
    edition: str
    notify: bool
    good: bool
    at: datetime
    by: str


@dataclass
class Daemon:
    """One daemon and its worker, over all restarts."""

    world: World
    runs: list[Run] = field(default_factory=list[Run])
    restarts: int = 0
    looks: int = 0
    _open: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Open the instance and load the code location."""
        self._open = ExitStack()
        self.instance = self._open.enter_context(open_instance(self.world.home, {}))
        self.repository = self.world.definitions().get_repository_def()

    def stop(self) -> None:
        self._open.close()

    def restart(self) -> None:
        self.stop()
        self.start()
        self.restarts += 1

    def tick(self, tick: Tick, *, dies: bool = False) -> None:
        """Evaluate a schedule, and launch what it asks for. `dies`: it does not come to that."""
        name = schedule_name(tick.kind.name)
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=tick.at, repository_def=self.repository
        )
        asked = self.repository.get_schedule_def(name).evaluate_tick(context).run_requests
        if dies:
            self.restart()
            return
        self._launch(asked or (), name)

    def look(self, now: datetime, kinds: Iterable[Kind], *, awake: bool) -> None:
        """The sensors of reports, and the owners' last. `awake`: they have been looking each minute until now."""
        for kind in kinds:
            name = f"{kind.name}__catch_up"
            if awake:
                self._move_on(name, now)
            self._look(name)
        self._look(owner.NAME)

    def _look(self, name: str) -> None:
        cursor = self._cursor(name)
        with dg.build_sensor_context(
            instance=self.instance, cursor=cursor, repository_def=self.repository
        ) as context:
            found = self.repository.get_sensor_def(name).evaluate_tick(context)
        self.looks += 1
        if found.cursor:
            self.instance.daemon_cursor_storage.set_cursor_values({name: found.cursor})
        self._launch(found.run_requests or (), name)

    def _cursor(self, name: str) -> str | None:
        return self.instance.daemon_cursor_storage.get_cursor_values({name}).get(name)

    def _move_on(self, name: str, now: datetime) -> None:
        cursor = CatchUpCursor.read(self._cursor(name))
        if cursor is not None:
            moved = str(replace(cursor, looked=now - MINUTE))
            self.instance.daemon_cursor_storage.set_cursor_values({name: moved})

    def _launch(self, asked: Sequence[dg.RunRequest], by: str) -> None:
        for request in asked:
            result = self.repository.get_job(ASSET_JOB).execute_in_process(
                instance=self.instance,
                partition_key=request.partition_key,
                tags=dict(request.tags),
                asset_selection=list(request.asset_selection or ()),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
            tags = request.tags
            self.runs.append(
                Run(
                    result.run_id,
                    tags[REPORT_TAG],
                    tags[EDITION_TAG],
                    tags[NOTIFY_TAG] == "true",
                    result.success,
                    datetime.now(UTC),
                    by,
                )
            )


# ---------------------------------------------------------------- the calendar


def ticks_between(first: date, days: int) -> list[Tick]:
    """Every tick of every schedule, as Dagster's scheduler counts them."""
    start = datetime.combine(first, time(), ZoneInfo(ZONE))
    end = datetime.combine(first + timedelta(days=days), time(), ZoneInfo(ZONE))
    crons = {kind: ScheduleConfig.model_validate({"cron": kind.cron}) for kind in KINDS}
    found = [Tick(kind, at) for kind, cron in crons.items() for at in ticks(cron, ZONE, start, end)]
    return sorted(found, key=lambda tick: tick.at)


def moments_of(watched: Sequence[Tick], outage: tuple[datetime, datetime]) -> dict[datetime, list[Kind]]:
    """When the daemon is watched, and which reports: around their ticks, and after the outage; never within it."""
    start, end = outage
    found: dict[datetime, list[Kind]] = defaultdict(list)
    for tick in watched:
        for minutes in AFTER_TICK:
            found[tick.at + minutes * MINUTE].append(tick.kind)
    if end < watched[-1].at:
        found |= {end + minutes * MINUTE: list(KINDS) for minutes in AFTER_OUTAGE}
    return {moment: found[moment] for moment in sorted(found) if not start <= moment < end}
