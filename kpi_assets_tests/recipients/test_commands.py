"""`recipients:` at the command line and in backfills."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kpi_assets.assets.run import materialize_editions
from kpi_assets.cli.app import app
from kpi_assets.errors import RecipientError
from kpi_assets_tests.outputs.mail_peer import mail_server
from kpi_assets_tests.recipients.test_failures import session_on
from kpi_assets_tests.recipients.world import LEADS, change_company, make, make_company, planned, write_report

ANN, BOB = "ann@example.com", "bob@example.com"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})


def test_every_command_knows_whose_edition_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Preview and test are of one recipient, a dry run lists all, a run tells each, the ledger has a row for each."""
    monkeypatch.chdir(tmp_path)
    make_company(tmp_path, LEADS[:2])
    with mail_server(tmp_path, starttls=False) as peer:
        report = ("-c", str(write_report(tmp_path, port=peer.port, lean=True)))
        assert "recipients: from query leads, each by `email`" in invoke("validate", *report).stdout
        assert invoke("doctor", *report).exit_code == 0

        preview = invoke("preview", *report)
        assert f"the edition of {ANN}, one of 2 recipients, the first" in preview.stderr
        assert LEADS[0].marker in (tmp_path / "preview/index.html").read_text(encoding="utf-8")
        invoke("preview", *report, "--recipient", BOB.upper())
        page = (tmp_path / "preview/index.html").read_text(encoding="utf-8")
        assert (LEADS[1].marker in page, LEADS[0].marker in page) == (True, False)
        unknown = invoke("preview", *report, "--recipient", "bop@example.com")
        assert "did you mean 'bob@example.com'" in str(unknown.exception)

        test = invoke("send-test", *report, "--to", "me@example.com", "--recipient", BOB)
        assert test.exit_code == 0, test.stderr
        assert [post.recipients for post in peer.posts] == [["me@example.com"]]
        assert peer.posts[0].message["Subject"] == "Sales of South"
        peer.posts.clear()

        dry = invoke("run", *report, "--dry-run")
        assert (dry.exit_code, peer.posts) == (0, [])
        for name, region in ((ANN, "North"), (BOB, "South")):
            assert f"output mail: would mail 'Sales of {region}' to {name}" in dry.stderr

        run = invoke("run", *report)
        assert run.exit_code == 0, run.stderr
        assert f"output mail · {BOB}  to {BOB}" in run.stderr
        assert sorted(post.recipients[0] for post in peer.posts) == [ANN, BOB]

        listed = invoke("deliveries", "list")
        assert [name in listed.stdout for name in (ANN, BOB)] == [True, True]
        number = next(
            line.split()[0] for line in listed.stdout.splitlines() if "mail" in line and BOB in line
        )
        assert invoke("deliveries", "resend", number, "--yes", *report).exit_code == 0
        assert [post.recipients[0] for post in peer.posts].count(BOB) == 2
        assert LEADS[1].marker in str(peer.posts[-1].message.get_body(("plain",)))


def test_a_dry_run_with_somebody_missing_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who could not get her edition is named, and the command ends with 1."""
    monkeypatch.chdir(tmp_path)
    make_company(tmp_path, LEADS[:2])
    change_company(tmp_path, f"update leads set setting = '{{oops' where email = '{BOB}'")
    dry = invoke("run", "-c", str(write_report(tmp_path, lean=True)), "--dry-run")
    assert dry.exit_code == 1
    assert f"output disk: {BOB}: nothing" in dry.stderr
    assert f"to {ANN}" in dry.stderr


def test_two_recipients_in_one_place_are_both_refused(tmp_path: Path) -> None:
    """Where values lead to one folder, nothing is put there, both are named, and the third has her page."""
    make_company(tmp_path, LEADS[:3])
    change_company(tmp_path, f"update leads set region = 'north' where email = '{BOB}'")
    file = write_report(tmp_path, lean=True)
    file.write_text(
        file.read_text(encoding="utf-8").replace("{recipient.key}", "{recipient.region}"), encoding="utf-8"
    )
    plan = planned(file)
    result = materialize_editions(plan, [plan.window("2024-11-24")], home=tmp_path / "home", environ={})
    assert [error.recipient for error in result.errors if isinstance(error, RecipientError)] == [ANN, BOB]
    assert all("write {recipient.key} in it" in str(error) for error in result.errors)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x-OR-1-1"]


def test_a_backfill_publishes_for_each_and_tells_nobody(tmp_path: Path) -> None:
    """Two editions in one run: two folders of two editions each, no mail; each day of each recipient is asked once."""
    make_company(tmp_path, LEADS[:2])
    with mail_server(tmp_path, starttls=False) as peer:
        plan = planned(write_report(tmp_path, port=peer.port, lean=True))
        windows = [plan.window(day) for day in ("2024-11-23", "2024-11-24")]
        result = materialize_editions(plan, windows, home=tmp_path / "home", environ={})
        assert (result.errors, len(result.run_ids), peer.posts) == ((), 1, [])
    folders = list((tmp_path / "out").iterdir())
    assert len(folders) == 2
    assert all(len(list(folder.glob("2024-*"))) == 2 for folder in folders)


def test_one_who_joins_later_gets_the_edition_alone(tmp_path: Path) -> None:
    """A recipient who is new in the list gets the edition with the next run; the others do not get it again."""
    make_company(tmp_path, LEADS[:1])
    with mail_server(tmp_path, starttls=False) as peer:
        session = session_on(tmp_path, peer)
        make(session)
        change_company(tmp_path, f"insert into leads values ('{BOB}', 'South', '{{}}')")
        make(session)
        session.close()
        assert [post.recipients for post in peer.posts] == [[ANN], [BOB]]
