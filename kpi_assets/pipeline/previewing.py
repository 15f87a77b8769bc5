"""All stages in order for one edition, of which nothing is kept but the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from kpi_assets.contracts import Document, Window
from kpi_assets.editions import EditionStore
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline.composing import compose_document, stored_blocks, unmet
from kpi_assets.pipeline.fetching import Fetched, fetch_queries
from kpi_assets.pipeline.rendering import Rendered, render_views
from kpi_assets.readers import reader_named
from kpi_assets.session import Session


def preview_document(
    session: Session,
    window: Window,
    scratch: Path,
    on_event: Callable[[Fetched | Rendered], None] = lambda _: None,
    *,
    everything: bool = True,
    recipient: str | None = None,
) -> tuple[Document, tuple[KpiAssetsError, ...]]:
    """The document, with placeholders for views that could not be made, and what went wrong.

    The edition goes to `scratch`; fetched rows are kept in the session's frame store. `everything`: views whose `when`
    does not hold are drawn all the same. `recipient`: whose edition, where each has her own; default the first's.
    """
    session.editions = EditionStore(scratch)
    faults: list[KpiAssetsError] = []
    rendered, reader = _shared(session, window, everything=everything), session

    def see(event: Fetched | Rendered) -> None:
        if event.error:
            faults.append(event.error)
        on_event(event)

    for event in rendered:
        see(event)
    if session.plan.recipients is not None:
        reader, _ = reader_named(session, window, recipient)
        for event in _personal(reader, window, everything=everything):
            see(event)
    blocks = stored_blocks(reader, window)
    document = compose_document(reader, window, blocks)
    try:
        document = replace(document, unmet=unmet(reader, window, blocks))
    except KpiAssetsError as error:
        faults.append(error)
    return document, tuple(faults)


def _shared(session: Session, window: Window, *, everything: bool) -> Iterator[Fetched | Rendered]:
    """What is the same for all. Raises the error of the query that finds the recipients."""
    plan, who = session.plan, session.plan.recipients
    queries = [query.id for query in plan.queries if not (who and query.id in who.queries)]
    for fetched in fetch_queries(session, [window], queries):
        if fetched.error and who and fetched.query.id == who.query:
            raise fetched.error
        yield fetched
    views = [view.id for view in plan.views if not (who and view.id in who.views)]
    yield from render_views(session, [window], views, everything=everything)


def _personal(reader: Session, window: Window, *, everything: bool) -> Iterator[Fetched | Rendered]:
    """What is one recipient's own."""
    who = reader.plan.recipients
    if who is not None:
        yield from fetch_queries(reader, [window], sorted(who.queries))
        views = [view.id for view in reader.plan.views if view.id in who.views]
        yield from render_views(reader, [window], views, everything=everything)
