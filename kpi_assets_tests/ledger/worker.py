"""A process that delivers: `python -m kpi_assets_tests.ledger.worker HOME NAME MODE`.

It says `ready`, waits for a line, and delivers into the file `HOME/inbox`, a line for each time. MODE: `notify` or
`publish`; with `-before` or `-after` it hangs before or after its line, for the test to kill it. The last line is what
became of it.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kpi_assets.contracts import Receipt
from kpi_assets.ledger import Claim, deliver_once
from kpi_assets.ledger.store import open_ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, receipt


def main(home: Path, name: str, mode: str) -> None:
    claim = replace(PAGE if mode.startswith("publish") else MAIL, run_id=name)
    _say("ready")
    sys.stdin.readline()
    ledger = open_ledger(home, os.environ)
    outcome = deliver_once(
        ledger, claim, lambda: deliver(home, name, mode, claim), clock=lambda: datetime.now(UTC)
    )
    _say("skipped" if outcome.skipped else f"error {outcome.error}" if outcome.error else "sent")


def deliver(home: Path, name: str, mode: str, claim: Claim) -> Receipt:
    if mode.endswith("-before"):
        _hang()
    with (home / "inbox").open("a") as inbox:
        inbox.write(f"{name}\n")
    time.sleep(0.2)
    if mode.endswith("-after"):
        _hang()
    return receipt(claim)


def _hang() -> None:
    _say("hanging")
    time.sleep(600)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
