"""One line of progress per query, view and output."""

from __future__ import annotations

from kpi_assets.pipeline import Delivered, Fetched, Rendered


def describe(event: Fetched | Rendered | Delivered) -> str:
    """What happened, as rich markup."""
    from rich.markup import escape

    if event.error is not None:
        return f"{_name(event)}  [red]{escape(str(event.error))}[/]"
    if isinstance(event, Fetched):
        rows = sum(frame.rows for frame in event.frames.values())
        asked = sum(frame.fetched for frame in event.frames.values())
        source = f"{asked} {'query' if asked == 1 else 'queries'} sent" if asked else "from the store"
        return f"{_name(event)}  [dim]{rows:,} rows, {source}[/]"
    if isinstance(event, Rendered):
        return f"{_name(event)}  [dim]{escape(event.block.finding or event.block.title)}[/]"
    where = event.receipt.location if event.receipt else ""
    return f"{_name(event)}  [dim]{escape(where)}[/]"


def _name(event: Fetched | Rendered | Delivered) -> str:
    if isinstance(event, Fetched):
        return f"query  {event.query.id}"
    if isinstance(event, Rendered):
        return f"view   {event.view.id}"
    return f"output {event.output}"
