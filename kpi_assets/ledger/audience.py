"""Who of an audience has an edition already: audiences change, and nobody should get it twice for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpi_assets.ledger.model import Claim, Entry, Terms, member, members
from kpi_assets.ledger.rules import doubt


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


def part(entries: Sequence[Entry], claim: Claim, terms: Terms) -> Audience:
    """Part a claim's audience by what the edition's rows for the same output say.

    The claim's own row counts only where some were refused: for the rest, `decide` has the word.
    """
    if terms.force or claim.effect == "publish":
        return Audience(claim.recipients)
    known = [e for e in entries if e.audience != claim.audience or e.state == "partial"]
    current = [e for e in known if terms.redeliver == "never" or e.content_hash == claim.content_hash]
    reached = members(()).union(*(e.reached for e in current))
    open_ = [e for e in known if e.state in ("claimed", "unknown")]
    doubtful = members(()).union(*(e.members for e in open_)) - reached
    return Audience(
        remaining=tuple(r for r in claim.recipients if member(r) not in reached | doubtful),
        reached=tuple(r for r in claim.recipients if member(r) in reached),
        doubts=tuple(doubt(e) for e in open_ if e.members & doubtful & members(claim.recipients)),
    )
