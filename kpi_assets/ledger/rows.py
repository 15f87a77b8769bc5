"""Rows of the tables <-> the ledger's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from kpi_assets.contracts import Receipt
from kpi_assets.ledger.model import Attempt, Claim, Entry, member

Hide = Callable[[str], str]
"""Puts `***` in place of every secret in a text."""

RECEIPT = TypeAdapter(Receipt)


def entry_of(row: Row[Any]) -> Entry:
    known = json.loads(row.recipients)
    return Entry(
        id=row.id,
        report=row.report,
        start=row.window_start,
        end=row.window_end,
        output=row.output,
        audience=row.audience,
        edition=row.edition,
        plugin=row.plugin,
        effect=row.effect,
        recipients=tuple(known.values()),
        members=frozenset(known),
        reached=frozenset(json.loads(row.reached)),
        state=row.state,
        before=row.state_before,
        reason=row.reason,
        content_hash=row.content_hash,
        receipt=RECEIPT.validate_json(row.receipt) if row.receipt else None,
        attempts=row.attempts,
        token=row.token,
        lease_until=row.lease_until,
        run_id=row.run_id,
        forced=row.forced,
        created_at=row.created_at,
        changed_at=row.changed_at,
        delivered_at=row.delivered_at,
    )


def attempt_of(row: Row[Any]) -> Attempt:
    return Attempt(
        number=row.number,
        state=row.state,
        why=row.why,
        run_id=row.run_id,
        content_hash=row.content_hash,
        reason=row.reason,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def identity(claim: Claim) -> dict[str, Any]:
    """The columns of the unique key."""
    return {
        "report": claim.report,
        "window_start": claim.start,
        "window_end": claim.end,
        "output": claim.output,
        "audience": claim.audience,
    }


def described(claim: Claim, hide: Hide) -> dict[str, Any]:
    """The columns that are for people; they follow the last claim."""
    known = {member(recipient): hide(recipient) for recipient in claim.recipients}
    return {
        "edition": claim.edition,
        "plugin": claim.plugin,
        "effect": claim.effect,
        "recipients": json.dumps(known, ensure_ascii=False),
    }


def receipt_json(receipt: Receipt, hide: Hide) -> str:
    """The receipt without secrets."""
    clean = replace(
        receipt,
        location=hide(receipt.location),
        detail=hide(receipt.detail),
        recipients=tuple(hide(text) for text in receipt.recipients),
        refused=tuple(hide(text) for text in receipt.refused),
        files_url=hide(receipt.files_url),
    )
    return RECEIPT.dump_json(clean).decode()


def members_json(found: Iterable[str]) -> str:
    return json.dumps(sorted(found))
