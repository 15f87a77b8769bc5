"""Who of an audience has an edition already: audiences change, and nobody should get it twice for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kpi_assets.ledger.model import Claim, Entry, Terms, member, members, moment
from kpi_assets.ledger.rules import Verdict, as_left, doubt


@dataclass(frozen=True)
class Audience:
    """The claim's recipients, parted. `doubts` are sentences about deliveries that may have reached some of them."""

    remaining: tuple[str, ...]
    reached: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Nobody has it, as far as is known."""
        return not self.reached and not self.doubts


def divide(entries: Sequence[Entry], claim: Claim, terms: Terms) -> Audience:
    """Part a claim's audience by what the edition's rows for the same output say.

    The claim's own row counts only where some were refused: for the rest, `decide` has the word.
    """
    if terms.force or claim.effect == "publish":
        return Audience(claim.recipients)
    known = [e for e in entries if e.audience != claim.audience or e.state == "partial"]
    reached = _reached(known, claim, terms)
    doubtful = [
        e for e in known if e.state == "unknown" and (e.members - reached) & members(claim.recipients)
    ]
    unsure = members(()).union(*(e.members for e in doubtful)) - reached
    return Audience(
        remaining=tuple(r for r in claim.recipients if member(r) not in reached | unsure),
        reached=tuple(r for r in claim.recipients if member(r) in reached),
        doubts=tuple(doubt(e) for e in doubtful),
    )


def overlap(entries: Sequence[Entry], claim: Claim, terms: Terms, now: datetime) -> Verdict | None:
    """Why a claim must not be taken for what other claims do to the same people; None where nothing speaks against it.

    Comes up only where two processes deliver at once under different audiences; `divide` goes before.
    """
    if claim.effect == "publish":
        return None
    found = [e for e in entries if e.audience != claim.audience and e.members & members(claim.recipients)]
    others = [as_left(entry, now) for entry in found]
    for entry in others:
        if entry.state == "claimed":
            since = moment(entry.changed_at)
            return Verdict(
                stop="busy", text=f"another process delivers it to some of the same people since {since}"
            )
    for entry in others:
        if entry.state == "unknown":
            return Verdict(stop="unknown", text=doubt(entry))
    if _reached(others, claim, terms) & members(claim.recipients):
        return Verdict(stop="done", text="some of these people got it meanwhile; run again for the others")
    return None


def _reached(entries: Sequence[Entry], claim: Claim, terms: Terms) -> frozenset[str]:
    """Who has this edition; under `on_change`, who has this content."""
    current = [e for e in entries if terms.redeliver == "never" or e.content_hash == claim.content_hash]
    return members(()).union(*(e.reached for e in current))
