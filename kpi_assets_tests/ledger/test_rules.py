"""May this be delivered?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kpi_assets.ledger import Claim, Entry, State, Terms
from kpi_assets.ledger.model import members
from kpi_assets.ledger.rules import decide
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, START

NEVER, FORCE, ON_CHANGE = Terms(), Terms(force=True), Terms(redeliver="on_change")
CHANGED = replace(MAIL, content_hash="v2")


def entry(state: State, **changes: Any) -> Entry:
    known = Entry(
        id=7,
        report=MAIL.report,
        start=MAIL.start,
        end=MAIL.end,
        output=MAIL.output,
        audience=MAIL.audience,
        edition=MAIL.edition,
        plugin=MAIL.plugin,
        effect="notify",
        recipients=MAIL.recipients,
        members=members(MAIL.recipients),
        reached=members(MAIL.recipients),
        state=state,
        before=None,
        reason="",
        content_hash="v1",
        receipt=None,
        attempts=1,
        token="t",
        lease_until=None,
        run_id="monday",
        forced=False,
        created_at=START,
        changed_at=START,
        delivered_at=START,
    )
    return replace(known, **changes)


@pytest.mark.parametrize(
    ("state", "claim", "terms", "verdict"),
    [
        (None, MAIL, NEVER, "first"),
        ("skipped", MAIL, NEVER, "again"),
        ("failed", MAIL, NEVER, "again"),
        ("failed", MAIL, FORCE, "forced"),
        ("sent", MAIL, NEVER, "done"),
        ("sent", CHANGED, NEVER, "done"),
        ("sent", MAIL, ON_CHANGE, "done"),
        ("sent", CHANGED, ON_CHANGE, "changed"),
        ("sent", MAIL, FORCE, "forced"),
        ("partial", MAIL, NEVER, "done"),
        ("partial", CHANGED, ON_CHANGE, "changed"),
        ("unknown", MAIL, NEVER, "unknown"),
        ("unknown", CHANGED, ON_CHANGE, "unknown"),
        ("unknown", MAIL, FORCE, "forced"),
    ],
)
def test_what_people_see_follows_the_table(
    state: State | None, claim: Claim, terms: Terms, verdict: str
) -> None:
    """Each state, content and wish has the verdict that docs/delivery.md promises."""
    found = decide(entry(state) if state else None, claim, terms, START)
    assert (found.go or found.stop) == verdict


@pytest.mark.parametrize("state", ["claimed", "sent", "partial", "failed", "unknown", "skipped"])
def test_what_is_published_is_always_published_again(state: State) -> None:
    """A publishing output may run in any state, also while another process publishes."""
    late = START + timedelta(minutes=1)
    assert decide(entry(state, effect="publish", lease_until=late), PAGE, NEVER, START).go == "publish"


@pytest.mark.parametrize(
    ("seconds", "terms", "verdict"),
    [(1, NEVER, "busy"), (1, FORCE, "busy"), (60, NEVER, "unknown"), (60, FORCE, "forced")],
)
def test_a_claim_counts_until_its_lease_ends(seconds: int, terms: Terms, verdict: str) -> None:
    """While another process is heard of not even force sends beside it; afterwards only force does."""
    held = entry("claimed", lease_until=START + timedelta(seconds=60))
    found = decide(held, MAIL, terms, START + timedelta(seconds=seconds))
    assert (found.go or found.stop) == verdict


def test_force_counts_once_in_a_run() -> None:
    """The run that sent it, repeated by Dagster with its tags, does not send it again; another run does."""
    assert decide(entry("sent"), replace(MAIL, run_id="monday"), FORCE, START).stop == "done"
    assert decide(entry("sent"), replace(MAIL, run_id="tuesday"), FORCE, START).go == "forced"


def test_a_doubt_says_whom_and_what_to_do() -> None:
    """The message about an unknown delivery names some of the people, the edition, and both ways out."""
    people = ("ada", "bob", "cid", "dan")
    text = decide(entry("unknown", recipients=people), MAIL, NEVER, START).text
    assert "ada, bob, cid and 1 more got edition 2024-11-24" in text
    assert "`kpi-assets deliveries confirm 7`" in text
    assert "`kpi-assets deliveries resend 7`" in text
