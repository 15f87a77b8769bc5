"""`python -m benchmarks.compare`: the same report on the same SQLite file, KPI Reporter and kpi_assets, in one run.

Both sides run as whole processes in environments of their own with compiled bytecode; CPU seconds count, since machines
are shared. Prints a table of medians and ratios, and saves it as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import data, measure, peers, reports

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """One row of the table. `aim` is the ratio (ours / theirs) that the project wants."""

    name: str
    views: int
    rows: int
    aim: float
    command: str
    peer_runs: int = 1


CASES = (
    Case("run, 4 views, 10 thousand rows", 4, 10_000, 1.1, "run"),
    Case("preview, 4 views, 10 thousand rows", 4, 10_000, 0.7, "preview"),
    Case("run, 40 views, 10 thousand rows", 40, 10_000, 0.4, "run"),
    Case("run, 40 views, 1 million rows", 40, 1_000_000, 0.35, "run"),
    Case("second run, refresh: missing", 4, 10_000, 0.6, "again"),
    Case("backfill of 365 editions, 4 views", 4, 10_000, 0.08, "backfill", peer_runs=365),
)


@dataclass(frozen=True)
class Result:
    case: str
    theirs_cpu: float
    ours_cpu: float
    ratio: float
    aim: float
    theirs_peak_mb: float
    ours_peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="runs per case, after one thrown away")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "compare.json")
    options = parser.parse_args()
    theirs = peers.kpireport(HERE / "peer")
    results: list[Result] = []
    print(f"{'case':<40}{'theirs':>9}{'ours':>9}{'ratio':>8}{'aim':>7}   peak MB")
    with tempfile.TemporaryDirectory() as scratch:
        for case in (case for case in CASES if options.only in case.name):
            result = run_case(case, theirs, Path(scratch), options.times)
            results.append(result)
            print(row(result), flush=True)
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def run_case(case: Case, theirs: list[str], scratch: Path, times: int) -> Result:
    folder = scratch / f"{case.views}-{case.rows}-{case.command}"
    folder.mkdir()
    database = data.make(scratch / f"{case.rows}.db", case.rows)
    config = reports.write(folder / "bench.yaml", database=database, output=folder / "out", views=case.views)
    commands = ours(case, folder, config)

    def their_run() -> measure.Cost:
        return measure.run([*theirs, "-c", str(config)], cwd=folder)

    def our_run() -> measure.Cost:
        return measure.run(next(commands), cwd=folder)

    if case.peer_runs == 1:
        peer, mine = measure.side_by_side(their_run, our_run, times)
    else:
        peer, mine = measure.median(their_run, times), measure.median(our_run, 1, warm_up=False)
    theirs_cpu = peer.cpu * case.peer_runs
    return Result(
        case.name, theirs_cpu, mine.cpu, mine.cpu / theirs_cpu, case.aim, peer.peak_mb, mine.peak_mb
    )


def ours(case: Case, folder: Path, config: Path) -> Iterator[list[str]]:
    """The command of each run. What was fetched and made is thrown away before, Dagster's own storage is kept.

    That is a morning like any other: the first run ever also pays for creating Dagster's databases. `again` keeps all.
    """
    program = [sys.executable, "-m", "kpi_assets"]
    home = folder / "home"
    arguments: dict[str, Callable[[], list[str]]] = {
        "run": lambda: ["run", "-c", str(config), "--home", str(home)],
        "preview": lambda: ["preview", "-c", str(config), "--home", str(home), "--out", str(folder / "page")],
        "again": lambda: ["run", "-c", str(config), "--home", str(home), "--refresh", "missing"],
        "backfill": lambda: [
            *("backfill", "-c", str(config), "--home", str(home)),
            *("--from", "2023-11-26", "--to", "2024-11-24"),
        ],
    }
    while True:
        if case.command != "again":
            for made in (home / "frames", home / "editions", folder / "out"):
                shutil.rmtree(made, ignore_errors=True)
        yield [*program, *arguments[case.command]()]


def row(result: Result) -> str:
    verdict = "" if result.ratio <= result.aim else "  (misses its aim)"
    return (
        f"{result.case:<40}{result.theirs_cpu:>8.2f}s{result.ours_cpu:>8.2f}s{result.ratio:>8.2f}"
        f"{result.aim:>7.2f}   {result.theirs_peak_mb:.0f} / {result.ours_peak_mb:.0f}{verdict}"
    )


if __name__ == "__main__":
    main()
