"""Rows of the ledger as tables that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from kpi_assets.contracts.document import PERSONAL

if TYPE_CHECKING:
    from kpi_assets.ledger import Attempt, Entry

COLORS = {
    "sent": "green",
    "partial": "yellow",
    "unknown": "bold yellow",
    "failed": "red",
    "claimed": "cyan",
    "skipped": "dim",
}


def deliveries_table(entries: Sequence[Entry]) -> Table:
    """One delivery after the other; only the last column may break over lines."""
    table = _table("id", "edition", "report", "output", "state", "when (UTC)", "to whom, or where")
    table.columns[0].justify = "right"
    for entry in entries:
        when = moment(entry.delivered_at if entry.state in ("sent", "partial") else entry.changed_at)
        note = _note(entry)
        what = "\n".join(line for line in (_to(entry), f"[dim]{note}[/]" if note else "") if line)
        table.add_row(
            str(entry.id),
            entry.edition.partition(PERSONAL)[0],
            entry.report,
            entry.output,
            _state(entry.state),
            when,
            what,
        )
    return table


def facts_table(entry: Entry) -> Table:
    """Everything about one delivery."""
    table = Table(show_header=False, box=box.SIMPLE)
    window = f"{entry.start} to {entry.end} (end not included)"
    facts = {
        "delivery": str(entry.id),
        "report": entry.report,
        "edition": f"{entry.edition}, {window}",
        "output": f"{entry.output} ({entry.plugin}, {entry.effect})",
        "state": entry.state,
        "reason": entry.reason if entry.state != "partial" else "",
        "to": "\n".join(entry.recipients) if entry.state != "partial" else "",
        "who got it": "\n".join(_reached(entry)) if entry.state == "partial" else "",
        "who did not": "\n".join(entry.receipt.refused) if entry.receipt and entry.state == "partial" else "",
        "delivered": moment(entry.delivered_at),
        "receipt": entry.receipt.location if entry.receipt else "",
        "detail": entry.receipt.detail if entry.receipt else "",
        "content": entry.content_hash[:16],
        "run": entry.run_id,
    }
    for name, value in facts.items():
        if value:
            table.add_row(f"[dim]{name}[/]", _state(value) if name == "state" else escape(value))
    return table


def attempts_table(attempts: Sequence[Attempt]) -> Table:
    """The history of one delivery."""
    table = _table("#", "why", "state", "began (UTC)", "seconds", "content", "run", "reason")
    for attempt in attempts:
        took = (attempt.ended_at - attempt.started_at).total_seconds() if attempt.ended_at else None
        table.add_row(
            str(attempt.number),
            attempt.why,
            _state(attempt.state),
            moment(attempt.started_at),
            "" if took is None else f"{took:.1f}",
            attempt.content_hash[:8],
            attempt.run_id[:8],
            escape(attempt.reason),
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != names[-1])
    table.columns[-1].overflow = "fold"
    return table


def moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _state(state: str) -> str:
    color = COLORS.get(state, "default")
    return f"[{color}]{escape(state)}[/]"


def _reached(entry: Entry) -> tuple[str, ...]:
    return entry.receipt.recipients if entry.receipt else ()


def _to(entry: Entry) -> str:
    if entry.recipients:
        more = len(entry.recipients) - 2
        shown = ", ".join(entry.recipients[:2])
        return escape(f"{shown} +{more}" if more > 0 else shown)
    return escape(entry.receipt.location) if entry.receipt else ""


def _note(entry: Entry) -> str:
    """Why it is not sent, or that it was sent by force, and how often it was tried."""
    parts = ["forced"] if entry.forced else []
    if entry.reason:
        parts.append(escape(entry.reason))
    if entry.attempts > 1 and entry.effect == "notify":
        parts.append(f"{entry.attempts} attempts")
    return ", ".join(parts)
