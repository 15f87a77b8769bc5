"""Deliver, and what becomes of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from kpi_assets.contracts import Receipt
from kpi_assets.errors import DeliveryError, RetriableError
from kpi_assets.ledger import Claim, Held, LedgerError, Terms, deliver_once
from kpi_assets.ledger.store import Ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, Clock, Postman, receipt


def state(ledger: Ledger) -> str:
    return ledger.entries()[0].state


def test_an_edition_is_delivered_once(ledger: Ledger, clock: Clock) -> None:
    """The second call delivers nothing, says when it was sent, and hands back the first receipt."""
    postman = Postman()
    first = deliver_once(ledger, MAIL, postman, clock=clock)
    clock.turn(3600)
    second = deliver_once(ledger, replace(MAIL, content_hash="v2"), postman, clock=clock)
    assert (first.receipt, first.why, first.skipped) == (receipt(), "first", "")
    assert (second.receipt, second.why, second.error) == (receipt(), None, None)
    assert second.skipped.startswith("sent 2024-11-25 05:00 UTC, with other content")
    assert postman.rounds == [MAIL.recipients]


def test_force_delivers_again_and_is_recorded(ledger: Ledger, clock: Clock) -> None:
    """By force people get it again; the row and its history say so."""
    postman = Postman()
    deliver_once(ledger, MAIL, postman, clock=clock)
    again = deliver_once(ledger, MAIL, postman, clock=clock, terms=Terms(force=True))
    assert again.why == "forced"
    entry = ledger.entries()[0]
    assert (len(postman.rounds), entry.forced, entry.attempts) == (2, True, 2)
    assert [attempt.why for attempt in ledger.attempts(entry.id)] == ["first", "forced"]


def test_a_trial_reaches_nobody(ledger: Ledger, clock: Clock) -> None:
    """What the channel only tried is skipped with its reason, and the next run delivers; who had it has it still."""
    tried = deliver_once(ledger, MAIL, lambda: receipt(trial="only a sandbox"), clock=clock)
    assert (tried.receipt, tried.skipped, tried.why) == (None, "only a sandbox", "first")
    (entry,) = ledger.entries()
    assert (entry.state, entry.reason, entry.reached) == ("skipped", "only a sandbox", frozenset())
    postman = Postman()
    assert deliver_once(ledger, MAIL, postman, clock=clock).receipt == receipt()
    again = deliver_once(
        ledger, MAIL, lambda: receipt(trial="only a sandbox"), clock=clock, terms=Terms(force=True)
    )
    assert again.skipped == "only a sandbox"
    assert (state(ledger), deliver_once(ledger, MAIL, postman, clock=clock).why) == ("sent", None)
    assert len(postman.rounds) == 1


def test_changed_content_is_delivered_where_asked(ledger: Ledger, clock: Clock) -> None:
    """Under `on_change` each content is delivered once, and what is unchanged is not."""
    postman = Postman()
    contents = ["v1", "v1", "v2", "v2"]
    whys = [
        deliver_once(
            ledger,
            replace(MAIL, content_hash=content),
            postman,
            clock=clock,
            terms=Terms(redeliver="on_change"),
        ).why
        for content in contents
    ]
    assert whys == ["first", None, "changed", None]


@pytest.mark.parametrize(
    ("error", "claim", "becomes"),
    [
        (DeliveryError("board", "mailbox full"), MAIL, "failed"),
        (DeliveryError("board", "no answer", ambiguous=True), MAIL, "unknown"),
        (RetriableError("server away"), MAIL, "failed"),
        (ZeroDivisionError("a bug"), MAIL, "unknown"),
        (ZeroDivisionError("a bug"), PAGE, "failed"),
        (DeliveryError("disk", "no answer", ambiguous=True), PAGE, "failed"),
    ],
    ids=["refused", "no answer", "away", "bug, people", "bug, disk", "no answer, disk"],
)
def test_an_error_is_a_failure_or_a_doubt(
    ledger: Ledger, clock: Clock, error: Exception, claim: Claim, becomes: str
) -> None:
    """What certainly did not arrive has failed; what may have reached people is unknown; the error is handed back."""
    outcome = deliver_once(ledger, claim, Postman(claim, error=error), clock=clock)
    assert state(ledger) == becomes
    assert str(error) in str(outcome.error)
    postman = Postman(claim)
    deliver_once(ledger, claim, postman, clock=clock)
    assert len(postman.rounds) == (becomes == "failed")


def test_an_interrupted_delivery_is_in_doubt(ledger: Ledger, clock: Clock) -> None:
    """Ctrl-C while a mail leaves is not swallowed, and leaves the entry unknown at once."""
    with pytest.raises(KeyboardInterrupt):
        deliver_once(ledger, MAIL, Postman(error=KeyboardInterrupt()), clock=clock)
    assert state(ledger) == "unknown"
    again = deliver_once(ledger, MAIL, Postman(), clock=clock)
    assert isinstance(again.error, DeliveryError)
    assert again.error.ambiguous


def test_a_partial_delivery_has_a_receipt_and_an_error(ledger: Ledger, clock: Clock) -> None:
    """Who was refused is told, and who got it is in the receipt."""
    outcome = deliver_once(ledger, MAIL, Postman(refused=["bob@example.com: 550 unknown"]), clock=clock)
    assert outcome.receipt is not None
    assert outcome.receipt.recipients == ("ada@example.com",)
    assert "refused 1 of 2 recipients, the other 1 got it: bob@example.com: 550 unknown" in str(outcome.error)
    assert state(ledger) == "partial"


def test_two_at_once_wait_for_each_other(ledger: Ledger, clock: Clock) -> None:
    """Who comes second waits for what becomes of the first, then finds that it was sent."""
    first = ledger.claim(MAIL, now=clock())
    assert isinstance(first, Held)
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        clock.turn(seconds)
        if len(waits) == 3:
            ledger.arrived(first, receipt(), now=clock())

    outcome = deliver_once(ledger, MAIL, Postman(error=AssertionError()), clock=clock, pause=pause)
    assert outcome.skipped
    assert len(waits) == 3


def test_who_waits_for_the_dead_reports_a_doubt(ledger: Ledger, clock: Clock) -> None:
    """A run just after a crash waits until the lease ends and then fails with what a person must do."""
    ledger.claim(MAIL, now=clock())
    outcome = deliver_once(ledger, MAIL, Postman(error=AssertionError()), clock=clock, pause=clock.turn)
    assert isinstance(outcome.error, DeliveryError)
    assert "died before it had an answer" in outcome.error.reason
    assert state(ledger) == "unknown"


def test_waiting_ends(ledger: Ledger, clock: Clock) -> None:
    """A process that is heard of for ever is waited for ten minutes, not longer."""
    other = ledger.claim(MAIL, now=clock())
    assert isinstance(other, Held)

    def pause(seconds: float) -> None:
        clock.turn(seconds)
        ledger.renew(other, now=clock())

    started = clock()
    outcome = deliver_once(ledger, MAIL, Postman(error=AssertionError()), clock=clock, pause=pause)
    assert "another process" in str(outcome.error)
    assert timedelta(minutes=10) <= clock() - started < timedelta(minutes=11)


def test_a_long_delivery_is_heard_of(ledger: Ledger, clock: Clock) -> None:
    """While an output delivers, the lease is renewed from beside it."""
    brief = replace(ledger, lease=timedelta(milliseconds=80))
    renewed = Event()

    class Listening(Ledger):
        def renew(self, held: Held, *, now: object) -> bool:
            renewed.set()
            return True

    listening = Listening(brief.database, lease=brief.lease)

    def slow() -> Receipt:
        assert renewed.wait(30)
        return receipt()

    assert deliver_once(listening, MAIL, slow, clock=clock).receipt == receipt()


def test_nothing_is_delivered_without_the_ledger(ledger: Ledger, clock: Clock) -> None:
    """With the tables gone the call fails before the output is asked."""
    with ledger.database.turn("test") as connection:
        for table in ("kpi_assets_attempts", "kpi_assets_deliveries"):
            connection.exec_driver_sql(f"drop table {table}")
    postman = Postman()
    with pytest.raises(LedgerError, match="Nothing is delivered without it"):
        deliver_once(ledger, MAIL, postman, clock=clock)
    assert postman.rounds == []


def test_a_delivery_that_cannot_be_recorded_is_told(
    ledger: Ledger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the ledger lost meanwhile, the receipt is handed back with an error that says what is not recorded."""
    caplog.set_level(logging.DEBUG)

    def deliver() -> Receipt:
        with ledger.database.turn("test") as connection:
            connection.exec_driver_sql("drop table kpi_assets_attempts")
        return receipt()

    outcome = deliver_once(ledger, MAIL, deliver, clock=clock)
    assert outcome.receipt == receipt()
    assert "it was delivered (<2024-11-24.weekly@kpi>), but that could not be recorded" in str(outcome.error)
