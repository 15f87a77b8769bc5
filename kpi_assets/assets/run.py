"""Editions through Dagster, in this process: what `kpi-assets run` and `kpi-assets backfill` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg

from kpi_assets.assets import keys
from kpi_assets.assets.build import report_assets
from kpi_assets.assets.events import Event, ignore
from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.resources import HOME, KpiAssetsResource, report_resources
from kpi_assets.assets.runs import outputs_tag
from kpi_assets.assets.stage import StageFailure
from kpi_assets.assets.windows import run_tags
from kpi_assets.contracts import Window
from kpi_assets.delivery import Delivered
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.pipeline import Composed, Fetched, Rendered
from kpi_assets.plan import ReportPlan

Progress = Fetched | Rendered | Delivered

CHUNK = 62
"""Editions in one Dagster run; longer ranges are several runs, so that memory and what a crash costs stay small.

With a window of up to a month they are one ranged query (`frames.heal.CHUNK_DAYS`)."""

NOT_AGAIN = {"dagster/max_retries": "0"}
"""A daemon on the same records must not start these runs again: whoever called is told, and calls again."""

QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's console log repeats every event; callers draw their own progress."""


@dataclass(frozen=True)
class RunResult:
    """What a run left behind. `errors` made it fail; `faults` only became placeholders in the document.

    `failures`: the steps that failed, with their errors. `at_fault`: the editions to which an error belongs.
    """

    run_ids: tuple[str, ...]
    delivered: tuple[Delivered, ...]
    errors: tuple[KpiAssetsError, ...]
    faults: tuple[KpiAssetsError, ...]
    failures: tuple[StageFailure, ...] = ()
    at_fault: frozenset[Window] = frozenset()

    @property
    def success(self) -> bool:
        return not self.errors


@dataclass
class _Watcher:
    """Collects what the result needs, and hands progress on."""

    on_event: Callable[[Progress], None]
    delivered: list[Delivered] = field(default_factory=list)
    faults: list[KpiAssetsError] = field(default_factory=list)
    failed: set[Window] = field(default_factory=set[Window])

    def see(self, event: Event) -> None:
        if isinstance(event, Delivered):
            self.delivered.append(event)
        elif isinstance(event, Fetched | Rendered) and event.error:
            self.faults.append(event.error)
            # One recipient's edition is told of by the outputs; those of others were made.
            if not event.recipient:
                self.failed.update(event.windows if isinstance(event, Fetched) else (event.window,))
        elif isinstance(event, Composed) and event.error:
            self.faults.append(event.error)
        if isinstance(event, Fetched | Rendered | Delivered):
            self.on_event(event)


def materialize_editions(  # noqa: PLR0913 - the choices of the command line, one each
    plan: ReportPlan,
    windows: Sequence[Window],
    *,
    home: Path,
    outputs: Sequence[str] | None = None,
    force: bool = False,
    environ: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    on_event: Callable[[Progress], None] = ignore,
    interrupted: Callable[[], bool] = bool,
) -> RunResult:
    """Materialize editions in one Dagster run per stretch of neighbouring days.

    `outputs`: ids to deliver to; none with `()`; by default all, of which a backfill leaves out those that people see.
    `force`: deliver also to people who have the edition already. `tags`: more tags for the runs.
    `interrupted`: asked before each run; Dagster forgets a Ctrl-C that arrives after the last step of one.
    Raises InputError for windows that are no partitions, KeyboardInterrupt; errors of the run are in the result.
    """
    watcher = _Watcher(on_event)
    ids: list[str] = []
    failures: list[StageFailure] = []
    variables = os.environ if environ is None else environ
    with _in_plain_words(home, variables), open_instance(home, variables) as instance:
        runner = _Runner(_open_ended(plan), home, instance, outputs, force, watcher, tags or {})
        todo = list(stretches(windows))
        while todo:
            if interrupted():
                raise KeyboardInterrupt
            stretch = todo.pop(0)
            try:
                ids.append(runner.run(stretch))
            except StageFailure as failure:
                failures.append(failure)
                todo = [*stretches(_others(stretch, watcher.failed)), *todo]
    errors = tuple(error for failure in failures for error in failure.errors)
    known = {id(error) for error in errors}
    faults = tuple(fault for fault in watcher.faults if id(fault) not in known)
    at_fault = frozenset(watcher.failed)
    return RunResult(tuple(ids), tuple(watcher.delivered), errors, faults, tuple(failures), at_fault)


@dataclass(frozen=True)
class _Runner:
    plan: ReportPlan
    home: Path
    instance: dg.DagsterInstance
    outputs: Sequence[str] | None
    force: bool
    watcher: _Watcher
    tags: Mapping[str, str]

    def run(self, windows: Sequence[Window]) -> str:
        """One run. Raises StageFailure."""
        self._check(windows)
        named = self.outputs is not None
        result = dg.materialize(
            report_assets(self.plan, self.watcher.see),
            instance=self.instance,
            resources={HOME: KpiAssetsResource(home=str(self.home)), **report_resources(self.plan)},
            selection=None if self.outputs is None else self._selection(self.outputs),
            partition_key=windows[0].key if len(windows) == 1 else None,
            tags={
                **run_tags(self.plan, windows, notify=True if named else None, force=self.force),
                **outputs_tag(self.outputs),
                **self.tags,
                **NOT_AGAIN,
            },
            run_config=QUIET,
        )
        return result.run_id

    def _selection(self, outputs: Sequence[str]) -> list[dg.AssetKey]:
        left_out = {keys.output_key(self.plan.id, o.id) for o in self.plan.outputs if o.id not in outputs}
        return [key for key in keys.all_keys(self.plan) if key not in left_out]

    def _check(self, windows: Sequence[Window]) -> None:
        first = windows[0]
        if first.last_day < self.plan.first_day:
            raise InputError(
                f"the edition {first.key} lies before the first partition, {self.plan.first_day}: "
                "set `partitions: {start: ...}` in the report file to an earlier day"
            )


def _others(stretch: Sequence[Window], failed: set[Window]) -> list[Window]:
    """The editions of a failed run that were not at fault; none where no edition can be blamed.

    A step of Dagster fails as a whole, so they are run again without the culprits.
    """
    good = [window for window in stretch if window not in failed]
    return good if len(good) < len(stretch) else []


def _open_ended(plan: ReportPlan) -> ReportPlan:
    """The plan without its fixed `end_date`, which ends the partitions in the UI: the caller has chosen windows."""
    return replace(plan, config=plan.config.model_copy(update={"end_date": None}))


def stretches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows in order, cut where the next is not the edition of the next day, and after CHUNK editions."""
    ordered = sorted(windows)
    if not ordered:
        return
    stretch = [ordered[0]]
    for before, window in pairwise(ordered):
        if not _follows(before, window) or len(stretch) == CHUNK:
            yield stretch
            stretch = []
        stretch.append(window)
    yield stretch


def _follows(before: Window, window: Window) -> bool:
    """Is it the edition that comes next in the graph? Windows chosen by their dates follow each other day by day."""
    if window.rule:
        return window.rule.newest(window.last_day, window.zone) == before
    return (window.end - before.end).days == 1 and window.length == before.length


@contextmanager
def _in_plain_words(home: Path, environ: Mapping[str, str]) -> Generator[None]:
    """Dagster's own exceptions as Python's and ours: Ctrl-C, and records that cannot be kept (InputError)."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    except DBAPIError as error:
        folder = environ.get("DAGSTER_HOME") or str(home / "dagster")
        reason = " ".join(str(error.orig).split())
        raise InputError(
            f"Dagster's records in {folder} cannot be kept: {reason}; give the folder room and rights, or set "
            "KPI_ASSETS_HOME to another one. What was finished is kept; run the same again"
        ) from error
