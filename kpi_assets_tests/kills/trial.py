"""One edition, one process that is killed while it delivers it, and what becomes of it afterwards."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from kpi_assets_tests.kills.bench import Bench, gate_to, home_for
from kpi_assets_tests.kills.books import Books
from kpi_assets_tests.kills.channels import Told
from kpi_assets_tests.kills.errand import SAID
from kpi_assets_tests.kills.killing import Killer, stop_at

RUNS = 2
"""Runs after the kill; one is enough where each publishes again whatever was."""


@dataclass(frozen=True)
class Outcome:
    """What a trial showed.

    `alive`: the process was killed, it had not ended. `at_kill` is the ledger's state then. `received` and `state` are
    after two more runs (one of what is published) that ended with `codes`; `settled` is what was received in all after
    a person looked. `mixed` names a file of `latest` that was neither the old nor the new one at the kill.
    """

    point: str
    alive: bool
    at_kill: str
    received_at_kill: int
    received: int
    state: str
    codes: tuple[int, ...]
    said: str
    settled: int
    mixed: str

    @property
    def doubled(self) -> bool:
        return self.received > 1 or self.settled > 1

    @property
    def lost(self) -> bool:
        """Nobody has it, and nobody was told: or not even a person could mend it."""
        reported = self.state == "unknown" and all(self.codes) and "not known" in self.said
        return self.settled != 1 or (self.received == 0 and not reported)


def trial(bench: Bench, point: str, dice: random.Random) -> Outcome:
    """Kill a delivery at the point, run it again twice, then let a person settle what is in doubt."""
    with home_for(bench) as home, gate_to(bench, stop_at(bench, point, dice)) as gate:
        environ = bench.environ(gate.port)
        books = Books(home, environ)
        books.clear()
        bench.clear(gate.port)

        def start() -> object:
            return bench.start(bench.report, home, environ)

        alive = Killer(bench, gate, books, dice, start).kill_at(point)  # type: ignore[arg-type]
        gate.drop()
        at_kill, received_at_kill, mixed = books.state(), bench.received(), bench.mixed()
        codes: list[int] = []
        told = isinstance(bench.channel, Told)
        for _ in range(RUNS if told else 1):
            if told and dice.random() < 0.8:  # else the run itself waits
                _wait_for_lease(books)
            codes.append(bench.start(bench.report, home, environ).join())
        gate.drop()
        said = (home / SAID).read_text(encoding="utf-8", errors="replace")
        received, state = bench.received(), books.state()
        if state == "unknown":
            _settle(bench, books, environ)
        settled = bench.received() if state == "unknown" else received
        return Outcome(
            point, alive, at_kill, received_at_kill, received, state, tuple(codes), said, settled, mixed
        )


def _wait_for_lease(books: Books) -> None:
    while any(
        entry.state == "claimed" and not entry.lapsed(datetime.now(UTC)) for entry in books.ledger.entries()
    ):
        time.sleep(0.05)


def _settle(bench: Bench, books: Books, environ: dict[str, str]) -> None:
    """As docs/delivery.md tells a person: look, then confirm or resend."""
    from kpi_assets.config import load_report
    from kpi_assets.delivery import resend
    from kpi_assets.plan import build_plan
    from kpi_assets.session import open_session

    (entry,) = books.ledger.entries()
    if bench.received():
        books.ledger.confirm(entry.id, now=datetime.now(UTC))
        return
    plan = build_plan(load_report([bench.report]), environ)
    with open_session(plan, books.home, environ) as session:
        resend(session, entry)
