"""One recipient's trouble is hers alone; whoever lacks an edition gets it the next time, nobody gets it twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest

from kpi_assets.assets.run import materialize_editions
from kpi_assets.delivery import Delivered
from kpi_assets.editions import EditionStore
from kpi_assets.errors import RecipientError
from kpi_assets.session import Session, open_session
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.recipients.world import (
    KEY,
    LEADS,
    NOW,
    Lead,
    change_company,
    make,
    make_company,
    planned,
    write_report,
)

ANN, BOB, CYD = "ann@example.com", "bob@example.com", "cyd@example.com"
THREE = LEADS[:3]


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[MailPeer]:
    with mail_server(tmp_path, starttls=False) as peer:
        yield peer


def session_on(folder: Path, peer: MailPeer, *, policy: str = "fail") -> Session:
    plan = planned(write_report(folder, port=peer.port, policy=policy, lean=True))
    return Session(plan, folder / "home", {}, clock=lambda: NOW)


def mailed(peer: MailPeer) -> list[str]:
    return [name for post in peer.posts for name in post.recipients]


def errors(delivered: list[Delivered]) -> dict[str, str]:
    """What went wrong with mails, by recipient."""
    return {part.recipient: str(part.error) for part in delivered if part.error and part.output == "mail"}


def test_a_bad_value_of_one_stops_nobody_else(tmp_path: Path, peer: MailPeer) -> None:
    """A query that fails for one recipient's value fails the run, names her and why; the others have their mails."""
    make_company(tmp_path, (LEADS[0], replace(LEADS[1], setting="{oops"), LEADS[2]))
    plan = planned(write_report(tmp_path, port=peer.port, lean=True))
    window = plan.window(KEY)
    result = materialize_editions(plan, [window], home=tmp_path / "home", environ={})
    assert sorted(mailed(peer)) == [ANN, CYD]
    (error,) = result.errors
    assert isinstance(error, RecipientError)
    assert error.recipient == BOB
    assert str(error).endswith(f"edition {KEY} not made: view 'days': The source could not answer the query.")

    change_company(tmp_path, "update leads set setting = '{}'")
    again = materialize_editions(plan, [window], home=tmp_path / "home", environ={})
    assert again.errors == ()
    assert sorted(mailed(peer)) == [ANN, BOB, CYD]


def test_yesterdays_document_is_not_sent_for_todays(tmp_path: Path, peer: MailPeer) -> None:
    """A document that could be made before and cannot now is delivered to nobody, not even by force."""
    make_company(tmp_path, THREE)
    peer.answers[BOB] = "450 later"
    session = session_on(tmp_path, peer)
    make(session)
    peer.answers.clear()
    change_company(tmp_path, f"update leads set setting = '{{oops' where email = '{BOB}'")
    # The value is part of what names her editions, so that the old folder is not even looked at.
    assert "view 'days'" in errors(make(session))[BOB]
    store, key = EditionStore(tmp_path / "home"), session.plan.edition(session.plan.window(KEY))
    faulty = [edition for edition in store.editions("sales") if store.find_fault("sales", edition)]
    assert (faulty, sorted(mailed(peer))) == ([], [ANN, CYD])
    assert not (store.folder("sales", key) / "document").exists()
    session.close()


def test_under_placeholder_her_block_says_so(tmp_path: Path, peer: MailPeer) -> None:
    """With `on_view_error: placeholder` the one whose query failed gets the rest, with a block that says what lacks."""
    make_company(tmp_path, (LEADS[0], replace(LEADS[1], setting="{oops")))
    with open_session(
        session_on(tmp_path, peer, policy="placeholder").plan, tmp_path / "home", {}
    ) as session:
        assert errors(make(session)) == {}
    texts = {post.recipients[0]: str(post.message.get_body(("plain",))) for post in peer.posts}
    assert "COULD NOT BE MADE" in texts[BOB]
    assert "COULD NOT BE MADE" not in texts[ANN]


def test_a_refused_mail_is_tried_again_for_her_alone(tmp_path: Path, peer: MailPeer) -> None:
    """Whom the server refuses is named; the next run mails to her and to nobody else, and then to nobody."""
    make_company(tmp_path, THREE)
    peer.answers[BOB] = "550 no such user"
    session = session_on(tmp_path, peer)
    assert list(errors(make(session))) == [BOB]
    assert mailed(peer) == [ANN, CYD]
    peer.answers.clear()
    assert errors(make(session)) == {}
    assert errors(make(session)) == {}
    assert mailed(peer) == [ANN, CYD, BOB]
    entries = [entry for entry in session.ledger.entries() if entry.output == "mail"]
    assert sorted((entry.recipients, entry.state) for entry in entries) == [
        ((ANN,), "sent"),
        ((BOB,), "sent"),
        ((CYD,), "sent"),
    ]
    session.close()


def test_rows_that_are_nobodys_are_named(tmp_path: Path, peer: MailPeer) -> None:
    """A row without an address and a person with two different rows are faults of theirs; equal rows count once."""
    nameless = Lead(None, "East", "east", 1.0)
    make_company(tmp_path, (LEADS[0], nameless, LEADS[1], LEADS[0], replace(LEADS[1], region="West")))
    session = session_on(tmp_path, peer)
    found = errors(make(session))
    session.close()
    assert mailed(peer) == [ANN]
    assert set(found) == {"in row 2", BOB}
    assert "`email` is empty" in found["in row 2"]
    assert "has 2 rows that differ in region" in found[BOB]


def test_nobody_left_is_nobody_told(tmp_path: Path, peer: MailPeer) -> None:
    """When the query finds nobody any more, those of before get nothing, and the ledger says why."""
    make_company(tmp_path, THREE[:1])
    session = session_on(tmp_path, peer)
    windows = [session.plan.window(KEY)]
    make(session)
    assert mailed(peer) == [ANN]
    change_company(tmp_path, "delete from leads")
    result = materialize_editions(session.plan, windows, home=tmp_path / "home", environ={})
    assert result.errors == ()
    told = {part.output: part.skipped for part in result.delivered}
    assert told["mail"] == f"query 'leads' finds no recipients for edition {KEY}: nobody gets it"
    skipped = [(entry.output, entry.reason) for entry in session.ledger.entries() if entry.state == "skipped"]
    assert sorted(skipped) == [("disk", told["mail"]), ("mail", told["mail"])]
    session.close()
    assert mailed(peer) == [ANN]


def test_a_failing_list_is_no_old_list(tmp_path: Path, peer: MailPeer) -> None:
    """When the query for recipients fails, nobody gets anything, not even by force and with placeholders allowed."""
    make_company(tmp_path, THREE[:1])
    session = session_on(tmp_path, peer, policy="placeholder")
    windows = [session.plan.window(KEY)]
    session.close()
    assert materialize_editions(session.plan, windows, home=tmp_path / "home", environ={}).success
    change_company(tmp_path, "alter table leads rename to others")
    result = materialize_editions(session.plan, windows, home=tmp_path / "home", environ={}, force=True)
    assert "query 'leads'" in str(result.errors[0])
    assert mailed(peer) == [ANN]


KILLED = """
import sys
from pathlib import Path
from kpi_assets.session import open_session
from kpi_assets_tests.recipients.world import make, planned
folder = Path(sys.argv[1])
with open_session(planned(folder / "sales.yaml"), folder / "home") as session:
    make(session)
"""


def test_who_was_reached_before_a_kill_is_not_mailed_again(tmp_path: Path, peer: MailPeer) -> None:
    """Killed while the second of three is told: the first has it once, she is in doubt, the third gets it later."""
    make_company(tmp_path, THREE)
    write_report(tmp_path, port=peer.port, lean=True)
    environ = {**os.environ, "KPI_ASSETS_LEASE": "1"}
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=environ)

    def answer(server: object) -> str:
        if len(peer.posts) == 1:
            child.kill()
            child.wait()
        return "250 queued"

    peer.after_data = answer
    assert child.wait() == -9
    while len(peer.posts) < 2:  # the server still writes down what the child handed over
        sleep(0.01)
    assert mailed(peer) == [ANN, BOB]
    with_lease = {"KPI_ASSETS_LEASE": "1"}
    with open_session(planned(tmp_path / "sales.yaml"), tmp_path / "home", with_lease) as session:
        delivered = make(session)
    assert mailed(peer) == [ANN, BOB, CYD]
    assert list(errors(delivered)) == [BOB]
    assert "it is not known whether" in errors(delivered)[BOB]
