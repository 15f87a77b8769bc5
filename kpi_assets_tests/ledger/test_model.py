"""Whatever happens in whatever order, people get an edition once."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kpi_assets.ledger import Claim, Held, Terms
from kpi_assets.ledger.audience import divide
from kpi_assets.ledger.model import Why, members
from kpi_assets.ledger.store import Ledger, open_ledger
from kpi_assets_tests.ledger.worlds import MAIL, Clock, receipt

EXAMPLES = count()
EVERYBODY = ("ada", "bob", "cid")
AUDIENCES = st.sets(st.sampled_from(EVERYBODY), min_size=1).map(sorted).map(tuple)


@cache
def one_ledger() -> Ledger:
    """One for all examples, which are reports of their own: making the tables takes longer than an example."""
    folder = tempfile.mkdtemp(prefix="kpi_assets_ledger_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return open_ledger(Path(folder), {})


@dataclass
class Worker:
    """A process that holds a claim; `sent` when the message has left it."""

    held: Held
    sent: bool = False


class Deliveries(RuleBasedStateMachine):
    """Workers that claim, send, settle, stall and die, over one edition whose content and audience change."""

    @initialize(on_change=st.booleans())
    def start(self, on_change: bool) -> None:
        self.ledger = one_ledger()
        self.edition = replace(MAIL, report=f"weekly{next(EXAMPLES)}")
        self.clock = Clock()
        self.on_change = on_change
        self.content = 1
        self.runs = 0
        self.working: list[Worker] = []
        self.got: Counter[tuple[str, str]] = Counter()
        self.reached: set[str] = set()

    def terms(self, *, force: bool) -> Terms:
        return Terms(force, "on_change" if self.on_change else "never")

    def claim(self, people: tuple[str, ...], *, force: bool = False) -> Worker | None:
        """What `delivery` does: give up the dead, leave out whom the ledger knows, claim the rest."""
        self.runs += 1
        self.ledger.give_up_lapsed(now=self.clock(), report=self.edition.report)
        wanted = replace(
            self.edition, recipients=people, content_hash=str(self.content), run_id=str(self.runs)
        )
        audience = divide(self.ledger.siblings(wanted), wanted, self.terms(force=force))
        if not audience.whole:
            wanted = replace(wanted, recipients=audience.remaining)
        if not wanted.recipients:
            return None
        got = self.ledger.claim(wanted, now=self.clock(), terms=self.terms(force=force))
        return Worker(got) if isinstance(got, Held) else None

    def leave(self, worker: Worker, why: Why, claim: Claim, refused: tuple[str, ...] = ()) -> None:
        """The message reaches its people."""
        worker.sent = True
        for person in set(claim.recipients) - set(refused):
            self.reached.add(person)
            if why != "forced":
                self.got[person, claim.content_hash if self.on_change else ""] += 1

    @rule(people=AUDIENCES, force=st.booleans())
    def begin(self, people: tuple[str, ...], force: bool) -> None:
        worker = self.claim(people, force=force)
        if worker:
            self.working.append(worker)

    @precondition(lambda self: self.working)
    @rule(
        data=st.data(),
        end=st.sampled_from(["arrived", "partial", "failed", "in doubt", "died", "died after"]),
    )
    def end(self, data: st.DataObject, end: str) -> None:
        worker = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        held, now = worker.held, self.clock()
        if end in ("failed", "died") and not worker.sent:
            if end == "failed":
                self.ledger.failed(held, "server away", now=now)
            return
        refused = held.claim.recipients[:1] if end == "partial" and not worker.sent else ()
        if not worker.sent:
            self.leave(worker, held.why, held.claim, refused)
        if end in ("arrived", "partial", "failed"):
            said = receipt(held.claim, refused=[f"{name}: 550 unknown" for name in refused])
            self.ledger.arrived(held, said, now=now)
        elif end == "in doubt":
            self.ledger.in_doubt(held, "no answer", now=now)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def send_and_stall(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.working))
        if not worker.sent:
            self.leave(worker, worker.held.why, worker.held.claim)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def be_heard_of(self, data: st.DataObject) -> None:
        self.ledger.renew(data.draw(st.sampled_from(self.working)).held, now=self.clock())

    @rule(seconds=st.sampled_from([1, 30, 59, 60, 600]))
    def wait(self, seconds: int) -> None:
        self.clock.turn(seconds)

    @rule()
    def look(self) -> None:
        self.ledger.give_up_lapsed(now=self.clock(), report=self.edition.report)

    @rule()
    def change(self) -> None:
        self.content += 1

    @invariant()
    def nobody_gets_it_twice(self) -> None:
        """Without force, a person gets an edition once; under `on_change` each content once."""
        assert [who for who, times in self.got.items() if times > 1] == []

    def teardown(self) -> None:
        """When all have ended, one more run leaves nobody without the edition, except where that is unknown."""
        if not hasattr(self, "ledger"):
            return
        self.working.clear()
        self.clock.turn(600)
        for people in (EVERYBODY, *((person,) for person in EVERYBODY)):
            worker = self.claim(people)
            if worker:
                self.leave(worker, worker.held.why, worker.held.claim)
                self.ledger.arrived(worker.held, receipt(worker.held.claim), now=self.clock())
        self.nobody_gets_it_twice()
        doubtful = members(()).union(
            *(e.members for e in self.ledger.siblings(self.edition) if e.state == "unknown")
        )
        assert members(set(EVERYBODY) - self.reached) <= doubtful


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
