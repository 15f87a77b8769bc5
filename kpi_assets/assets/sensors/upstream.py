"""Upstream: an edition is made as soon as the user's own assets, which its queries read, have its whole window."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import dagster as dg

from kpi_assets.assets.automation import sensor_status
from kpi_assets.assets.due import Due, due_editions
from kpi_assets.assets.runs import ASSET_JOB, EditionRun, run_request, runs_of
from kpi_assets.assets.sensors.base import Clock, utc_now
from kpi_assets.contracts import Window
from kpi_assets.plan import ReportPlan

SECONDS = 60
FURTHEST = timedelta(days=31)
"""How long an edition is waited for."""

AT_ONCE = 5
DAY = re.compile(r"\d{4}-\d\d-\d\d")
HOUR = re.compile(r"\d{4}-\d\d-\d\d-\d\d:00")
SHOWN = 3

Partitions = Callable[[dg.AssetKey], dg.PartitionsDefinition | None]
RunsOf = Callable[[Window], Sequence[EditionRun]]


@dataclass(frozen=True)
class Source:
    """An asset that a report reads, as far as one window is concerned.

    `missing`: what it does not have yet, in words. `updated`: when it was last made; None where days are counted.
    """

    key: str
    missing: tuple[str, ...] = ()
    updated: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """What to do now: editions to make, oldest first, each with whether people get it; `since` is the cursor."""

    since: datetime
    editions: tuple[tuple[Window, bool], ...] = ()
    reason: str = ""


def look_upstream(
    plan: ReportPlan,
    since: datetime | None,
    sources: Callable[[Window], Sequence[Source]],
    runs: RunsOf,
    *,
    now: datetime,
) -> Waiting:
    """Which editions have everything that they need. The first look considers the newest edition alone."""
    due = due_editions(plan, now - FURTHEST if since is None else max(since, now - FURTHEST), now)
    due = due[-1:] if since is None else due
    if not due:
        return Waiting(since or now, reason="no edition is due")
    newest, ready, reasons, running = due[-1], list[Due](), list[str](), 0
    begun = True
    settled = due[0].at - timedelta(seconds=1) if since is None else since
    for edition in due:
        found, made = sources(edition.window), runs(edition.window)
        verdict = _verdict(found, made, newest=edition is newest)
        running += verdict == "running"
        if verdict == "ready":
            ready.append(edition)
        elif verdict == "waits":
            reasons.append(_missing(edition, found))
        elif made and all(run.state == "failed" for run in made):
            reasons.append(f"edition {edition.window.key} failed and is not tried again here")
        begun = begun and verdict in ("settled", "ready") and edition is not newest
        settled = edition.at if begun and verdict == "settled" else settled
    chosen = ready[: max(AT_ONCE - running, 0)]
    editions = tuple((due.window, _notified(plan, due, newest)) for due in chosen)
    return Waiting(
        settled, editions, "; ".join(reasons) or "every edition that is due is made, or being made"
    )


def _verdict(sources: Sequence[Source], runs: Sequence[EditionRun], *, newest: bool) -> str:
    """`running`, `settled`, `waits` or `ready`."""
    if any(run.state == "running" for run in runs):
        return "running"
    if runs and not (newest and _is_news(sources, runs)):
        return "settled"
    return "waits" if any(source.missing for source in sources) else "ready"


def _is_news(sources: Sequence[Source], runs: Sequence[EditionRun]) -> bool:
    """Was a source without partitions made again since the edition was?"""
    begun = max((run.started for run in runs if run.started), default=None)
    updates = [source.updated for source in sources if source.updated]
    return begun is not None and any(update > begun for update in updates)


def _missing(due: Due, sources: Sequence[Source]) -> str:
    parts = [f"{source.key} ({', '.join(_some(source.missing))})" for source in sources if source.missing]
    return f"edition {due.window.key} waits for {'; '.join(parts)}"


def _some(texts: Sequence[str]) -> list[str]:
    more = len(texts) - SHOWN
    return [*texts[:SHOWN], f"and {more} more"] if more > 0 else list(texts)


def _notified(plan: ReportPlan, due: Due, newest: Due) -> bool:
    policy = plan.config.catch_up
    return policy == "all" or (due == newest and policy == "latest")


# ---------------------------------------------------------------- what Dagster knows of the sources


def mapped_keys(plan: ReportPlan) -> list[dg.AssetKey]:
    """The user's own assets that the report's queries read."""
    names = {name for query in plan.queries for name in query.mapped_assets}
    return [dg.AssetKey(name.strip("/").split("/")) for name in sorted(names)]


def sources_of(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey], partitions: Partitions, window: Window
) -> list[Source]:
    """The state of each asset with regard to one window."""
    return [_source(instance, key, partitions(key), window) for key in keys]


def _source(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: dg.PartitionsDefinition | None, window: Window
) -> Source:
    name, there = key.to_user_string(), instance.get_materialized_partitions(key)
    needed = needed_partitions(partitions, there, window)
    if needed:
        return Source(name, tuple(part for part in needed if part not in there))
    event = instance.get_latest_materialization_event(key)
    made = datetime.fromtimestamp(event.timestamp, UTC) if event else None
    return Source(name, tuple(_too_old(made, window)), made)


def _too_old(made: datetime | None, window: Window) -> Iterator[str]:
    """What is said of an asset whose partitions are not known: it may have none, or nobody has made one yet."""
    if made is None:
        yield "never materialized"
    elif made < window.ends_at:
        yield f"last materialized {made:%Y-%m-%d %H:%M} UTC, before the end of {window.last_day}"


def needed_partitions(
    partitions: dg.PartitionsDefinition | None, there: Iterable[str], window: Window
) -> list[str]:
    """The partitions that cover the window; none where the asset is not cut by time, as far as anybody knows.

    An asset of another code location is known by the partitions that it has: days and hours are recognised.
    """
    days = [day.isoformat() for day in window.days]
    if isinstance(partitions, dg.DailyPartitionsDefinition):
        return days
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        span = dg.TimeWindow(window.starts_at, window.ends_at)
        return list(partitions.get_partition_keys_in_time_window(span))
    known = list(there) if partitions is None else []
    if known and all(HOUR.fullmatch(key) for key in known):
        return _hours(window)
    return days if known and all(DAY.fullmatch(key) for key in known) else []


def _hours(window: Window) -> list[str]:
    """The hours that the clock shows in the window, each once: one that it jumps over has no partition."""
    zone = window.starts_at.tzinfo
    shown = [datetime.combine(day, time(hour), zone) for day in window.days for hour in range(24)]
    return [f"{at:%Y-%m-%d-%H:%M}" for at in shown if at.astimezone(UTC).astimezone(zone).hour == at.hour]


def upstream_sensor(plan: ReportPlan, clock: Clock = utc_now) -> dg.SensorDefinition | None:
    """The sensor of a report whose queries read assets of the user's; on where the report says `upstream: true`."""
    keys = mapped_keys(plan)
    if not keys:
        return None

    @dg.sensor(
        name=f"{plan.id}__upstream",
        job_name=ASSET_JOB,
        minimum_interval_seconds=SECONDS,
        default_status=sensor_status(bool(plan.config.upstream)),
        description=f"Makes an edition of {plan.id} as soon as its whole window is in "
        f"{', '.join(key.to_user_string() for key in keys)}.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        known = _known(context.repository_def)
        return evaluate(plan, context.instance, known, cursor=context.cursor, now=clock().astimezone(UTC))

    return sense


def evaluate(
    plan: ReportPlan,
    instance: dg.DagsterInstance,
    partitions: Partitions,
    *,
    cursor: str | None,
    now: datetime,
) -> dg.SensorResult:
    """One look of the sensor."""
    keys = mapped_keys(plan)
    found = look_upstream(
        plan,
        datetime.fromisoformat(cursor) if cursor else None,
        lambda window: sources_of(instance, keys, partitions, window),
        lambda window: runs_of(instance, plan, window),
        now=now,
    )
    requests = [run_request(plan, window, notify=notify) for window, notify in found.editions]
    return dg.SensorResult(
        run_requests=requests, skip_reason=None if requests else found.reason, cursor=found.since.isoformat()
    )


def _known(repository: dg.RepositoryDefinition | None) -> Partitions:
    """How assets of this code location are cut; None for those of others."""
    graph = repository.asset_graph if repository else None
    return lambda key: graph.get(key).partitions_def if graph and graph.has(key) else None
