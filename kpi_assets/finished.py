"""Which editions are finished: what a backfill that was stopped, or is asked for again, need not make.

Finished is an edition whose stored document is whole, was made by this very plan without a placeholder, and is where
each output is to bring it. Data that came late do not count: they are asked for by `--refresh`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kpi_assets.contracts import Document, Window
from kpi_assets.delivery import foresee_outputs, published_by
from kpi_assets.errors import KpiAssetsError
from kpi_assets.ledger.store import Search
from kpi_assets.plan import OutputPlan
from kpi_assets.session import Session

SETTLED = {"sent", "skipped"}


def finished_editions(
    session: Session, windows: Sequence[Window], outputs: Sequence[str]
) -> frozenset[Window]:
    """The windows whose edition needs nothing more. None of a report whose recipients have editions of their own.

    `outputs`: ids of those that are to deliver.
    """
    if session.plan.is_divided:
        return frozenset()
    return frozenset(window for window in windows if _is_finished(session, window, outputs))


def _is_finished(session: Session, window: Window, outputs: Sequence[str]) -> bool:
    plan = session.plan
    document = session.editions.document_by(plan.id, plan.edition(window), plan.made_by)
    if document is None or any(block.status == "placeholder" for block in document.blocks):
        return False
    return all(_has_delivered(session, plan.outputs_by_id[id], document) for id in outputs)


def _has_delivered(session: Session, output: OutputPlan, document: Document) -> bool:
    if output.effect == "publish" and not document.unmet:
        done = session.editions.find_published(document.report, document.edition, output.id)
        return done == published_by(output, document)
    return _is_settled(session, output, document) and _reaches_nobody_new(session, output, document)


def _is_settled(session: Session, output: OutputPlan, document: Document) -> bool:
    search = Search(
        report=document.report, output=output.id, window=(document.window.start, document.window.end)
    )
    states = {entry.state for entry in session.ledger.entries(search)}
    return bool(states) and states <= SETTLED


def _reaches_nobody_new(session: Session, output: OutputPlan, document: Document) -> bool:
    try:
        return all(foreseen.stopped for foreseen in foresee_outputs(session, document, [output.id]))
    except KpiAssetsError:  # the delivery itself will say it
        return False
