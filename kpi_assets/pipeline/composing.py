"""Third stage: blocks -> document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpi_assets.contracts import Block, Document, Window
from kpi_assets.session import Session


def compose_documents(session: Session, windows: Sequence[Window]) -> Iterator[Document]:
    """Compose and keep the document of each window from its stored blocks. Raises DataError when a block is missing."""
    for window in windows:
        edition = session.plan.edition(window)
        blocks = [
            session.editions.load_block(session.plan.id, edition, view.id) for view in session.plan.views
        ]
        document = compose_document(session, window, blocks)
        session.editions.save_document(session.plan.id, edition, document)
        yield document


def compose_document(session: Session, window: Window, blocks: Sequence[Block]) -> Document:
    """The document of one edition; nothing is stored."""
    from kpi_assets.reports.compose import compose
    from kpi_assets.wording import document_meta

    plan = session.plan
    notes = session.editions.load_notes(plan.id, plan.edition(window))
    by_id = {note.id: note for note in notes}
    ordered = [by_id[query.id] for query in plan.queries if query.id in by_id]
    return compose(document_meta(plan, window, ordered), blocks, plan.formats, plan.theme, plan.numbers)
