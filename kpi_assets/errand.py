"""One output that is to deliver one document, as far as the ledger lets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kpi_assets.contracts import Document, Output, Receipt, Window
from kpi_assets.errors import DeliveryError, KpiAssetsError, redact, redacted_traceback
from kpi_assets.ledger import Claim, Entry, Terms, deliver_once
from kpi_assets.ledger.audience import divide
from kpi_assets.ledger.earlier import published_at, received_before
from kpi_assets.logs import about, logger
from kpi_assets.plan import OutputPlan, digest
from kpi_assets.session import Session

log = logger("kpi_assets")

EVERYBODY = "everybody has it already"


@dataclass(frozen=True)
class Delivered:
    """One delivery of one edition by one output; an output that splits its audience has several.

    A receipt or an error; both where some recipients were refused. `skipped` says why nothing was delivered this time;
    the receipt is then that of the delivery before, if there was one. `unmet`: it was skipped since a condition of the
    report does not hold, or since the channel only tried it (a sandbox). `forced`: people got it, against the ledger or
    the condition, because asked. `recipient`: whose edition it is, where each has her own.
    """

    output: str
    window: Window
    receipt: Receipt | None = None
    error: KpiAssetsError | None = None
    skipped: str = ""
    unmet: bool = False
    forced: bool = False
    recipient: str = ""


@dataclass(frozen=True)
class Foreseen:
    """What delivering would do. `recipients`: who would get it. `stopped` says why the ledger would not let it.

    `recipient`: whose edition it is, where each has her own; `error` says why there is none.
    """

    output: str
    text: str
    recipients: tuple[str, ...] = ()
    stopped: str = ""
    recipient: str = ""
    error: KpiAssetsError | None = None


@dataclass(frozen=True)
class Errand:
    """One output that is to deliver one document."""

    session: Session
    plan: OutputPlan
    document: Document
    terms: Terms
    run_id: str = ""

    def run(self) -> Iterator[Delivered]:
        """Every part of the output; a part that fails does not keep the others from trying."""
        try:
            parts = self._parts()
        except KpiAssetsError as error:
            yield self._failed(error)
        else:
            edition = self.session.plan.common_edition(self.document.window)
            for output in parts:
                with about(self.document.report, f"outputs/{self.plan.id}", edition):
                    delivered = self._part(output)
                yield from delivered

    def foresee(self) -> Iterator[Foreseen]:
        ledger, now = self.session.ledger, self.session.clock()
        for output in self._parts():
            claim = self._claim(output)
            audience = divide(ledger.siblings(claim), claim, self.terms)
            if self.held_back and not self.terms.force:
                stopped = self.held_back
            elif audience.whole:
                stopped = ledger.foresee(claim, now=now, terms=self.terms).text
            else:
                stopped = "; ".join(audience.doubts) or ("" if audience.remaining else EVERYBODY)
            text = output.preview(self.document)
            yield Foreseen(self.plan.id, text, audience.remaining or claim.recipients, stopped)

    @property
    def held_back(self) -> str:
        """Why the report's `when` keeps this output from delivering; "" where it does not."""
        when = self.session.plan.config.when
        everywhere = when is not None and when.skips == "all"
        return self.document.unmet if everywhere or self.plan.effect == "notify" else ""

    def again(self, entry: Entry) -> Delivered:
        """To the entry's own recipients, who may be others than the report's today."""
        parts = self._parts()
        same = [output for output in parts if self._claim(output).audience == entry.audience]
        return self._attempt(same[0] if same else parts[0].readdressed(entry.recipients))

    def _parts(self) -> tuple[Output, ...]:
        """The output's deliveries. Raises DeliveryError where a recipient's edition would reach somebody else too."""
        parts = self.session.output(self.plan.id).split()
        if self.session.address and sum(len(part.recipients) for part in parts) > 1:
            several = ", ".join(name for part in parts for name in part.recipients)
            raise DeliveryError(
                self.plan.id, f"an edition of {self.session.address} would go to several: {several}"
            )
        return parts

    def _part(self, output: Output) -> list[Delivered]:
        try:
            if self.held_back:
                self.session.ledger.skip(self._claim(output), self.held_back, now=self.session.clock())
                if not self.terms.force:
                    return [replace(self._delivered(None, skipped=self.held_back), unmet=True)]
            return self._to_whom_it_is_new(output)
        except KpiAssetsError as error:
            return [self._failed(error)]
        except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
            log.debug("output %s failed\n%s", self.plan.id, redacted_traceback(self.session.secrets))
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
            lambda: self._handed_over(output),
            clock=self.session.clock,
            terms=self.terms,
        )
        made = self._delivered(outcome.receipt, skipped=outcome.skipped)
        if self.plan.effect == "publish" and outcome.receipt and not outcome.error:
            self._note_published()
        tried = bool(outcome.skipped) and outcome.why is not None
        return replace(made, error=outcome.error, forced=outcome.why == "forced" and not tried, unmet=tried)

    def _handed_over(self, output: Output) -> Receipt:
        """Delivered with what the ledger knows: where the files were published, and what the same people have."""
        claim = self._claim(output)
        if claim.effect == "publish":
            return output.deliver(self.document)
        ledger = self.session.ledger
        document = replace(self.document, published=published_at(ledger, claim))
        earlier = received_before(ledger, claim)
        return output.deliver_again(document, earlier) if earlier else output.deliver(document)

    def _note_published(self) -> None:
        document, what = self.document, published_by(self.plan, self.document)
        self.session.editions.save_published(document.report, document.edition, self.plan.id, what)

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
            recipients=(self.session.address,) if self.session.address else output.recipients,
            content_hash=self.document.message_hash,
            run_id=self.run_id,
            announces=output.announces,
        )

    def _delivered(self, receipt: Receipt | None, *, skipped: str = "") -> Delivered:
        return Delivered(self.plan.id, self.document.window, receipt=receipt, skipped=skipped)

    def _failed(self, error: KpiAssetsError) -> Delivered:
        return Delivered(self.plan.id, self.document.window, error=error)


def published_by(output: OutputPlan, document: Document) -> str:
    """What an output, as it is set up, publishes of a document, as a hash. Values of the environment do not count."""
    return digest(output.plugin, output.raw_args, document.content_hash, document.message_hash)
