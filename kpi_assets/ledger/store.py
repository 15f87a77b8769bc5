"""The ledger itself: claims that only one process can hold, and what became of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select, update

from kpi_assets.contracts import Receipt
from kpi_assets.errors import InputError
from kpi_assets.ledger.audience import overlap
from kpi_assets.ledger.database import Database, open_database
from kpi_assets.ledger.model import (
    ONCE,
    Attempt,
    Claim,
    Entry,
    Held,
    LedgerError,
    Refused,
    State,
    Terms,
    reached_by,
)
from kpi_assets.ledger.rows import Hide, attempt_of, entry_of, members_json, receipt_json
from kpi_assets.ledger.rules import Verdict, decide
from kpi_assets.ledger.schema import ATTEMPTS, DELIVERIES
from kpi_assets.ledger.turns import Turn

LEASE = timedelta(seconds=60)
"""How long a process may be silent before its delivery counts as `unknown`. It is heard of every quarter of this."""

LEASE_SECONDS = "KPI_ASSETS_LEASE"
"""The variable that sets another lease, in seconds."""


def _as_it_is(text: str) -> str:
    return text


def open_ledger(home: Path, environ: Mapping[str, str], *, hide: Hide = _as_it_is) -> Ledger:
    """The ledger of a project, its tables made on first use. Raises LedgerError.

    It is the PostgreSQL database that `KPI_ASSETS_LEDGER` names, else `<home>/ledger.db`. `KPI_ASSETS_LEASE` sets the
    lease, in seconds. `hide` puts `***` in place of secrets in everything that is kept.
    """
    lease = lease_from(environ)
    return Ledger(open_database(home, environ), hide, lease)


def lease_from(environ: Mapping[str, str]) -> timedelta:
    """The lease that the environment sets, else a minute. Raises LedgerError for one that is no time."""
    written = environ.get(LEASE_SECONDS, "")
    if not written:
        return LEASE
    try:
        lease = timedelta(seconds=float(written))
    except (ValueError, OverflowError):
        lease = timedelta(0)
    if lease <= timedelta(0):
        raise LedgerError(f"{LEASE_SECONDS} is '{written}'; write a number of seconds above 0, as in 60")
    return lease


@dataclass(frozen=True)
class Search:
    """What `Ledger.entries` should show; None is everything.

    `since`: whose state changed then or later. `window`: first day and the day after the last.
    """

    report: str | None = None
    output: str | None = None
    states: tuple[State, ...] = ()
    since: datetime | None = None
    window: tuple[date, date] | None = None


EVERYTHING = Search()


@dataclass(frozen=True)
class Ledger:
    """Safe between threads, processes and, in PostgreSQL, machines. Holds no connection between calls.

    Every method that changes something is told the moment; all raise LedgerError when the database does not answer.
    """

    database: Database
    hide: Hide = _as_it_is
    lease: timedelta = LEASE

    # ------------------------------------------------------------ delivering

    def claim(self, claim: Claim, *, now: datetime, terms: Terms = ONCE) -> Held | Refused:
        """Take the claim, if the rules allow it; nobody else can then, until it is settled or the lease ends.

        Who comes upon another's claim whose lease has ended settles that, before anything else: it is `unknown`, or
        `failed` where its holder had still to announce that it hands over.
        """
        with self._turn(claim, now) as turn:
            for other in turn.siblings(claim):
                turn.give_up(other)
            entry = turn.find(claim)
            verdict = _verdict(turn, claim, terms)
            if verdict.stop:
                return Refused(verdict.stop, verdict.text, entry)
            row = entry or turn.add(claim, "claimed")
            held = turn.take(claim, row, verdict.go or "first", now + self.lease)
            return replace(held, terms=terms)

    def foresee(self, claim: Claim, *, now: datetime, terms: Terms = ONCE) -> Verdict:
        """What `claim` would decide; nothing changes."""
        with self._turn(claim, now) as turn:
            return _verdict(turn, claim, terms)

    def renew(self, held: Held, *, now: datetime) -> bool:
        """Tell that the process lives; False when the claim is no longer its own."""
        mine = (DELIVERIES.c.id == held.id, DELIVERIES.c.token == held.token, DELIVERIES.c.state == "claimed")
        with self._turn(held.claim, now) as turn:
            renewed = update(DELIVERIES).where(*mine).values(lease_until=now + self.lease)
            return turn.connection.execute(renewed).rowcount == 1

    def handing_over(self, held: Held, *, now: datetime) -> bool:
        """Write down that from now on people may see something of the delivery, and tell that the process lives.

        False when the claim is no longer its own: nothing may be handed over then.
        """
        with self._turn(held.claim, now) as turn:
            return turn.handing_over(held, now + self.lease)

    def arrived(self, held: Held, receipt: Receipt, *, now: datetime) -> None:
        """The delivery was taken; by some of the recipients only, where the receipt tells of refusals.

        Where it was a trial, nobody has anything, and the next run decides anew.
        """
        if receipt.trial:
            with self._turn(held.claim, now) as turn:
                turn.settle(held, "skipped", receipt.trial, {})
            return
        reached, refusals = reached_by(held.claim, receipt), "; ".join(receipt.refused)
        if refusals and held.claim.recipients and not reached:
            self.failed(held, refusals, now=now)
            return
        facts: dict[str, Any] = {
            "content_hash": held.claim.content_hash,
            "receipt": receipt_json(receipt, self.hide),
            "delivered_at": now,
        }
        with self._turn(held.claim, now) as turn:
            facts["reached"] = members_json(reached | turn.still_reached(held))
            turn.settle(held, "partial" if refusals else "sent", refusals, facts)

    def failed(self, held: Held, reason: str, *, now: datetime) -> None:
        """The delivery did certainly not arrive. What people had before, they still have."""
        with self._turn(held.claim, now) as turn:
            turn.settle(held, "failed", reason, {})

    def in_doubt(self, held: Held, reason: str, *, now: datetime) -> None:
        """The delivery may have arrived or not."""
        with self._turn(held.claim, now) as turn:
            turn.settle(held, "unknown", reason, {})

    def skip(self, claim: Claim, reason: str, *, now: datetime) -> None:
        """Record that the edition was not to be delivered, and why. What was delivered before stays as it is."""
        with self._turn(claim, now) as turn:
            entry = turn.find(claim)
            if entry is None:
                turn.add(claim, "skipped", reason)
            elif entry.state in ("skipped", "failed"):
                turn.change(entry.id, state="skipped", reason=self.hide(reason), run_id=claim.run_id)

    # ------------------------------------------------------------ looking

    def entries(self, search: Search = EVERYTHING) -> list[Entry]:
        """The rows, the newest edition first."""
        with self.database.turn("look") as connection:
            return [entry_of(row) for row in connection.execute(_wanted(search))]

    def entry(self, id: int) -> Entry:
        """One row. Raises InputError where there is none."""
        with self.database.turn("look") as connection:
            return Turn(connection, datetime.max, self.hide).get(id)

    def siblings(self, claim: Claim) -> list[Entry]:
        """All rows of the claim's edition and output, whoever the recipients are."""
        with self.database.turn("look") as connection:
            return Turn(connection, datetime.max, self.hide).siblings(claim)

    def attempts(self, id: int) -> list[Attempt]:
        """The history of a row, oldest first."""
        wanted = select(ATTEMPTS).where(ATTEMPTS.c.delivery == id).order_by(ATTEMPTS.c.number)
        with self.database.turn("look") as connection:
            return [attempt_of(row) for row in connection.execute(wanted)]

    # ------------------------------------------------------------ a person's word

    def give_up_lapsed(self, *, now: datetime, report: str | None = None) -> list[Entry]:
        """Settle every claim whose process has not been heard of, as `claim` would. Returns them."""
        lapsed = [e for e in self.entries(Search(report=report, states=("claimed",))) if e.lapsed(now)]
        for entry in lapsed:
            with self._turn(entry, now) as turn:
                turn.give_up(turn.get(entry.id))
        return [self.entry(entry.id) for entry in lapsed]

    def confirm(self, id: int, *, now: datetime) -> Entry:
        """A person looked and it did arrive: `unknown` becomes `sent`. Raises InputError for another state."""
        with self._turn(self.entry(id), now) as turn:
            entry = turn.get(id)
            if entry.state != "unknown":
                raise InputError(f"delivery {id} is {entry.state}; only one that is unknown can be confirmed")
            tried = turn.tried(entry.token)
            turn.change(
                id,
                state="sent",
                reason="confirmed by a person",
                reached=members_json(entry.members),
                content_hash=tried.content_hash if tried else entry.content_hash,
                delivered_at=tried.started_at if tried else now,
            )
            return turn.get(id)

    def forget(self, id: int, *, now: datetime) -> Entry:
        """Remove a row with its history: the next run delivers as if nothing had been. Returns what it was.

        Raises InputError where there is none, and while a process is delivering it.
        """
        with self._turn(self.entry(id), now) as turn:
            entry = turn.get(id)
            if entry.state == "claimed" and not entry.lapsed(now):
                raise InputError(f"delivery {id} is being made right now: wait until it is done")
            turn.remove(id)
            return entry

    def prune(self, before: datetime, *, now: datetime) -> list[Entry]:
        """Remove every row whose edition ended, and whose state last changed, before a moment. Returns them.

        What is claimed or unknown stays: somebody has to look at it first.
        """
        found = self.entries(Search(states=("sent", "partial", "failed", "skipped")))
        old = [e for e in found if e.end <= before.date() and e.changed_at < before]
        removed: list[Entry] = []
        for entry in old:
            with self._turn(entry, now) as turn:
                if turn.find_again(entry) == entry:
                    turn.remove(entry.id)
                    removed.append(entry)
        return removed

    @contextmanager
    def _turn(self, what: Claim | Entry, now: datetime) -> Generator[Turn]:
        """A transaction that has this edition and output alone."""
        with self.database.turn(f"{what.report}/{what.start}/{what.end}/{what.output}") as connection:
            yield Turn(connection, now, self.hide)


def _verdict(turn: Turn, claim: Claim, terms: Terms) -> Verdict:
    verdict = decide(turn.find(claim), claim, terms, turn.now)
    against = None if verdict.stop else overlap(turn.siblings(claim), claim, terms, turn.now)
    if against and terms.force and against.stop != "busy":
        return Verdict(go="forced")
    return against or verdict


def _wanted(search: Search) -> Select[Any]:
    table = DELIVERIES.c
    same = {"report": search.report, "output": search.output}
    tests = [table[name] == value for name, value in same.items() if value is not None]
    if search.states:
        tests.append(table.state.in_(search.states))
    if search.since is not None:
        tests.append(table.changed_at >= search.since)
    if search.window is not None:
        tests += [table.window_start == search.window[0], table.window_end == search.window[1]]
    order = (table.window_end.desc(), table.window_start.desc(), table.report, table.output, table.id)
    return select(DELIVERIES).where(*tests).order_by(*order)
