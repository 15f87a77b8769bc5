"""The queues of the simulated morning (benchmarks/morning): what a hand calculation says, they say."""

from __future__ import annotations

from benchmarks.morning.costs import Cost, Costs
from benchmarks.morning.queueing import Setup, most_reports_watched, side_by_side, simulate

COSTS = Costs(
    cold=4.0,
    run=Cost(1.0, 100),
    tick=Cost(0.01, 4),
    look=Cost(0.005, 0),
    events=50,
)


def test_jobs_wait_for_a_free_server() -> None:
    """Three jobs of four seconds on two servers end after 4, 4 and 8 seconds; a late one starts when it comes."""
    assert sorted(side_by_side([0, 0, 0], [4, 4, 4], 2)) == [4, 4, 8]
    assert sorted(side_by_side([0, 20], [4, 4], 2)) == [4, 24]


def test_the_slowest_part_decides() -> None:
    """Few workers are the bottleneck, then starting runs is; `max_concurrent_runs` holds idle workers back."""
    few = simulate(Setup(1000, workers=4), COSTS)
    many = simulate(Setup(1000, workers=256), COSTS)
    held = simulate(Setup(1000, workers=256, allowed=4), COSTS)
    assert (few.bottleneck, many.bottleneck) == ("workers", "starting runs")
    assert held.all == few.all > many.all > 1000 / Setup.launched / 60
    assert few.half < few.most < few.all
    assert many.statements > few.statements
    assert most_reports_watched(COSTS, 60) == 12_000
