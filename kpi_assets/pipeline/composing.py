"""Third stage: blocks -> document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kpi_assets.contracts import Block, Document, Prose, Window
from kpi_assets.errors import DataError
from kpi_assets.logs import about
from kpi_assets.pipeline.conditions import Judge
from kpi_assets.pipeline.identity import document_origin
from kpi_assets.pipeline.rendering import FrameShelf, notes_of
from kpi_assets.session import Session

if TYPE_CHECKING:
    from kpi_assets.reports.meta import DocumentMeta


def compose_documents(session: Session, windows: Sequence[Window]) -> Iterator[Document]:
    """Compose and keep the document of each window from its stored blocks.

    Raises DataError when a block is missing, where it cannot be known whether the report's `when` holds, and, under
    `on_view_error: fail`, where a view could not be made: then nothing is composed, so that nothing can be delivered.
    """
    for window in windows:
        with about(session.plan.id, "document", session.plan.common_edition(window)):
            blocks = stored_blocks(session, window)
            _refuse_holes(session, window, blocks)
            origin = _origin(session, window, blocks)
            document = _kept(session, window, origin) or _made(session, window, blocks, origin)
        yield document


def stored_blocks(session: Session, window: Window) -> list[Block]:
    """The blocks of an edition; a recipient's are hers and those that all share. Raises DataError for a missing one."""
    plan, who = session.plan, session.plan.recipients
    shared = plan.common_edition(window)
    mine = plan.edition(window)
    return [
        session.editions.load_block(plan.id, mine if who and view.id in who.views else shared, view.id)
        for view in plan.views
    ]


def _refuse_holes(session: Session, window: Window, blocks: Sequence[Block]) -> None:
    """Under `on_view_error: fail` a document with a placeholder is none, also where it is made alone."""
    holes = [block for block in blocks if block.status == "placeholder"]
    if holes and session.plan.config.on_view_error == "fail":
        told = "; ".join(f"view '{block.view}': {_why(block)}" for block in holes)
        raise DataError(f"edition {session.plan.common_edition(window)} not made: {told}")


def _why(block: Block) -> str:
    """The first sentence of a placeholder."""
    texts = [element.markdown for element in block.elements if isinstance(element, Prose)]
    return texts[0].partition("\n")[0] if texts else "it could not be made"


def _kept(session: Session, window: Window, origin: str) -> Document | None:
    """The stored document, where it was made from exactly what it would be made from now."""
    plan = session.plan
    return session.editions.document_of(plan.id, plan.edition(window), origin)


def _made(session: Session, window: Window, blocks: Sequence[Block], before: str) -> Document:
    """The document composed, and kept with what it was made from, where that has not changed meanwhile."""
    plan = session.plan
    document = replace(compose_document(session, window, blocks), unmet=unmet(session, window, blocks))
    origin = before if _origin(session, window, blocks) == before else ""
    edition, made_by = plan.edition(window), {f"{plan.id}/document": plan.made_by}
    session.editions.save_document(plan.id, edition, document, made_by, origin=origin)
    return document


def _origin(session: Session, window: Window, blocks: Sequence[Block]) -> str:
    """What decides the document, as a hash; "" where that cannot be told, as where a condition asks the data."""
    plan = session.plan
    if plan.when is not None:
        return ""
    return document_origin(
        _meta(session, window),
        blocks,
        formats=plan.formats,
        theme=plan.theme,
        numbers=plan.numbers,
        made_by=plan.made_by,
    )


def compose_document(session: Session, window: Window, blocks: Sequence[Block]) -> Document:
    """The document of one edition, without the blocks that are left out of it; nothing is stored."""
    from kpi_assets.reports.compose import compose
    from kpi_assets.wording import nothing_block

    plan = session.plan
    shown = [block for block in blocks if block.status != "left_out"]
    if blocks and not shown:
        shown = [nothing_block(plan.theme.num_columns)]
    return compose(_meta(session, window), shown, plan.formats, plan.theme, plan.numbers)


def _meta(session: Session, window: Window) -> DocumentMeta:
    """What the document says about itself, with the notes of its queries in the plan's order."""
    from kpi_assets.wording import document_meta

    plan = session.plan
    notes = {note.id: note for note in notes_of(session, window)}
    return document_meta(plan, window, [notes[query.id] for query in plan.queries if query.id in notes])


def unmet(session: Session, window: Window, blocks: Sequence[Block]) -> str:
    """Why nobody is to be told of the edition: the report's `when`, or that no view is left. "" where all is well.

    Raises DataError where a query that decides failed or was never run.
    """
    when = session.plan.when
    if when is not None:
        found = Judge(session, window, FrameShelf(session, window)).of(when)
        if not found.holds:
            return f"`when` does not hold: {found.reason}"
    if blocks and all(block.status == "left_out" for block in blocks):
        reasons = "; ".join(dict.fromkeys(block.note for block in blocks))
        return f"all views are left out: {reasons}"
    return ""
