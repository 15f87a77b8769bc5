"""`python -m benchmarks.morning`: what 10,000 reports at 06:00 need.

Measures one report of four views on PostgreSQL (a server on this machine is needed), then simulates the morning with
several numbers of workers. `--measured` takes the costs of the last time. Results are kept in `results/morning.json`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.morning.costs import Cost, Costs, measured
from benchmarks.morning.queueing import Morning, Setup, most_reports_watched, simulate
from kpi_assets.assets.sensors.catch_up import SECONDS

RESULTS = Path(__file__).resolve().parents[1] / "results" / "morning.json"
WORKERS = (8, 16, 32, 64)
DAGSTER_DEFAULT = 10
"""Dagster's `max_concurrent_runs` where nothing is said."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--launched", type=float, default=5.0, help="runs that the daemon starts each second")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--measured", action="store_true", help="take the costs of the last time")
    asked = parser.parse_args()
    costs = kept() if asked.measured else measured(asked.times)
    setups = [Setup(asked.reports, 64, launched=asked.launched, allowed=DAGSTER_DEFAULT)]
    setups += [Setup(asked.reports, workers, launched=asked.launched) for workers in WORKERS]
    mornings = [simulate(setup, costs) for setup in setups]
    show(costs, mornings)
    found = {"costs": asdict(costs), "mornings": [asdict(morning) for morning in mornings]}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def kept() -> Costs:
    """The costs of the last time."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["costs"]
    parts = {name: Cost(**found[name]) for name in ("run", "tick", "look")}
    return Costs(cold=found["cold"], events=found["events"], **parts)


def show(costs: Costs, mornings: list[Morning]) -> None:
    print(f"a run as a process: {costs.cold:.2f} CPU s; it leaves {costs.events:.0f} events")
    for name, cost in (("run, warm", costs.run), ("schedule tick", costs.tick), ("sensor look", costs.look)):
        print(f"{name:<14}{cost.cpu * 1000:>8.0f} CPU ms{cost.statements:>6.0f} statements")
    print(f"catch-up sensors that one core can look at: {most_reports_watched(costs, SECONDS)}")
    print(f"{'workers':>8}{'allowed':>9}{'half':>8}{'95 %':>8}{'all':>8} min  statements/s  busiest")
    for m in mornings:
        allowed = m.allowed if m.allowed < m.reports else "all"
        print(
            f"{m.workers:>8}{allowed:>9}{m.half:>8.0f}{m.most:>8.0f}{m.all:>8.0f}"
            f"{m.statements:>18.0f}  {m.bottleneck}"
        )


if __name__ == "__main__":
    main()
