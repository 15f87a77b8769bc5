"""Deliveries that say when people can see something: a death before that is no doubt, one after it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kpi_assets.contracts import Receipt, handing_over
from kpi_assets.errors import DeliveryError
from kpi_assets.ledger import Held, LedgerError, Terms, deliver_once
from kpi_assets.ledger.store import Ledger
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, Clock, Postman, receipt

SAYING = replace(MAIL, announces=True)
DEAD = 61
"""Seconds after which a claim has lapsed."""


class Saying(Postman):
    """Says that it hands over, and then delivers."""

    def __call__(self) -> Receipt:
        handing_over()
        return super().__call__()


def held(ledger: Ledger, clock: Clock, *, begun: bool) -> Held:
    """A claim whose process will not be heard of again."""
    got = ledger.claim(SAYING, now=clock())
    assert isinstance(got, Held)
    assert not begun or ledger.handing_over(got, now=clock())
    return got


def test_who_dies_before_it_is_run_again(ledger: Ledger, clock: Clock) -> None:
    """A claim whose process died before it began is taken by the next run, and people get one mail."""
    held(ledger, clock, begun=False)
    assert ledger.entries()[0].reason == "nothing has been handed over yet"
    postman = Saying(SAYING)
    outcome = deliver_once(ledger, SAYING, postman, clock=clock, pause=clock.turn)
    assert (outcome.why, outcome.error, len(postman.rounds)) == ("again", None, 1)
    first, second = ledger.attempts(ledger.entries()[0].id)
    assert (first.state, second.state) == ("failed", "sent")
    assert first.reason == "the process that was to deliver it died before it handed anything over"


def test_who_dies_after_it_is_in_doubt(ledger: Ledger, clock: Clock) -> None:
    """Once it has begun, or where an output never says so, nobody is told again by itself."""
    held(ledger, clock, begun=True)
    outcome = deliver_once(ledger, SAYING, Saying(error=AssertionError()), clock=clock, pause=clock.turn)
    assert isinstance(outcome.error, DeliveryError)
    assert outcome.error.ambiguous
    assert ledger.entries()[0].state == "unknown"


def test_who_wakes_up_too_late_hands_nothing_over(ledger: Ledger, clock: Clock) -> None:
    """A process that slept longer than its lease, whose claim another has taken, sends nothing: people get one mail."""
    others = Saying(SAYING)

    def asleep() -> Receipt:
        clock.turn(DEAD)
        assert deliver_once(ledger, SAYING, others, clock=clock).error is None
        return Saying(error=AssertionError("it was sent twice"))()

    outcome = deliver_once(ledger, SAYING, asleep, clock=clock)
    assert "nothing was sent: this process was silent for longer than its lease" in str(outcome.error)
    assert (len(others.rounds), ledger.entries()[0].state) == (1, "sent")


def test_who_overslept_for_others_hands_nothing_over(ledger: Ledger, clock: Clock) -> None:
    """The same where the other delivered to an audience that shares some of the people."""
    first = held(ledger, clock, begun=False)
    clock.turn(DEAD)
    some = replace(SAYING, recipients=("bob@example.com", "cyd@example.com"))
    assert isinstance(ledger.claim(some, now=clock()), Held)
    assert not ledger.handing_over(first, now=clock())


def test_who_was_only_slow_may_hand_over(ledger: Ledger, clock: Clock) -> None:
    """After its lease, with nobody there who took the claim, a process goes on, and is heard of again."""
    first = held(ledger, clock, begun=False)
    clock.turn(DEAD)
    assert ledger.handing_over(first, now=clock())
    assert not ledger.entries()[0].lapsed(clock())


@pytest.mark.parametrize("begun", [False, True])
def test_a_bug_or_ctrl_c_is_a_doubt_only_after_it(ledger: Ledger, clock: Clock, begun: bool) -> None:
    """What breaks before anything is handed over has failed and is run again; after that it is in doubt."""
    for error in (ZeroDivisionError("a bug"), KeyboardInterrupt()):
        claim = replace(SAYING, output=type(error).__name__.lower())
        deliver: Callable[[], Receipt] = (Saying if begun else Postman)(claim, error=error)
        if isinstance(error, KeyboardInterrupt):
            with pytest.raises(KeyboardInterrupt):
                deliver_once(ledger, claim, deliver, clock=clock)
        else:
            assert deliver_once(ledger, claim, deliver, clock=clock).error is not None
    assert {entry.state for entry in ledger.entries()} == {"unknown" if begun else "failed"}


def test_nothing_is_handed_over_that_cannot_be_written_down(ledger: Ledger, clock: Clock) -> None:
    """With the ledger gone in between, the output is stopped before it tells anybody."""
    postman = Saying(SAYING)

    def deliver() -> Receipt:
        with ledger.database.turn("test") as connection:
            connection.exec_driver_sql("alter table kpi_assets_deliveries rename to gone")
        return postman()

    outcome = deliver_once(ledger, SAYING, deliver, clock=clock)
    assert isinstance(outcome.error, LedgerError)
    assert postman.rounds == []


def test_a_second_mail_that_was_not_handed_over_takes_nothing_away(ledger: Ledger, clock: Clock) -> None:
    """Whoever has the edition has it still when the process dies that was to send it again."""
    deliver_once(ledger, SAYING, Saying(SAYING), clock=clock)
    assert isinstance(ledger.claim(SAYING, now=clock(), terms=Terms(force=True)), Held)
    clock.turn(DEAD)
    (entry,) = ledger.give_up_lapsed(now=clock())
    assert (entry.state, entry.receipt) == ("sent", receipt(SAYING))
    assert deliver_once(ledger, SAYING, Saying(error=AssertionError()), clock=clock).skipped


def test_what_publishes_says_nothing(ledger: Ledger, clock: Clock) -> None:
    """An output that only publishes is run again whatever it said."""
    claim = replace(PAGE, announces=True)
    ledger.claim(claim, now=clock())
    clock.turn(DEAD)
    (entry,) = ledger.give_up_lapsed(now=clock())
    assert (entry.state, entry.reason) == (
        "failed",
        "the process that delivered it died before it had an answer",
    )
    assert deliver_once(ledger, claim, Saying(claim), clock=clock).error is None
