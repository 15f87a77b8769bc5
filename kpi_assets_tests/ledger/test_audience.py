"""Audiences change between runs; nobody gets an edition twice for that, and nobody goes without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kpi_assets.ledger import Held, Terms
from kpi_assets.ledger.audience import Audience, divide
from kpi_assets.ledger.model import ONCE
from kpi_assets.ledger.store import Ledger
from kpi_assets_tests.ledger.worlds import MAIL, START, receipt

THREE = ("ada@example.com", "bob@example.com", "cid@example.com")
WIDER = replace(MAIL, recipients=THREE)


def divided(ledger: Ledger, claim: object = WIDER, terms: Terms = ONCE) -> Audience:
    assert isinstance(claim, type(WIDER))
    return divide(ledger.siblings(claim), claim, terms)


@pytest.fixture
def sent(ledger: Ledger) -> Ledger:
    """A ledger in which two of the three have the edition."""
    held = ledger.claim(MAIL, now=START)
    assert isinstance(held, Held)
    ledger.arrived(held, receipt(), now=START)
    return ledger


def test_nobody_has_what_was_never_sent(ledger: Ledger) -> None:
    """On an empty ledger the audience is whole."""
    assert divided(ledger) == Audience(THREE)
    assert divided(ledger).whole


def test_newcomers_are_told_apart(sent: Ledger) -> None:
    """Of an audience that grew, those who came remain."""
    assert divided(sent) == Audience(("cid@example.com",), THREE[:2])


def test_an_audience_that_shrank_has_it(sent: Ledger) -> None:
    """Of an audience that lost somebody, nobody remains."""
    alone = replace(MAIL, recipients=THREE[:1])
    assert divided(sent, alone) == Audience((), THREE[:1])


@pytest.mark.parametrize(
    ("terms", "content", "whole"),
    [
        (Terms(force=True), "v1", True),
        (Terms(redeliver="on_change"), "v2", True),
        (Terms(redeliver="on_change"), "v1", False),
        (Terms(), "v2", False),
    ],
)
def test_everybody_gets_what_is_to_be_delivered_again(
    sent: Ledger, terms: Terms, content: str, whole: bool
) -> None:
    """By force, or with other content under `on_change`, the audience is whole."""
    assert divided(sent, replace(WIDER, content_hash=content), terms).whole is whole


def test_who_was_refused_remains(ledger: Ledger) -> None:
    """After a partial delivery to the same audience, the refused remain."""
    held = ledger.claim(WIDER, now=START)
    assert isinstance(held, Held)
    ledger.arrived(held, receipt(WIDER, refused=["bob@example.com: 450 later"]), now=START)
    assert divided(ledger).remaining == ("bob@example.com",)


def test_a_doubt_keeps_its_people_back(ledger: Ledger) -> None:
    """People of an unknown delivery are neither told again nor forgotten: the doubt is said."""
    held = ledger.claim(MAIL, now=START)
    assert isinstance(held, Held)
    ledger.in_doubt(held, "no answer", now=START)
    audience = divided(ledger)
    assert (audience.remaining, audience.reached) == (("cid@example.com",), ())
    assert [f"resend {held.id}" in text for text in audience.doubts] == [True]
