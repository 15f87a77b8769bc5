"""`python -m benchmarks.growth`: CPU seconds and peak memory over views, rows, days backfilled and reports.

Prints, for each axis, the cost at each size and the exponent of growth between the last two sizes (1 is linear).
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks import data, measure, reports

HERE = Path(__file__).resolve().parent
PROGRAM = [sys.executable, "-m", "kpi_assets"]
LAST = date(2024, 11, 24)


@dataclass(frozen=True)
class Point:
    """One measurement: the size along the axis and what it cost."""

    axis: str
    size: int
    cpu: float
    peak_mb: float


AXES: dict[str, Sequence[int]] = {
    "views": (4, 20, 40, 100, 200),
    "rows": (10_000, 100_000, 1_000_000, 5_000_000),
    "days": (1, 30, 90, 365),
    "reports": (1, 10, 100),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axis", choices=AXES, action="append", help="only this axis; repeatable")
    parser.add_argument("--largest", type=int, help="leave larger sizes out")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "growth.json")
    options = parser.parse_args()
    points: list[Point] = []
    with tempfile.TemporaryDirectory() as scratch:
        for axis in options.axis or AXES:
            points += measure_axis(axis, Path(scratch), options.times, options.largest)
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n")


def measure_axis(axis: str, scratch: Path, times: int, largest: int | None = None) -> list[Point]:
    print(f"{axis:>10}{'CPU s':>10}{'peak MB':>10}{'exponent':>10}")
    points: list[Point] = []
    for size in AXES[axis]:
        if largest and size > largest:
            continue
        folder = scratch / f"{axis}-{size}"
        folder.mkdir()
        command, env = COMMANDS[axis](folder, scratch, size)
        cost = measure.median(lambda c=command, e=env, f=folder: fresh(c, e, f), times, warm_up=False)
        points.append(Point(axis, size, cost.cpu, cost.peak_mb))
        print(f"{size:>10}{cost.cpu:>10.2f}{cost.peak_mb:>10.0f}{exponent(points):>10}", flush=True)
    return points


def fresh(command: Sequence[str], env: dict[str, str], folder: Path) -> measure.Cost:
    shutil.rmtree(folder / "home", ignore_errors=True)
    return measure.run(command, cwd=folder, env={"KPI_ASSETS_HOME": str(folder / "home"), **env})


def exponent(points: Sequence[Point]) -> str:
    """Slope of log(CPU) over log(size) between the last two points."""
    if len(points) < 2:
        return ""
    before, last = points[-2:]
    return f"{math.log(last.cpu / before.cpu) / math.log(last.size / before.size):.2f}"


def _views(folder: Path, scratch: Path, size: int) -> tuple[list[str], dict[str, str]]:
    return _run(folder, data.make(scratch / "10000.db", 10_000), size), {}


def _rows(folder: Path, scratch: Path, size: int) -> tuple[list[str], dict[str, str]]:
    """Every row of the table travels: the query returns them one by one."""
    database = data.make(scratch / f"{size}.db", size)
    config = folder / "rows.yaml"
    config.write_text(
        f"""\
title: Rows
timezone: UTC
interval_days: 728
end_date: '2024-12-30'
datasources: {{shop: {{plugin: sqlite, args: {{database: {database}, max_rows: 10000000}}}}}}
views:
  all:
    plugin: plot
    args:
      datasource: shop
      query: select created_at, amount from sign_ups where created_at >= {{from}} and created_at < {{to}}
      query_args: {{parse_dates: [created_at]}}
      time_column: created_at
outputs: {{}}
""",
        encoding="utf-8",
    )
    return [*PROGRAM, "preview", "-c", str(config), "--out", str(folder / "page")], {}


def _days(folder: Path, scratch: Path, size: int) -> tuple[list[str], dict[str, str]]:
    database = data.make(scratch / "10000.db", 10_000)
    config = reports.write(folder / "bench.yaml", database=database, output=folder / "out", views=4)
    first = LAST - timedelta(days=size - 1)
    return [*PROGRAM, "backfill", "-c", str(config), "--from", str(first), "--to", str(LAST)], {}


def _reports(folder: Path, scratch: Path, size: int) -> tuple[list[str], dict[str, str]]:
    """Loading a code location with many reports, as the Dagster UI does."""
    database = data.make(scratch / "10000.db", 10_000)
    (folder / "reports").mkdir()
    for n in range(size):
        file = folder / "reports" / f"report_{n}.yaml"
        reports.write(file, database=database, output=folder / "out", views=8)
    load = "from kpi_assets.definitions import load_definitions as load; load().get_repository_def().get_all_jobs()"
    return [sys.executable, "-c", load], {"KPI_ASSETS_REPORTS": str(folder / "reports")}


def _run(folder: Path, database: Path, views: int) -> list[str]:
    config = reports.write(folder / "bench.yaml", database=database, output=folder / "out", views=views)
    return [*PROGRAM, "run", "-c", str(config)]


Command = Callable[[Path, Path, int], tuple[list[str], dict[str, str]]]
COMMANDS: dict[str, Command] = {"views": _views, "rows": _rows, "days": _days, "reports": _reports}


if __name__ == "__main__":
    main()
