"""The last stage: outputs deliver the stored documents, through the ledger, so that people get an edition once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from kpi_assets.contracts import Document, Window
from kpi_assets.contracts.document import PERSONAL
from kpi_assets.errand import Delivered, Errand, Foreseen, published_by
from kpi_assets.errors import InputError, KpiAssetsError, suggest
from kpi_assets.ledger import Claim, Entry, Terms
from kpi_assets.ledger.rules import doubt
from kpi_assets.logs import about, logger
from kpi_assets.parcels import Parcel, parcels, reader_of
from kpi_assets.plan import OutputPlan
from kpi_assets.readers import nobody
from kpi_assets.session import Session

if TYPE_CHECKING:
    from kpi_assets.ledger.model import Redeliver

log = logger("kpi_assets")

__all__ = [
    "Delivered",
    "Foreseen",
    "deliver_outputs",
    "foresee_editions",
    "foresee_outputs",
    "published_by",
    "resend",
]


def deliver_outputs(
    session: Session,
    windows: Sequence[Window],
    output_ids: Sequence[str] | None = None,
    *,
    force: bool = False,
    run_id: str = "",
) -> Iterator[Delivered]:
    """Deliver each edition's stored document; what is published comes before what people are told of.

    One output that fails does not keep the others from trying. What people have already is not delivered again, except
    by force, or where the output says `redeliver: on_change` and the content did. Nor is what the report's `when` holds
    back, except by force; the ledger says why. `run_id` is the same for all retries of a run: within one run, force
    counts once. Where recipients get editions of their own, one that cannot be delivered does not stop the others.
    """
    outputs = _in_order(session, output_ids)
    if outputs:
        _report_the_dead(session, windows)
    for window in windows:
        wanted = False
        for parcel in parcels(session, window, [plan.id for plan in outputs]):
            wanted = True
            yield from _deliver(parcel, window, force=force, run_id=run_id)
        if not wanted:
            yield from (_to_nobody(session, plan, window, run_id) for plan in outputs)


def foresee_editions(
    session: Session,
    windows: Sequence[Window],
    output_ids: Sequence[str] | None = None,
    *,
    force: bool = False,
) -> Iterator[Foreseen]:
    """What `deliver_outputs` would do, for `--dry-run`; nothing is delivered or recorded."""
    outputs = [plan.id for plan in _in_order(session, output_ids)]
    for window in windows:
        wanted = False
        for parcel in parcels(session, window, outputs):
            wanted = True
            yield from _foresee(parcel, force=force)
        if not wanted:
            yield from (Foreseen(id, "", stopped=nobody(session, window)) for id in outputs)


def foresee_outputs(
    session: Session, document: Document, output_ids: Sequence[str] | None = None, *, force: bool = False
) -> Iterator[Foreseen]:
    """What delivering this document would do; nothing is delivered or recorded."""
    for plan in _in_order(session, output_ids):
        yield from Errand(session, plan, document, _terms(plan, force=force)).foresee()


def resend(session: Session, entry: Entry) -> Delivered:
    """Deliver the stored document of an edition again, to the same recipients, and record it as forced.

    Raises InputError where the report has no such output any more, EditionMissingError where the document is gone.
    """
    session = reader_of(session, entry)
    plan = session.plan.outputs_by_id.get(entry.output)
    if plan is None:
        hint = suggest(entry.output, session.plan.outputs_by_id)
        raise InputError(f"report {session.plan.id} has no output '{entry.output}' any more: {hint}")
    document = session.editions.load_document(session.plan.id, entry.edition)
    return Errand(session, plan, document, Terms(force=True)).again(entry)


def _deliver(parcel: Parcel, window: Window, *, force: bool, run_id: str) -> Iterator[Delivered]:
    if parcel.document is None:
        yield Delivered(parcel.output, window, error=parcel.error, recipient=parcel.address)
        return
    plan = parcel.session.plan.outputs_by_id[parcel.output]
    errand = Errand(parcel.session, plan, parcel.document, _terms(plan, force=force), run_id)
    yield from (replace(delivered, recipient=parcel.address) for delivered in errand.run())


def _foresee(parcel: Parcel, *, force: bool) -> Iterator[Foreseen]:
    """One recipient's error is hers; that of an edition for everybody ends the look."""
    if parcel.document is None:
        yield Foreseen(parcel.output, "", recipient=parcel.address, error=parcel.error)
        return
    try:
        found = [*foresee_outputs(parcel.session, parcel.document, [parcel.output], force=force)]
    except KpiAssetsError as error:
        if not parcel.address:
            raise
        found = [Foreseen(parcel.output, "", error=error)]
    yield from (replace(foreseen, recipient=parcel.address) for foreseen in found)


def _to_nobody(session: Session, plan: OutputPlan, window: Window, run_id: str) -> Delivered:
    """An edition without recipients: nothing is delivered, and the ledger says so."""
    claim = Claim(
        report=session.plan.id,
        start=window.start,
        end=window.end,
        output=plan.id,
        edition=session.plan.common_edition(window),
        plugin=plan.plugin,
        effect="notify" if plan.effect == "notify" else "publish",
        run_id=run_id,
    )
    session.ledger.skip(claim, nobody(session, window), now=session.clock())
    return Delivered(plan.id, window, skipped=nobody(session, window), unmet=True)


def _in_order(session: Session, ids: Sequence[str] | None) -> list[OutputPlan]:
    plan = session.plan
    outputs = plan.outputs if ids is None else [plan.outputs_by_id[id] for id in ids]
    return sorted(outputs, key=lambda output: output.effect != "publish")


def _terms(plan: OutputPlan, *, force: bool) -> Terms:
    return Terms(force, cast("Redeliver", plan.redeliver))


def _report_the_dead(session: Session, windows: Sequence[Window]) -> None:
    """Other editions whose delivery a dead process left open: somebody must look, and nothing would ever say so."""
    now = session.clock()
    for entry in session.ledger.give_up_lapsed(now=now, report=session.plan.id):
        ours = any((window.start, window.end) == (entry.start, entry.end) for window in windows)
        if entry.state == "unknown" and not ours:
            with about(entry.report, f"outputs/{entry.output}", entry.edition.partition(PERSONAL)[0]):
                log.warning(doubt(entry))
