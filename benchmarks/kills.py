"""`python -m benchmarks.kills --channel smtp --kills 200 --seed 1`: processes killed while they deliver.

Each kill: a process delivers an edition to a real peer on this machine and is killed (SIGKILL) somewhere between its
claim in the ledger and the receipt, then the edition is run twice more, then a person settles what is in doubt. Counted
is what the peer got. Without `--channel` all channels in turn; `--through cli` kills whole runs of `kpi-assets run`;
`--ledger` is a postgresql:// URL. `--races N` starts two processes at the same moment, N times, on channels that people
see. Results are kept in `results/kills.json`. Ends with 1 where something was lost or doubled.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_assets_tests.kills.tally import Tally

TOLD = ("smtp", "sendgrid", "slack", "webhook")
CHANNELS = (*TOLD, "s3", "scp", "static")


def main() -> int:
    from kpi_assets_tests.kills.tally import Tally, keep

    asked = _asked()
    bad = 0
    for name in asked.channel or CHANNELS:
        tally = Tally(name, asked.through, "postgresql" if asked.ledger else "sqlite", asked.seed)
        started = time.monotonic()
        if asked.kills:
            _kill(tally, asked)
        if asked.races and name in TOLD:
            _race(tally, asked)
        print(f"{tally.told()}, {time.monotonic() - started:.0f} s", flush=True)
        keep(tally)
        bad += tally.bad
    return int(bad > 0)


def _kill(tally: Tally, asked: argparse.Namespace) -> None:
    from kpi_assets_tests.kills.bench import bench
    from kpi_assets_tests.kills.killing import HELD, points_of
    from kpi_assets_tests.kills.tally import keep
    from kpi_assets_tests.kills.trial import trial

    dice = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder, bench(tally.channel, Path(folder), **_how(asked)) as made:
        points = [p for p in points_of(made) if asked.through == "stage" or p in HELD]
        for number in range(asked.kills):
            if number and number % 10 == 0:
                keep(tally)
            tally.kills.append(trial(made, dice.choice(points), dice))


def _race(tally: Tally, asked: argparse.Namespace) -> None:
    from kpi_assets_tests.kills.bench import bench
    from kpi_assets_tests.kills.races import race

    with tempfile.TemporaryDirectory() as folder, bench(tally.channel, Path(folder), **_how(asked)) as made:
        for _ in range(asked.races):
            tally.races.append(race(made, 2))


def _how(asked: argparse.Namespace) -> dict[str, Any]:
    from kpi_assets_tests.kills.errand import Commanded, Forked

    start = {"stage": Forked, "cli": Commanded}[asked.through].start
    return {"start": start, "more": {"KPI_ASSETS_LEDGER": asked.ledger} if asked.ledger else {}}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channel", action="append", choices=CHANNELS)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--races", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--through", choices=("stage", "cli"), default="stage")
    parser.add_argument("--ledger", default="", metavar="URL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
