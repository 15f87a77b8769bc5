"""Progress over many editions: a bar with the time that is left on a terminal, a line per edition elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kpi_assets.cli.console import err, step
from kpi_assets.cli.progress import describe
from kpi_assets.delivery import Delivered
from kpi_assets.pipeline import Fetched, Rendered

if TYPE_CHECKING:
    from kpi_assets.contracts import Window
    from kpi_assets.plan import ReportPlan

Progress = Fetched | Rendered | Delivered


@dataclass
class Tally:
    """What has been done of a number of editions. `steps`: how many views and deliveries make one.

    An edition is done when all of its views are rendered and its outputs have delivered, without an error.
    """

    editions: int
    steps: int
    seen: dict[Window, set[tuple[str, str]]] = field(default_factory=dict)
    done: int = 0

    @classmethod
    def of(cls, plan: ReportPlan, windows: Sequence[Window], outputs: Sequence[str]) -> Tally:
        return cls(len(windows), max(1, len(plan.views) + len(outputs)))

    @property
    def total(self) -> int:
        return self.editions * self.steps

    def note(self, event: Rendered | Delivered) -> tuple[bool, bool]:
        """(is it a new step?, is its edition done by it?)"""
        what = ("output", event.output) if isinstance(event, Delivered) else ("view", event.view.id)
        steps = self.seen.setdefault(event.window, set())
        if event.error is not None or what in steps:
            return False, False
        steps.add(what)
        complete = len(steps) == self.steps
        self.done += complete
        return True, complete


def time_left(seconds: float, steps: int, total: int) -> str:
    """How long the rest takes at the pace so far, in words."""
    left = seconds / steps * (total - steps) if steps else 0.0
    if left < 90:
        return f"{left:.0f} s left"
    return f"{left / 60:.0f} min left" if left < 5400 else f"{left / 3600:.1f} h left"


@contextmanager
def editions_shown(tally: Tally) -> Generator[Callable[[Progress], None]]:
    """What is called for each event. Errors are printed in full, whatever the progress looks like."""
    try:
        if err.is_terminal:
            with _bar(tally) as see:
                yield see
        else:
            yield _Lines(tally).see
    finally:
        if tally.done < tally.editions:
            err.print(f"{_count(tally)} editions are done")


@dataclass
class _Lines:
    tally: Tally
    started: float = field(default_factory=time.monotonic)

    def see(self, event: Progress) -> None:
        _print_error(event)
        if isinstance(event, Fetched):
            _print_query(event)
        elif self.tally.note(event)[1]:
            steps = sum(len(seen) for seen in self.tally.seen.values())
            left = time_left(time.monotonic() - self.started, steps, self.tally.total)
            step(f"{event.window.key}  [dim]{self.tally.done} of {self.tally.editions}, {left}[/]")


@contextmanager
def _bar(tally: Tally) -> Generator[Callable[[Progress], None]]:
    from rich import progress

    columns = (
        progress.TextColumn("  {task.description}"),
        progress.BarColumn(bar_width=None),
        progress.TextColumn("{task.fields[editions]}"),
        progress.TimeRemainingColumn(compact=True),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=err, refresh_per_second=5) as bar:
        task = bar.add_task("queries", total=tally.total, editions=_count(tally))

        def see(event: Progress) -> None:
            _print_error(event)
            if isinstance(event, Fetched):
                bar.update(task, description=f"query {event.query.id}")
            else:
                new, _ = tally.note(event)
                bar.update(task, **_shown(event, tally), advance=int(new))

        yield see


def _shown(event: Rendered | Delivered, tally: Tally) -> dict[str, Any]:
    doing = f"output {event.output}" if isinstance(event, Delivered) else "views"
    return {"description": f"{event.window.key} {doing}", "editions": _count(tally)}


def _count(tally: Tally) -> str:
    return f"{tally.done} of {tally.editions}"


def _print_query(event: Fetched) -> None:
    if event.error is None:
        step(describe(event))


def _print_error(event: Progress) -> None:
    if event.error is not None:
        step(f"{_day(event)}{describe(event)}", good=False)


def _day(event: Progress) -> str:
    return "" if isinstance(event, Fetched) else f"{event.window.key}  "
