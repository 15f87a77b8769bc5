"""Watch: a query is asked again and again, and when its answer changes, the newest edition is made."""

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import dagster as dg

from kpi_assets.assets.automation import sensor_status
from kpi_assets.assets.due import newest_edition, refusal
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.runs import ASSET_JOB, run_request, runs_of
from kpi_assets.assets.sensors.base import Clock, utc_now
from kpi_assets.errors import KpiAssetsError, redact, redacted_traceback
from kpi_assets.plan import ReportPlan
from kpi_assets.plan.automation import WatchPlan
from kpi_assets.session import Session, open_session

log = logging.getLogger("kpi_assets")

LONGEST = timedelta(hours=1)
"""The longest pause after answers that failed."""

MOST_CHARACTERS = 200
"""Of an answer that the cursor shows; of a longer one it keeps a hash."""


@dataclass(frozen=True)
class WatchCursor:
    """The last answer; how often in a row there was none, and until when the source is left in peace (ISO, UTC)."""

    answer: str | None = None
    failures: int = 0
    pause_until: str = ""

    @classmethod
    def read(cls, text: str | None) -> "WatchCursor":
        return cls(**json.loads(text)) if text else cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def pauses(self, now: datetime) -> bool:
        return bool(self.pause_until) and now < datetime.fromisoformat(self.pause_until)

    def failed(self, every: int, now: datetime) -> "WatchCursor":
        """After an answer that failed: twice the pause of the time before."""
        failures = self.failures + 1
        pause = min(timedelta(seconds=every) * 2 ** min(failures, 12), LONGEST)
        return replace(self, failures=failures, pause_until=(now + pause).isoformat())


def answer_of(session: Session, watch: WatchPlan, now: datetime) -> str:
    """What the query says now, as text. Raises as the datasource does."""
    source = session.datasource(watch.query.datasource)
    frame = source.query(watch.query, newest_edition(session.plan, now))
    text = json.dumps([list(map(str, row)) for row in frame.itertuples(index=False)])
    return text if len(text) <= MOST_CHARACTERS else sha256(text.encode()).hexdigest()


def watch_sensor(
    plan: ReportPlan, home: KpiAssetsResource, clock: Clock = utc_now
) -> dg.SensorDefinition | None:
    """The sensor of a report with `watch:`; on by default."""
    watch = plan.watch
    if watch is None:
        return None

    @dg.sensor(
        name=f"{plan.id}__watch",
        job_name=ASSET_JOB,
        minimum_interval_seconds=watch.seconds,
        default_status=sensor_status(),
        description=f"Makes the newest edition of {plan.id} when this answer changes:\n\n{watch.query.text}",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with open_session(plan, home.folder) as session:
            watcher = Watcher(session, watch, context.instance, clock().astimezone(UTC))
            return watcher.look(WatchCursor.read(context.cursor))

    return sense


@dataclass(frozen=True)
class Watcher:
    """One look at a moment."""

    session: Session
    watch: WatchPlan
    instance: dg.DagsterInstance
    now: datetime

    def look(self, cursor: WatchCursor) -> dg.SensorResult:
        """Ask, unless the source is left in peace; the first answer is only remembered."""
        if cursor.pauses(self.now):
            return _nothing(
                cursor, f"asked again after {cursor.pause_until}; failures in a row: {cursor.failures}"
            )
        try:
            answer = answer_of(self.session, self.watch, self.now)
        except KpiAssetsError as error:
            return self._failed(cursor, str(error))
        except Exception as error:  # noqa: BLE001 - whatever fails is told, and asked again at the next look
            told = redacted_traceback(self.session.secrets)
            log.debug("the watch of %s failed\n%s", self.session.plan.id, told)
            return self._failed(cursor, f"{type(error).__name__}: {error}")
        if cursor.answer is None:
            return _nothing(WatchCursor(answer), f"remembers the first answer: {answer}")
        if answer == cursor.answer:
            return _nothing(WatchCursor(answer), f"nothing new: {answer}")
        return self._moved(cursor, answer)

    def _moved(self, cursor: WatchCursor, answer: str) -> dg.SensorResult:
        """Make the newest edition, also when it was made from older data; not beside a run that is under way."""
        plan = self.session.plan
        window = newest_edition(plan, self.now)
        against = refusal(plan, window)
        if against:
            return _nothing(WatchCursor(answer), against)
        if any(run.state == "running" for run in runs_of(self.instance, plan, window)):
            waiting = replace(cursor, failures=0, pause_until="")
            return _nothing(
                waiting, f"news, but a run of edition {window.key} is under way: waits for its end"
            )
        return dg.SensorResult([run_request(plan, window, notify=True)], cursor=str(WatchCursor(answer)))

    def _failed(self, cursor: WatchCursor, reason: str) -> dg.SensorResult:
        after = cursor.failed(self.watch.seconds, self.now)
        text = redact(f"cannot be asked: {reason}", self.session.secrets)
        log.warning("watch of %s: %s", self.session.plan.id, text)
        return _nothing(after, f"{text}; asked again after {after.pause_until}")


def _nothing(cursor: WatchCursor, reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=str(cursor))
