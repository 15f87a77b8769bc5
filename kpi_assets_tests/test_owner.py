"""Telling the owner: the words, the channel, and once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kpi_assets.errors import DeliveryError
from kpi_assets.ledger.notices import Notices
from kpi_assets.owner import Fault, Incident, run_link, tell_owner, write_note
from kpi_assets.plan import ReportPlan
from kpi_assets.session import open_session
from kpi_assets_tests.assets.reports import ENVIRON, SECRET, Desk, make_plan
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.owners import OWNER, notes_in, owned_plan

FAULT = Fault("view 'total': the column 'signups' is all text", "weekly/views/total")
FAILED = Incident(
    "run 1", "failed", ("2024-11-24",), date(2024, 11, 24), (FAULT,), "1", link="https://dagster/runs/1"
)
WELL = Incident("run 2", "recovered", ("2024-11-25",), date(2024, 11, 25), run_id="2")


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[MailPeer]:
    with mail_server(tmp_path, starttls=False) as running:
        yield running


def tell(plan: ReportPlan, folder: Path, *incidents: Incident) -> list[str]:
    with open_session(plan, folder, ENVIRON) as session:
        return [tell_owner(session, incident) for incident in incidents]


def test_the_owner_reads_what_failed_and_where(tmp_path: Path, peer: MailPeer) -> None:
    """Report and edition in the subject; the failing asset, the error's own words and the run's address in the text."""
    said = tell(owned_plan(tmp_path, peer), tmp_path, FAILED)
    assert said == [f"{OWNER} was told by 'desk' that weekly failed"]
    ((subject, text),) = notes_in(peer)
    assert subject == "[kpi-assets] weekly: edition 2024-11-24 failed"
    for words in (FAULT.asset, FAULT.text, "Run: https://dagster/runs/1", "its audience is not"):
        assert words in text.replace("\r\n", "\n")


def test_an_incident_is_told_once(tmp_path: Path, peer: MailPeer) -> None:
    """The same incident is told once, also by another process; another incident is told again."""
    plan = owned_plan(tmp_path, peer)
    tell(plan, tmp_path, FAILED)
    assert tell(plan, tmp_path, FAILED, replace(FAILED, run_id="other try")) == ["", ""]
    tell(plan, tmp_path, replace(FAILED, id="run 9"))
    assert len(peer.posts) == 2


def test_recovery_is_told_once_and_only_after_trouble(tmp_path: Path, peer: MailPeer) -> None:
    """Nothing while all is well; after two failures one recovery, which older editions do not bring about."""
    plan = owned_plan(tmp_path, peer)
    old = replace(WELL, last_day=date(2024, 1, 7), editions=("2024-01-07",))
    assert tell(plan, tmp_path, WELL, FAILED, replace(FAILED, id="run 9"), old)[0::3] == ["", ""]
    assert tell(plan, tmp_path, WELL, replace(WELL, id="run 3"))[1] == ""
    assert [subject for subject, _ in notes_in(peer)][2:] == [
        "[kpi-assets] weekly is well again: edition 2024-11-25 is done"
    ]
    tell(plan, tmp_path, replace(FAILED, id="run 10"), replace(WELL, id="run 11"))
    assert len(peer.posts) == 5


def test_no_secret_is_told(tmp_path: Path, peer: MailPeer) -> None:
    """A secret of the report that some error repeats is hidden from the owner too."""
    leaky = replace(FAILED, faults=(Fault(f"connection with {SECRET} refused"),))
    tell(owned_plan(tmp_path, peer), tmp_path, leaky)
    ((_, text),) = notes_in(peer)
    assert SECRET not in text
    assert "connection with *** refused" in text


def test_an_owner_who_could_not_be_told_is_told_later(tmp_path: Path, peer: MailPeer) -> None:
    """A refusal is raised and kept in the ledger; the next try is allowed to tell."""
    plan = owned_plan(tmp_path, peer)
    peer.answers[OWNER] = "550 mailbox full"
    with pytest.raises(DeliveryError, match="mailbox full"):
        tell(plan, tmp_path, FAILED)
    with open_session(plan, tmp_path, ENVIRON) as session:
        (told,) = Notices(session.ledger.database, session.ledger.hide).entries("weekly")
    assert told.state == "failed"
    assert "mailbox full" in told.reason
    peer.answers.clear()
    tell(plan, tmp_path, FAILED)
    assert len(peer.posts) == 1


def test_without_owner_or_channel_nobody_is_told(tmp_path: Path, peer: MailPeer) -> None:
    """No owner, or no output that reaches him: nothing happens, not even in the ledger."""
    nobody = make_plan(tmp_path, outputs={"desk": Desk}, config={"owner": OWNER})
    assert nobody.owner_output is None
    assert tell(nobody, tmp_path, FAILED) == [""]
    assert tell(owned_plan(tmp_path, peer, config={"owner": None}), tmp_path, FAILED) == [""]
    assert not (tmp_path / "ledger.db").exists()


def test_a_note_stays_short(tmp_path: Path, peer: MailPeer) -> None:
    """A thousand faults and endless errors make a note that a person can read; what is left out is counted."""
    many = replace(FAILED, faults=tuple(Fault(f"{n} " + "x" * 5_000) for n in range(1_000)))
    note = write_note(owned_plan(tmp_path, peer), many)
    assert len(note.text) < 40_000
    assert "and 980 more" in note.text


def test_links_to_runs() -> None:
    """Below the web server's address, with or without a slash at its end; none where there is no server."""
    assert run_link("https://dagster.example.com/", "7") == "https://dagster.example.com/runs/7"
    assert run_link("", "7") == ""
