"""`python -m benchmarks.start`: CPU seconds until something can be done: loading a code location, `kpi-assets --help`.

A location is loaded as Dagster does when it starts or reloads: definitions, repository, snapshot. `--help` is held
against `import dagster`, which is what every command would cost if it loaded Dagster.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import data, measure, reports

HERE = Path(__file__).resolve().parent
REPORTS = (1, 10, 100)
VIEWS = 8
LOAD = """
from kpi_assets.definitions import load_definitions
from dagster._core.remote_representation.external_data import RepositorySnap
RepositorySnap.from_def(load_definitions().get_repository_def())
"""


@dataclass(frozen=True)
class Start:
    """One kind of start and its median cost."""

    what: str
    cpu: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", type=Path, default=HERE / "results" / "start.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        starts = [*commands(Path(scratch), options.times), *locations(Path(scratch), options.times)]
    bare, ours = starts[0].cpu, starts[1].cpu
    print(f"`kpi-assets --help` takes {ours / bare:.0%} of `import dagster`")
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps([asdict(start) for start in starts], indent=1) + "\n")


def commands(scratch: Path, times: int) -> list[Start]:
    """In turns, so that a machine that is busier for a while is so for both."""

    def timed(*arguments: str) -> measure.Cost:
        return measure.run([sys.executable, *arguments], cwd=scratch)

    dagster, help_ = measure.side_by_side(
        lambda: timed("-c", "import dagster"), lambda: timed("-m", "kpi_assets", "--help"), times
    )
    return [told("import dagster", dagster), told("kpi-assets --help", help_)]


def locations(scratch: Path, times: int) -> list[Start]:
    database = data.make(scratch / "1000.db", 1000)
    return [location(scratch, database, count, times) for count in REPORTS]


def location(scratch: Path, database: Path, count: int, times: int) -> Start:
    """A folder of `count` reports of eight views each, loaded in a fresh process."""
    folder = scratch / f"reports-{count}"
    folder.mkdir()
    for number in range(count):
        file = folder / f"report_{number:03}.yaml"
        reports.write(file, database=database, output=scratch / "out", views=VIEWS)
    command: Sequence[str] = [sys.executable, "-c", LOAD]
    env = {"KPI_ASSETS_REPORTS": str(folder), "KPI_ASSETS_HOME": str(scratch / "home")}
    cost = measure.median(lambda: measure.run(command, cwd=scratch, env=env), times)
    return told(f"location of {count} reports", cost)


def told(what: str, cost: measure.Cost) -> Start:
    print(f"{what:>28}{cost.cpu:>8.2f} CPU s{cost.peak_mb:>8.0f} MB", flush=True)
    return Start(what, cost.cpu, cost.peak_mb)


if __name__ == "__main__":
    main()
