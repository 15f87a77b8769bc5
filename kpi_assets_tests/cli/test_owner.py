"""Commands that fail tell the owner: once per call, not of wrong input, not in a dry run."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kpi_assets.cli.app import app
from kpi_assets.config import load_report
from kpi_assets.errors import InputError
from kpi_assets.plan import build_plan
from kpi_assets_tests.outputs.mail_peer import mail_server
from kpi_assets_tests.owners import OWNER, notes_in
from kpi_assets_tests.shop import write_report

OWNED = """\
  board:
    plugin: smtp
    args: {{email_from: kpi@example.com, email_to: ops@example.com, smtp_host: 127.0.0.1, smtp_port: {port},
           retry_for: 0}}
owner: {owner}
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def owned(folder: Path, port: int, owner: str = OWNER, **more: str) -> Path:
    file = write_report(folder, **more)
    text = file.read_text(encoding="utf-8")
    file.write_text(text + OWNED.format(port=port, owner=f"'{owner}'"), encoding="utf-8")
    return file


def test_a_failing_command_tells_the_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure, once per call, and the recovery; nothing in a dry run, on request, or for wrong input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KPI_ASSETS_DAGSTER_URL", "http://dagster:3000")
    with mail_server(tmp_path, starttls=False) as peer:
        bad = ("-c", str(owned(tmp_path, peer.port, table="no_such_table")))
        assert invoke("run", *bad, "--dry-run").exit_code == 1
        assert invoke("run", *bad, "--no-tell-owner").exit_code == 1
        assert isinstance(invoke("run", *bad, "--output", "nonsense").exception, InputError)
        assert peer.posts == []

        failed = invoke("run", *bad)
        assert (failed.exit_code, len(peer.posts)) == (1, 1), failed.stderr
        assert f"{OWNER} was told by 'board' that orders failed" in failed.stderr.replace("\n", " ")
        ((subject, text),) = notes_in(peer)
        assert subject == "[kpi-assets] orders: edition 2024-11-24 failed"
        assert "no_such_table" in text
        assert "Run: http://dagster:3000/runs/" in text

        assert invoke("backfill", *bad, "--from", "2024-11-20", "--to", "2024-11-23").exit_code == 1
        assert len(peer.posts) == 2

        good = ("-c", str(owned(tmp_path, peer.port)))
        assert invoke("run", *good).exit_code == 0
        subjects = [str(post.message["Subject"]) for post in peer.posts[2:]]
        assert "[kpi-assets] orders is well again: edition 2024-11-24 is done" in subjects
        assert len(subjects) == 2


def test_incomplete_editions_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `placeholder` the command succeeds, and the owner hears that something is missing."""
    monkeypatch.chdir(tmp_path)
    with mail_server(tmp_path, starttls=False) as peer:
        file = owned(tmp_path, peer.port, table="no_such_table", policy="placeholder")
        assert invoke("run", "-c", str(file), "--output", "disk").exit_code == 0
        ((subject, text),) = notes_in(peer)
    assert subject == "[kpi-assets] orders: edition 2024-11-24 went out incomplete"
    assert "no_such_table" in text


def test_an_owner_who_cannot_be_told_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command still ends with its own result, and prints why the owner does not know."""
    monkeypatch.chdir(tmp_path)
    with mail_server(tmp_path, starttls=False) as peer:
        peer.answers[OWNER] = "550 no such user"
        file = owned(tmp_path, peer.port, table="no_such_table")
        result = invoke("run", "-c", str(file))
    assert result.exit_code == 1
    words = " ".join(result.stderr.split())
    assert "550 no such user" in words
    assert f"the owner {OWNER} could not be told" in words


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("#ops", "add an output `slack`"),
        ("team:data", "write a mail address"),
        (OWNER, ""),
    ],
)
def test_an_owner_whom_nobody_reaches_is_warned_of(tmp_path: Path, owner: str, words: str) -> None:
    """A report that would fail in silence says so when it is loaded."""
    plan = build_plan(load_report([owned(tmp_path, 25, owner)]), {})
    found = [str(warning) for warning in plan.warnings if "nobody can be told" in str(warning)]
    assert bool(found) is bool(words)
    assert all(words in text for text in found)
