"""One line of progress per query, view and output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_assets.cli.console import step
from kpi_assets.delivery import Delivered
from kpi_assets.pipeline import Fetched, Rendered

if TYPE_CHECKING:
    from kpi_assets.contracts import Receipt
    from kpi_assets.delivery import Foreseen

SHOWN = 5
"""How many recipients a line of progress names."""


def describe(event: Fetched | Rendered | Delivered) -> str:
    """What happened, as rich markup."""
    from rich.markup import escape

    if event.error is not None:
        return f"{_name(event)}  [red]{escape(str(event.error))}[/]"
    if isinstance(event, Fetched):
        rows = sum(frame.rows for frame in event.frames.values())
        asked = event.call.fetched if event.call else 0
        source = f"{asked} {'query' if asked == 1 else 'queries'} sent" if asked else "from the store"
        return f"{_name(event)}  [dim]{rows:,} {'row' if rows == 1 else 'rows'}, {source}[/]"
    if isinstance(event, Rendered) and event.unmet:
        return f"{_name(event)}  [yellow]left out[/] [dim]{escape(event.unmet)}[/]"
    if isinstance(event, Rendered):
        return f"{_name(event)}  [dim]{escape(event.block.finding or event.block.title)}[/]"
    if event.skipped:
        word = "skipped" if event.unmet else "not again"
        whom = f"{_where(event.receipt)}: " if event.receipt and event.receipt.recipients else ""
        return f"{_name(event)}  [yellow]{word}[/] [dim]{escape(whom + event.skipped)}[/]"
    again = "[yellow]again, forced[/] " if event.forced else ""
    return f"{_name(event)}  {again}[dim]{escape(_where(event.receipt))}[/]"


def show(event: Fetched | Rendered | Delivered) -> None:
    """Print the event as a line of progress."""
    step(describe(event), good=event.error is None)


def describe_foreseen(foreseen: Foreseen) -> str:
    """What would be delivered to whom, or why not, as rich markup."""
    from rich.markup import escape

    if foreseen.error or foreseen.stopped:
        whose = f"{escape(foreseen.recipient)}: " if foreseen.recipient else ""
        reason = str(foreseen.error or foreseen.stopped)
        return f"output {foreseen.output}: {whose}nothing, {escape(reason)}"
    unnamed = [name for name in foreseen.recipients if name not in foreseen.text]
    to = f" [dim]to {escape(', '.join(unnamed))}[/]" if unnamed else ""
    return f"output {foreseen.output}: {escape(foreseen.text)}{to}"


def _where(receipt: Receipt | None) -> str:
    """Where it can be found, or who got it."""
    if receipt is None:
        return ""
    if not receipt.recipients:
        return receipt.location
    more = len(receipt.recipients) - SHOWN
    shown = ", ".join(receipt.recipients[:SHOWN])
    return f"to {shown} and {more} more" if more > 0 else f"to {shown}"


def _name(event: Fetched | Rendered | Delivered) -> str:
    if isinstance(event, Delivered):
        return f"output {event.output}{_whose(event.recipient)}"
    whose = _whose(event.recipient.address if event.recipient else "")
    if isinstance(event, Fetched):
        return f"query  {event.query.id}{whose}"
    return f"view   {event.view.id}{whose}"


def _whose(recipient: str) -> str:
    from rich.markup import escape

    return f" [dim]·[/] {escape(recipient)}" if recipient else ""
