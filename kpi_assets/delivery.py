"""The last stage: outputs deliver the stored documents, through the ledger, so that people get an edition once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from kpi_assets.contracts import Document, Output, Receipt, Window
from kpi_assets.errors import DeliveryError, InputError, KpiAssetsError, redact, suggest
from kpi_assets.ledger import Claim, Entry, Terms, deliver_once
from kpi_assets.ledger.audience import divide
from kpi_assets.ledger.rules import doubt
from kpi_assets.plan import OutputPlan
from kpi_assets.session import Session

if TYPE_CHECKING:
    from kpi_assets.ledger.model import Redeliver

log = logging.getLogger("kpi_assets")


@dataclass(frozen=True)
class Delivered:
    """One delivery of one edition by one output; an output that splits its audience has several.

    A receipt or an error; both where some recipients were refused. `skipped` says why nothing was delivered this time;
    the receipt is then that of the delivery before, if there was one. `forced`: people got it again because asked.
    """

    output: str
    window: Window
    receipt: Receipt | None = None
    error: KpiAssetsError | None = None
    skipped: str = ""
    forced: bool = False


@dataclass(frozen=True)
class Foreseen:
    """What delivering would do. `recipients`: who would get it. `stopped` says why the ledger would not let it."""

    output: str
    text: str
    recipients: tuple[str, ...] = ()
    stopped: str = ""


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
    by force, or where the output says `redeliver: on_change` and the content did. `run_id` is the same for all retries
    of a run: within one run, force counts once.
    """
    outputs = _in_order(session, output_ids)
    if outputs:
        _report_the_dead(session, windows)
    for window in windows:
        document = session.editions.load_document(session.plan.id, session.plan.edition(window))
        for plan in outputs:
            yield from _Errand(session, plan, document, _terms(plan, force=force), run_id).run()


def foresee_outputs(
    session: Session, document: Document, output_ids: Sequence[str] | None = None, *, force: bool = False
) -> Iterator[Foreseen]:
    """What `deliver_outputs` would do with this document, for `--dry-run`; nothing is delivered or recorded."""
    for plan in _in_order(session, output_ids):
        yield from _Errand(session, plan, document, _terms(plan, force=force)).foresee()


def resend(session: Session, entry: Entry) -> Delivered:
    """Deliver the stored document of an edition again, to the same recipients, and record it as forced.

    Raises InputError where the report has no such output any more, EditionMissingError where the document is gone.
    """
    plan = session.plan.outputs_by_id.get(entry.output)
    if plan is None:
        hint = suggest(entry.output, session.plan.outputs_by_id)
        raise InputError(f"report {session.plan.id} has no output '{entry.output}' any more: {hint}")
    document = session.editions.load_document(session.plan.id, entry.edition)
    return _Errand(session, plan, document, Terms(force=True)).again(entry)


@dataclass(frozen=True)
class _Errand:
    """One output that is to deliver one document."""

    session: Session
    plan: OutputPlan
    document: Document
    terms: Terms
    run_id: str = ""

    def run(self) -> Iterator[Delivered]:
        """Every part of the output; a part that fails does not keep the others from trying."""
        try:
            parts = self.session.output(self.plan.id).split()
        except KpiAssetsError as error:
            yield self._failed(error)
        else:
            for output in parts:
                yield from self._part(output)

    def foresee(self) -> Iterator[Foreseen]:
        ledger, now = self.session.ledger, self.session.clock()
        for output in self.session.output(self.plan.id).split():
            claim = self._claim(output)
            audience = divide(ledger.siblings(claim), claim, self.terms)
            if audience.whole:
                stopped = ledger.foresee(claim, now=now, terms=self.terms).text
            else:
                stopped = "; ".join(audience.doubts) or ("" if audience.remaining else EVERYBODY)
            text = output.preview(self.document)
            yield Foreseen(self.plan.id, text, audience.remaining or claim.recipients, stopped)

    def again(self, entry: Entry) -> Delivered:
        """To the entry's own recipients, who may be others than the report's today."""
        parts = self.session.output(self.plan.id).split()
        same = [output for output in parts if self._claim(output).audience == entry.audience]
        return self._attempt(same[0] if same else parts[0].readdressed(entry.recipients))

    def _part(self, output: Output) -> list[Delivered]:
        try:
            return self._to_whom_it_is_new(output)
        except KpiAssetsError as error:
            return [self._failed(error)]
        except Exception as error:
            log.debug("output %s failed", self.plan.id, exc_info=True)
            reason = redact(f"{type(error).__name__}: {error}", self.session.secrets)
            return [self._failed(DeliveryError(self.plan.id, reason))]

    def _to_whom_it_is_new(self, output: Output) -> list[Delivered]:
        """Deliver whole, or to those of the audience alone who have not got the edition."""
        claim = self._claim(output)
        if claim.effect == "publish":
            return [self._attempt(output)]
        siblings = self.session.ledger.siblings(claim)
        audience = divide(siblings, claim, self.terms)
        if audience.whole:
            return [self._attempt(output)]
        doubts = [DeliveryError(self.plan.id, text, ambiguous=True) for text in audience.doubts]
        done = [self._failed(error) for error in doubts]
        if audience.remaining:
            return [*done, self._attempt(output.readdressed(audience.remaining))]
        receipts = [entry.receipt for entry in siblings if entry.receipt]
        return done or [self._delivered(receipts[-1] if receipts else None, skipped=EVERYBODY)]

    def _attempt(self, output: Output) -> Delivered:
        outcome = deliver_once(
            self.session.ledger,
            self._claim(output),
            lambda: output.deliver(self.document),
            clock=self.session.clock,
            terms=self.terms,
        )
        made = self._delivered(outcome.receipt, skipped=outcome.skipped)
        return replace(made, error=outcome.error, forced=outcome.why == "forced")

    def _claim(self, output: Output) -> Claim:
        window = self.document.window
        return Claim(
            report=self.document.report,
            start=window.start,
            end=window.end,
            output=self.plan.id,
            edition=self.document.edition,
            plugin=self.plan.plugin,
            effect="notify" if self.plan.effect == "notify" else "publish",
            recipients=output.recipients,
            content_hash=self.document.message_hash,
            run_id=self.run_id,
        )

    def _delivered(self, receipt: Receipt | None, *, skipped: str = "") -> Delivered:
        return Delivered(self.plan.id, self.document.window, receipt=receipt, skipped=skipped)

    def _failed(self, error: KpiAssetsError) -> Delivered:
        return Delivered(self.plan.id, self.document.window, error=error)


EVERYBODY = "everybody has it already"


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
            log.warning("output '%s': %s", entry.output, doubt(entry))
