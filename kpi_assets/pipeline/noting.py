"""What an edition's footer tells of its queries."""

from __future__ import annotations

from dataclasses import replace

from kpi_assets.contracts import QueryNote
from kpi_assets.frames.heal import HealedFrame
from kpi_assets.plan import QueryPlan
from kpi_assets.session import Session


def note_of(session: Session, query: QueryPlan, frame: HealedFrame) -> QueryNote:
    """What the footer tells. Of rows that were not asked for again, and are what they were, it tells what it told:
    when other editions have fetched the same rows since is not this edition's business."""
    new = unanswered(session, query)
    old = session.editions.find_note(session.plan.id, session.plan.edition(frame.window), query.id)
    if (
        old
        and not frame.asked
        and not old.error
        and (old.text, old.content) == (new.text, frame.content_hash)
    ):
        return old
    return replace(
        new,
        rows=frame.rows,
        seconds=frame.seconds,
        fetched_at=frame.fetched_at,
        remark=_remark(frame),
        content=frame.content_hash,
    )


def unanswered(session: Session, query: QueryPlan) -> QueryNote:
    """The note of a query before anything has come of it."""
    language = session.plan.datasources[query.datasource].cls.language
    return QueryNote(query.id, query.datasource, query.query.text, language, 0, 0.0, None)


def _remark(frame: HealedFrame) -> str:
    """A source that has lost rows is told of where they are shown: other figures of the page may not have them."""
    if not frame.kept:
        return ""
    days = "a day" if len(frame.kept) == 1 else f"{len(frame.kept)} days"
    return f"{days} came back empty, earlier rows are shown"
