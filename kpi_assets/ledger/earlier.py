"""What the ledger has of an edition when one of its outputs is about to deliver it."""

from __future__ import annotations

from collections.abc import Mapping

from kpi_assets.contracts import Receipt
from kpi_assets.ledger.model import Claim, Entry
from kpi_assets.ledger.store import Ledger, Search


def published_at(ledger: Ledger, claim: Claim) -> Mapping[str, str]:
    """The folders from which this content of this edition can be loaded, by the id of the output that put it there."""
    return {
        entry.output: entry.receipt.files_url
        for entry in _of_edition(ledger, claim)
        if entry.effect == "publish" and entry.state == "sent" and entry.content_hash == claim.content_hash
        if entry.receipt and entry.receipt.files_url
    }


def received_before(ledger: Ledger, claim: Claim) -> Receipt | None:
    """The receipt of the last delivery that reached the same recipients, None where there was none."""
    same = (
        entry
        for entry in _of_edition(ledger, claim)
        if (entry.output, entry.audience) == (claim.output, claim.audience)
    )
    return next((entry.receipt for entry in same if entry.receipt), None)


def _of_edition(ledger: Ledger, claim: Claim) -> list[Entry]:
    found = ledger.entries(Search(report=claim.report, window=(claim.start, claim.end)))
    return [entry for entry in found if entry.edition == claim.edition]
