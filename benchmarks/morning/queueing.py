"""A morning as a chain of queues: the daemon evaluates ticks, starts runs, workers make them."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.morning.costs import Costs


@dataclass(frozen=True)
class Setup:
    """How much there is of everything. `workers`: cores that make reports, one run each at a time.

    `daemon_threads`: ticks that are evaluated side by side. `launched`: runs that the daemon starts each second.
    `allowed`: `max_concurrent_runs`.
    """

    reports: int = 10_000
    workers: int = 64
    daemon_threads: int = 1
    launched: float = 5.0
    allowed: int = 10_000


@dataclass(frozen=True)
class Morning:
    """Minutes after 06:00 until half, 95 % and all of the reports are out, and how busy each part was until then.

    `statements`: that PostgreSQL answers each second, on average.
    """

    reports: int
    workers: int
    allowed: int
    half: float
    most: float
    all: float
    evaluating: float
    launching: float
    working: float
    statements: float

    @property
    def bottleneck(self) -> str:
        """The part that was busiest."""
        busy = {"evaluating ticks": self.evaluating, "starting runs": self.launching, "workers": self.working}
        return max(busy, key=lambda part: busy[part])


def simulate(setup: Setup, costs: Costs, seed: int = 1) -> Morning:
    """All reports are due at 06:00. Run times vary as they do: a long tail, the measured CPU seconds in the middle."""
    dice = random.Random(seed)
    evaluated = side_by_side([0.0] * setup.reports, [costs.tick.cpu] * setup.reports, setup.daemon_threads)
    started = side_by_side(evaluated, [1 / setup.launched] * setup.reports, 1)
    works = [costs.cold * dice.lognormvariate(0, 0.4) for _ in started]
    ends = sorted(side_by_side(started, works, min(setup.workers, setup.allowed)))
    last, n = ends[-1], setup.reports
    each = costs.run.statements + costs.tick.statements
    return Morning(
        reports=n,
        workers=setup.workers,
        allowed=setup.allowed,
        half=ends[n // 2] / 60,
        most=ends[n * 95 // 100] / 60,
        all=last / 60,
        evaluating=n * costs.tick.cpu / setup.daemon_threads / last,
        launching=n / setup.launched / last,
        working=sum(works) / min(setup.workers, setup.allowed) / last,
        statements=n * each / last,
    )


def side_by_side(ready: Sequence[float], takes: Sequence[float], servers: int) -> list[float]:
    """When each job ends: in the order of being ready, by so many servers."""
    free = [0.0] * servers
    ends: list[float] = []
    for at, work in sorted(zip(ready, takes, strict=True)):
        end = max(at, heapq.heappop(free)) + work
        heapq.heappush(free, end)
        ends.append(end)
    return ends


def most_reports_watched(costs: Costs, seconds: float) -> int:
    """How many catch-up sensors one core can look at in the seconds between two of their looks."""
    return int(seconds / costs.look.cpu)
