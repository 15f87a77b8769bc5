"""Real processes: several at once, and some that die."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpi_assets.errors import DeliveryError
from kpi_assets.ledger import Terms, deliver_once
from kpi_assets.ledger.store import open_ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, Clock, Postman

WORKERS = 3


class Worker:
    """A process of `worker.py`, ready to deliver when told to."""

    def __init__(self, home: Path, name: str, mode: str, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "kpi_assets_tests.ledger.worker", str(home), name, mode]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> str:
        said, complained = self.process.communicate(timeout=100)
        assert self.process.returncode == 0, complained
        return said.strip().splitlines()[-1]


def inbox(home: Path) -> list[str]:
    path = home / "inbox"
    return path.read_text().splitlines() if path.exists() else []


def race(home: Path, mode: str, environ: dict[str, str]) -> list[str]:
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(home, f"w{n}", mode, environ)) for n in range(WORKERS)]
        assert {worker.heard() for worker in workers} == {"ready"}
        for worker in workers:
            worker.go()
        return sorted(worker.end() for worker in workers)


def test_of_processes_at_once_one_tells_people(tmp_path: Path, environ: dict[str, str]) -> None:
    """Processes that start on no ledger at the same moment make its tables, and one of them delivers."""
    assert race(tmp_path, "notify", environ) == ["sent", *["skipped"] * (WORKERS - 1)]
    assert len(inbox(tmp_path)) == 1
    (entry,) = open_ledger(tmp_path, environ).entries()
    assert (entry.state, entry.attempts) == ("sent", 1)


def test_all_processes_at_once_publish(tmp_path: Path, environ: dict[str, str]) -> None:
    """What is published is published by each, and recorded each time."""
    assert race(tmp_path, "publish", environ) == ["sent"] * WORKERS
    (entry,) = open_ledger(tmp_path, environ).entries()
    assert (len(inbox(tmp_path)), entry.state, entry.attempts) == (WORKERS, "sent", WORKERS)


@pytest.mark.parametrize(("mode", "mails"), [("notify-before", 0), ("notify-after", 1)])
def test_a_killed_process_leaves_a_doubt_that_nobody_replays(
    tmp_path: Path, environ: dict[str, str], mode: str, mails: int
) -> None:
    """Killed before or after the mail left, the edition is reported as unknown and not sent until a person asks."""
    _kill_in(tmp_path, mode, environ)
    ledger, postman = open_ledger(tmp_path, environ), Postman()
    assert ledger.entries()[0].state == "claimed"
    later = Clock(datetime.now(UTC) + timedelta(seconds=5))
    for _ in range(2):
        outcome = deliver_once(ledger, MAIL, postman, clock=later, pause=later.turn)
        assert isinstance(outcome.error, DeliveryError)
        assert outcome.error.ambiguous
    assert (len(inbox(tmp_path)), postman.rounds, ledger.entries()[0].state) == (mails, [], "unknown")
    deliver_once(ledger, MAIL, postman, clock=later, terms=Terms(force=True))
    assert (len(postman.rounds), ledger.entries()[0].state) == (1, "sent")


def test_a_killed_publication_is_made_again(tmp_path: Path, environ: dict[str, str]) -> None:
    """Killed while it published, the next run does it again, without waiting for the lease."""
    _kill_in(tmp_path, "publish-before", environ)
    ledger, postman = open_ledger(tmp_path, environ), Postman(replace(PAGE))
    outcome = deliver_once(ledger, PAGE, postman, clock=lambda: datetime.now(UTC))
    assert (outcome.error, len(postman.rounds), ledger.entries()[0].state) == (None, 1, "sent")


def _kill_in(home: Path, mode: str, environ: dict[str, str]) -> None:
    """Start a worker and kill it (SIGKILL) where the mode says that it hangs."""
    with Worker(home, "doomed", mode, environ) as worker:
        assert worker.heard() == "ready"
        worker.go()
        assert worker.heard() == "hanging"
