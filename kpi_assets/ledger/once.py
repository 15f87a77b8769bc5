"""The one way to deliver: claim, deliver, tell the ledger what became of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING

from kpi_assets.contracts import Receipt
from kpi_assets.contracts.handover import handover_heard
from kpi_assets.errors import DeliveryError, KpiAssetsError
from kpi_assets.ledger.model import ONCE, Claim, Held, LedgerError, Refused, Terms, Why
from kpi_assets.logs import inherited, logger

if TYPE_CHECKING:
    from kpi_assets.ledger.store import Ledger

log = logger("kpi_assets")

Clock = Callable[[], datetime]
Deliver = Callable[[], Receipt]

PATIENCE = 600.0
"""Seconds to wait for another process that delivers the same."""


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery. `skipped` says why nothing was done; `receipt` is then that of the delivery before.

    With refused recipients there are both a receipt and an error. `why`: what allowed the attempt; with `skipped` that
    was a trial, of which nobody got anything.
    """

    receipt: Receipt | None = None
    skipped: str = ""
    error: KpiAssetsError | None = None
    why: Why | None = None


def deliver_once(
    ledger: Ledger,
    claim: Claim,
    deliver: Deliver,
    *,
    clock: Clock,
    terms: Terms = ONCE,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Deliver if the rules allow it, and record what became of it.

    Errors of ours are in the outcome, and those that a bug in an output raises too. While another process delivers the
    same, this waits for what becomes of that. Raises LedgerError when there is no ledger to ask: nothing is delivered.
    """
    got = _claim(ledger, claim, clock, terms=terms, pause=pause)
    if isinstance(got, Held):
        with _heard_of(ledger, got, clock):
            return _attempt(ledger, _Handover(ledger, got, clock), deliver, clock)
    receipt = got.entry.receipt if got.entry else None
    if got.stop == "done":
        return Outcome(receipt, skipped=got.text)
    return Outcome(receipt, error=DeliveryError(claim.output, got.text, ambiguous=True))


def _claim(
    ledger: Ledger, claim: Claim, clock: Clock, *, terms: Terms, pause: Callable[[float], None]
) -> Held | Refused:
    waited, delay = 0.0, 1.0
    while True:
        got = ledger.claim(claim, now=clock(), terms=terms)
        if isinstance(got, Held) or got.stop != "busy" or waited >= PATIENCE:
            return got
        pause(delay)
        waited, delay = waited + delay, min(delay * 1.5, 5.0)


@dataclass
class _Handover:
    """What is known of whether people may have seen something; called when it begins."""

    ledger: Ledger
    held: Held
    clock: Clock
    begun: bool = False

    def __call__(self) -> None:
        if not self.begun and not self.ledger.handing_over(self.held, now=self.clock()):
            raise DeliveryError(self.held.claim.output, OVERTAKEN)
        self.begun = True

    @property
    def may_be_seen(self) -> bool:
        return self.held.claim.effect == "notify" and (self.begun or not self.held.claim.announces)


OVERTAKEN = (
    "nothing was sent: this process was silent for longer than its lease, so another may deliver it instead"
)


def _attempt(ledger: Ledger, handover: _Handover, deliver: Deliver, clock: Clock) -> Outcome:
    held = handover.held
    try:
        with handover_heard(handover):
            receipt = deliver()
    except KpiAssetsError as error:
        return _not_arrived(ledger, held, error, clock, doubtful=getattr(error, "ambiguous", False))
    except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
        log.debug("output %s failed\n%s", held.claim.output, ledger.hide(traceback.format_exc()))
        reason = ledger.hide(f"{type(error).__name__}: {error}")
        ours = DeliveryError(held.claim.output, reason, ambiguous=handover.may_be_seen)
        return _not_arrived(ledger, held, ours, clock, doubtful=handover.may_be_seen)
    except BaseException:
        _not_arrived(ledger, held, _interrupted(held), clock, doubtful=handover.may_be_seen)
        raise
    return _arrived(ledger, held, receipt, clock)


def _arrived(ledger: Ledger, held: Held, receipt: Receipt, clock: Clock) -> Outcome:
    try:
        ledger.arrived(held, receipt, now=clock())
    except LedgerError as error:
        reason = f"it was delivered ({receipt.location}), but that could not be recorded: {error}"
        return Outcome(receipt, error=DeliveryError(held.claim.output, ledger.hide(reason)), why=held.why)
    if receipt.trial:
        return Outcome(skipped=receipt.trial, why=held.why)
    if not receipt.refused:
        return Outcome(receipt, why=held.why)
    return Outcome(receipt, error=DeliveryError(held.claim.output, _refusals(receipt)), why=held.why)


def _refusals(receipt: Receipt) -> str:
    """Who did not get it and why, and how many did."""
    refused, got = len(receipt.refused), len(receipt.recipients)
    return f"refused {refused} of {refused + got} recipients, the other {got} got it: {'; '.join(receipt.refused)}"


def _not_arrived(
    ledger: Ledger, held: Held, error: KpiAssetsError, clock: Clock, *, doubtful: bool
) -> Outcome:
    """What cannot be known is only in doubt where people see it; what is published is simply done again."""
    unknown = doubtful and held.claim.effect == "notify"
    reason = error.reason if isinstance(error, DeliveryError) else str(error)
    try:
        (ledger.in_doubt if unknown else ledger.failed)(held, reason, now=clock())
    except LedgerError:
        log.debug("the end of attempt %s could not be recorded", held.token, exc_info=True)
    return Outcome(error=error, why=held.why)


def _interrupted(held: Held) -> DeliveryError:
    return DeliveryError(held.claim.output, "interrupted while it was delivered", ambiguous=True)


@contextmanager
def _heard_of(ledger: Ledger, held: Held, clock: Clock) -> Generator[None]:
    """Renew the lease from a thread, as long as the block runs."""
    over = Event()

    def renew() -> None:
        while not over.wait(ledger.lease.total_seconds() / 4):
            try:
                ledger.renew(held, now=clock())
            except LedgerError:
                log.debug("the lease of attempt %s could not be renewed", held.token, exc_info=True)

    thread = Thread(target=inherited(renew), name="ledger", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
