"""What is done to the tables within one transaction that has its edition and output alone (`Database.turn`)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kpi_assets.errors import InputError
from kpi_assets.ledger.model import Claim, Entry, Held, State, Why
from kpi_assets.ledger.rows import Hide, described, entry_of, identity
from kpi_assets.ledger.rules import NOTHING_YET, as_left, still
from kpi_assets.ledger.schema import ATTEMPTS, DELIVERIES


@dataclass(frozen=True)
class Turn:
    """One transaction at one moment."""

    connection: Connection
    now: datetime
    hide: Hide

    # ------------------------------------------------------------ reading

    def find(self, claim: Claim) -> Entry | None:
        """The claim's row."""
        same = [DELIVERIES.c[name] == value for name, value in identity(claim).items()]
        row = self.connection.execute(select(DELIVERIES).where(*same)).one_or_none()
        return entry_of(row) if row else None

    def siblings(self, claim: Claim) -> list[Entry]:
        """All rows of the claim's edition and output, whoever the recipients are."""
        same = [DELIVERIES.c[name] == value for name, value in identity(claim).items() if name != "audience"]
        return [entry_of(row) for row in self.connection.execute(select(DELIVERIES).where(*same))]

    def get(self, id: int) -> Entry:
        """A row. Raises InputError where there is none."""
        row = self._row(id)
        if row is None:
            raise InputError(f"there is no delivery {id}: `kpi-assets deliveries list` shows those that are")
        return entry_of(row)

    def find_again(self, entry: Entry) -> Entry | None:
        """The row as it is now; None where it is gone."""
        row = self._row(entry.id)
        return entry_of(row) if row else None

    def tried(self, token: str) -> Row[Any] | None:
        """The attempt that has, or had, the claim."""
        return self.connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.token == token)).one_or_none()

    # ------------------------------------------------------------ writing

    def add(self, claim: Claim, state: State, reason: str = "") -> Entry:
        """A new row for the claim."""
        values: dict[str, Any] = {
            **identity(claim),
            **described(claim, self.hide),
            "reached": "[]",
            "state": state,
            "reason": self.hide(reason),
            "content_hash": "",
            "attempts": 0,
            "token": "",
            "run_id": claim.run_id,
            "forced": False,
            "created_at": self.now,
            "changed_at": self.now,
        }
        done = self.connection.execute(DELIVERIES.insert().values(values))
        return self.get(int((done.inserted_primary_key or (0,))[0]))

    def take(self, claim: Claim, entry: Entry, why: Why, lease_until: datetime) -> Held:
        """Put the row under a new token, and begin an attempt."""
        held = Held(claim, entry.id, str(uuid.uuid4()), why, lease_until)
        self.change(
            entry.id,
            **described(claim, self.hide),
            state="claimed",
            reason=NOTHING_YET if claim.announces and claim.effect == "notify" else "",
            state_before=entry.before if entry.state == "claimed" else entry.state,
            attempts=entry.attempts + 1,
            token=held.token,
            lease_until=lease_until,
            run_id=claim.run_id,
            forced=why == "forced",
        )
        values: dict[str, Any] = {
            "delivery": entry.id,
            "number": entry.attempts + 1,
            "token": held.token,
            "state": "claimed",
            "why": why,
            "run_id": claim.run_id,
            "content_hash": claim.content_hash,
            "reason": "",
            "started_at": self.now,
        }
        self.connection.execute(ATTEMPTS.insert().values(values))
        return held

    def settle(self, held: Held, state: State, reason: str, facts: Mapping[str, Any]) -> None:
        """Write what became of an attempt. Its row follows, unless another has taken the claim meanwhile."""
        said = self.hide(reason)
        tried = update(ATTEMPTS).where(ATTEMPTS.c.token == held.token)
        self.connection.execute(tried.values(state=state, reason=said, ended_at=self.now))
        row = self._row(held.id)
        if row is None or row.token != held.token or row.state not in ("claimed", "unknown"):
            return
        after = still(entry_of(row)) if state in ("failed", "skipped") else None
        had = after is not None and after.state != "failed"
        kept = {"state": after.state, "run_id": after.run_id} if after and had else {"state": state}
        self.change(held.id, **{"reason": said, "lease_until": None, **facts, **kept})

    def still_reached(self, held: Held) -> frozenset[str]:
        """Who had the edition before this attempt; under `on_change`, who had this content."""
        row = self._row(held.id)
        if row is None:
            return frozenset()
        same = held.terms.redeliver == "never" or row.content_hash == held.claim.content_hash
        return entry_of(row).reached if same else frozenset()

    def handing_over(self, held: Held, lease_until: datetime) -> bool:
        """Write down that people may see something from now on; False where the claim is no longer `held`'s."""
        mine = (DELIVERIES.c.id == held.id, DELIVERIES.c.token == held.token, DELIVERIES.c.state == "claimed")
        begun = update(DELIVERIES).where(*mine).values(reason="", lease_until=lease_until)
        return self.connection.execute(begun).rowcount == 1

    def give_up(self, entry: Entry) -> Entry:
        """Settle the row if the process that held it is dead; the row as it is then."""
        left = as_left(entry, self.now)
        if left == entry:
            return entry
        self.change(entry.id, state=left.state, reason=left.reason, run_id=left.run_id, lease_until=None)
        state: State = "unknown" if entry.effect == "notify" and entry.reason != NOTHING_YET else "failed"
        tried = update(ATTEMPTS).where(ATTEMPTS.c.token == entry.token)
        self.connection.execute(tried.values(state=state, reason=left.reason))
        return self.get(entry.id)

    def change(self, id: int, **values: Any) -> None:
        row = {"changed_at": self.now, **values}
        self.connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == id).values(row))

    def remove(self, id: int) -> None:
        self.connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.delivery == id))
        self.connection.execute(DELIVERIES.delete().where(DELIVERIES.c.id == id))

    def _row(self, id: int) -> Row[Any] | None:
        return self.connection.execute(select(DELIVERIES).where(DELIVERIES.c.id == id)).one_or_none()
