"""Mail from the command line to a real server: sent once, again by force, to oneself, not by backfills."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kpi_assets.cli.app import app
from kpi_assets.ledger.store import open_ledger
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.shop import write_report

MAIL = """\
  board:
    plugin: smtp
    args: {{email_from: kpi@example.com, email_to: [ada@example.com, bob@example.com],
           smtp_host: 127.0.0.1, smtp_port: {port}}}
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def told(peer: MailPeer) -> list[list[str]]:
    return [sorted(post.recipients) for post in peer.posts]


def test_a_mail_is_sent_once_and_otherwise_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Test, dry run, run, run again, `--force`, and backfills with and without `--notify`: who got what is right."""
    monkeypatch.chdir(tmp_path)
    everybody = ["ada@example.com", "bob@example.com"]
    with mail_server(tmp_path, starttls=False) as peer:
        file = write_report(tmp_path)
        file.write_text(file.read_text(encoding="utf-8") + MAIL.format(port=peer.port), encoding="utf-8")
        report = ("-c", str(file))

        test = invoke("send-test", *report, "--to", "me@example.com")
        assert (test.exit_code, told(peer)) == (0, [["me@example.com"]]), test.stderr
        peer.posts.clear()

        dry = invoke("run", *report, "--dry-run")
        assert (dry.exit_code, told(peer)) == (0, [])
        assert dry.stderr.count("to ada@example.com, bob@example.com") == 1

        assert invoke("run", *report).exit_code == 0
        again = invoke("run", *report)
        assert (again.exit_code, told(peer)) == (0, [everybody])
        assert "output board  not again to ada@example.com, bob@example.com: sent" in again.stderr
        assert "output board: nothing, sent" in invoke("run", *report, "--dry-run").stderr

        assert "again, forced" in invoke("run", *report, "--force").stderr
        assert told(peer) == [everybody] * 2
        first, second = (post.message["Message-ID"] for post in peer.posts)
        assert first == second

        days = ("--from", "2024-11-22", "--to", "2024-11-24")
        assert invoke("backfill", *report, *days).exit_code == 0
        assert len(peer.posts) == 2
        assert invoke("backfill", *report, *days, "--notify").exit_code == 0
        assert len(peer.posts) == 4

    entries = open_ledger(tmp_path / ".kpi_assets", {}).entries()
    mails = {e.edition: (e.state, e.attempts) for e in entries if e.output == "board"}
    assert mails == {"2024-11-22": ("sent", 1), "2024-11-23": ("sent", 1), "2024-11-24": ("sent", 2)}


def test_a_test_leaves_out_what_has_no_such_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chat and webhook, which have no mail addresses, are left out of a test by mail; named, or alone, they fail."""
    monkeypatch.chdir(tmp_path)
    others = """\
  team: {plugin: slack, args: {channels: "#kpis", api_token: xoxb-none}}
  hook: {plugin: webhook, args: {url: "http://127.0.0.1:9/x"}}
"""
    with mail_server(tmp_path, starttls=False) as peer:
        file = write_report(tmp_path)
        text = file.read_text(encoding="utf-8")
        file.write_text(text + MAIL.format(port=peer.port) + others, encoding="utf-8")
        report = ("-c", str(file), "--to", "me@example.com")
        test = invoke("send-test", *report)
        assert (test.exit_code, told(peer)) == (0, [["me@example.com"]]), test.stderr
        assert "output team  left out 'me@example.com' is no channel" in test.stderr
        assert "output hook  left out" in test.stderr
        named = invoke("send-test", *report, "--output", "team", "--output", "board")
        assert "output 'team': 'me@example.com' is no channel" in named.stderr
        assert (named.exit_code, len(peer.posts)) == (1, 2)
        file.write_text(text + others, encoding="utf-8")
        assert invoke("send-test", *report).exit_code == 1
