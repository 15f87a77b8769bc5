"""Where a delivery is killed, and how a process is brought to be exactly there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from kpi_assets_tests.kills.bench import Bench
from kpi_assets_tests.kills.books import Books
from kpi_assets_tests.kills.channels import Told
from kpi_assets_tests.kills.errand import Errand
from kpi_assets_tests.kills.gate import Gate, Stop

PATIENCE = 60.0
BEFORE_CLAIM, BEFORE_CONNECT, ON_CONNECT = "before the claim", "before connect", "on connect"
SENDING, BEFORE_ANSWER, BEFORE_WRITE = "while sending", "before the answer", "before the ledger's write"
WRITING, ANY = "while writing", "any moment"
LINED = (BEFORE_CLAIM, BEFORE_CONNECT, ON_CONNECT, SENDING, BEFORE_ANSWER, BEFORE_WRITE, ANY)
FOLDER = (BEFORE_CLAIM, WRITING, BEFORE_WRITE, ANY)
HELD = (ON_CONNECT, SENDING, BEFORE_ANSWER, BEFORE_WRITE, WRITING)
"""Those at which a process is wherever it came from and however long that took."""


def points_of(bench: Bench) -> tuple[str, ...]:
    """Where a delivery by this channel can be killed."""
    return LINED if bench.channel.port else FOLDER


def stop_at(bench: Bench, point: str, dice: random.Random) -> Stop:
    """Where the line holds, so that the process is at that point."""
    up, down = bench.size["up"], bench.size["down"]
    match point:
        case "before connect":
            return Stop("refuse")
        case "on connect":
            return Stop("accept")
        case "before the ledger's write" if not isinstance(bench.channel, Told):
            return Stop("accept") if bench.channel.port else Stop()
        case "while sending":
            return Stop("up", dice.randrange(1, dice.choice((min(up, 400), up))))
        case "before the answer" if not isinstance(bench.channel, Told):
            return Stop("down", dice.randrange(down))
        case _:
            return Stop()


@dataclass(frozen=True)
class Killer:
    """Kills what `start` starts."""

    bench: Bench
    gate: Gate
    books: Books
    dice: random.Random
    start: Callable[[], Errand]

    def kill_at(self, point: str) -> bool:
        """Whether it was still alive then."""
        if point == BEFORE_CLAIM:
            with self.books.held():
                return self._killed(self.start(), least=0.05, most=0.25)
        if point in (BEFORE_ANSWER, BEFORE_WRITE) and isinstance(self.bench.channel, Told):
            self.bench.channel.on_taken = self.gate.hold_answers
        errand = self.start()
        if point == ANY:
            return self._killed(errand, most=self.bench.seconds)
        if point == BEFORE_WRITE:
            return self._kill_before_write(errand)
        if point in (BEFORE_CONNECT, WRITING):
            self._until(errand, lambda: self.books.state() == "claimed")
            return self._killed(errand, most=0.02 if point == BEFORE_CONNECT else self.bench.seconds / 3)
        self._until(errand, self.gate.reached.is_set)
        return self._killed(errand, most=0.02)

    def _kill_before_write(self, errand: Errand) -> bool:
        """Somebody else has the ledger, so that the process has its answer and cannot write it down.

        What people see is announced in the ledger, so it is taken only when the peer has the message.
        """
        lined = self.bench.channel.port
        self._until(errand, lambda: self.gate.reached.is_set() if lined else self.books.state() == "claimed")
        with self.books.held():
            self.gate.open()
            self._until(errand, lambda: bool(self.bench.received()))
            return self._killed(errand, least=0.02, most=0.08)

    def _killed(self, errand: Errand, *, most: float, least: float = 0.0) -> bool:
        time.sleep(self.dice.uniform(least, most))
        alive = not errand.over
        errand.kill()
        return alive

    def _until(self, errand: Errand, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds() and not errand.over and time.monotonic() < deadline:
            time.sleep(0.002)
