"""`python -m benchmarks.backfill --editions 365`: one backfill against as many single runs, and against KPI Reporter.

The same report of four views on the same SQLite file. A few single runs of `kpi-assets run` and of KPI Reporter are
measured, and multiplied by the number of editions: each of them is a process of its own, as in a loop of a shell. Also
measured: a backfill of a tenth of the editions, to see whether memory grows; and the same backfill again, which finds
everything finished. `--demo` takes the packaged demo report, which KPI Reporter cannot read. CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

from benchmarks import data, measure, peers, reports

HERE = Path(__file__).resolve().parent
PROGRAM = [sys.executable, "-m", "kpi_assets"]
LAST = date(2024, 11, 24)


@dataclass(frozen=True)
class Result:
    """CPU seconds. `runs`, `theirs`: what as many single runs would take; `theirs` is 0 where they were not asked."""

    report: str
    editions: int
    backfill: float
    again: float
    runs: float
    theirs: float
    peak_mb: float
    peak_mb_of_a_tenth: float

    @property
    def times_faster_than_runs(self) -> float:
        return self.runs / self.backfill

    @property
    def times_faster_than_theirs(self) -> float:
        return self.theirs / self.backfill


@dataclass(frozen=True)
class Bench:
    """A report in a folder of its own."""

    folder: Path
    config: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def backfill(self, editions: int) -> measure.Cost:
        first = LAST - timedelta(days=editions - 1)
        return self._call("backfill", "--from", str(first), "--to", str(LAST))

    def run(self, day: date) -> measure.Cost:
        return self._call("run", "--end-date", str(day + timedelta(days=1)))

    def clear(self) -> None:
        """Throw away what was made; Dagster's records are kept, as on any day but the first."""
        for made in ("home/frames", "home/editions", "out"):
            shutil.rmtree(self.folder / made, ignore_errors=True)

    def _call(self, verb: str, *arguments: str) -> measure.Cost:
        command = [*PROGRAM, verb, "-c", str(self.config), "--home", str(self.folder / "home"), *arguments]
        return measure.run(command, cwd=self.folder, env=dict(self.environ))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--editions", type=int, default=365)
    parser.add_argument("--singles", type=int, default=5, help="single runs that are measured")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--json", type=Path, default=HERE / "results" / "backfill.json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = demo(Path(scratch)) if asked.demo else four_views(Path(scratch))
        theirs = 0.0 if asked.demo else single_runs_of_theirs(bench, asked.singles)
        result = compare(bench, theirs, asked.editions, asked.singles)
    show(result)
    asked.json.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")


def four_views(folder: Path) -> Bench:
    database = data.make(folder / "10000.db", 10_000)
    return Bench(
        folder, reports.write(folder / "bench.yaml", database=database, output=folder / "out", views=4)
    )


def demo(folder: Path) -> Bench:
    from kpi_assets.demo import REPORT, prepare

    return Bench(folder, REPORT, {**prepare(folder / "home"), "KPI_ASSETS_DEMO_OUTPUT": str(folder / "out")})


def single_runs_of_theirs(bench: Bench, times: int) -> float:
    command = [*peers.kpireport(HERE / "peer"), "-c", str(bench.config)]
    return measure.median(lambda: measure.run(command, cwd=bench.folder), times).cpu


def compare(bench: Bench, theirs: float, editions: int, singles: int) -> Result:
    """The first backfill pays for Dagster's databases, and is the one that is small."""
    small = bench.backfill(max(1, editions // 10))
    days = iter(LAST - timedelta(days=n) for n in range(1, singles + 2))
    bench.clear()
    single = measure.median(lambda: bench.run(next(days)), singles).cpu
    bench.clear()
    whole = bench.backfill(editions)
    return Result(
        report=bench.config.stem,
        editions=editions,
        backfill=whole.cpu,
        again=bench.backfill(editions).cpu,
        runs=single * editions,
        theirs=theirs * editions,
        peak_mb=whole.peak_mb,
        peak_mb_of_a_tenth=small.peak_mb,
    )


def show(result: Result) -> None:
    print(f"{result.report}: {result.editions} editions in one backfill: {result.backfill:.1f} CPU s")
    print(f"  the same again, all finished: {result.again:.1f} CPU s")
    print(f"  as single runs: {result.runs:.0f} CPU s, {result.times_faster_than_runs:.1f} times as much")
    if result.theirs:
        ratio = result.times_faster_than_theirs
        print(f"  by KPI Reporter: {result.theirs:.0f} CPU s, {ratio:.1f} times as much")
    print(
        f"  peak memory {result.peak_mb:.0f} MB; of a tenth of the editions {result.peak_mb_of_a_tenth:.0f}"
    )


if __name__ == "__main__":
    main()
