"""`when:` from the command line through Dagster to a mailbox and the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kpi_assets.assets import keys
from kpi_assets.assets.instance import open_instance
from kpi_assets.cli.app import app
from kpi_assets.ledger.store import open_ledger
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.shop import write_report

WHEN = "when: {{query: {{ref: alarms}}, rows: '> 0'{more}}}\n"
ALARMS = """\
  alarms:
    datasource: shop
    query: select name from alarms
views:
  alarms:
    plugin: table
    when: {query: {ref: alarms}, rows: '> 0'}
    args: {query: {ref: alarms}}
"""
MAIL = """\
  board:
    plugin: smtp
    args: {{email_from: kpi@example.com, email_to: [ada@example.com], smtp_host: 127.0.0.1, smtp_port: {port}}}
"""
REASON = "`when` does not hold: query 'alarms' has 0 rows, wanted > 0"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailPeer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    with mail_server(tmp_path, starttls=False) as peer:
        yield peer


def report(folder: Path, peer: MailPeer, more: str = "") -> tuple[str, str]:
    """A report that is sent when there are alarms; there are none."""
    file = write_report(folder)
    text = file.read_text(encoding="utf-8").replace("views:\n", ALARMS) + MAIL.format(port=peer.port)
    file.write_text(WHEN.format(more=more) + text, encoding="utf-8")
    alarms(folder, "create table alarms (name text)")
    return "-c", str(file)


def alarms(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute(sql)


def states(folder: Path) -> dict[str, tuple[str, str]]:
    return {e.output: (e.state, e.reason) for e in open_ledger(folder / ".kpi_assets", {}).entries()}


def metadata(folder: Path, output: str) -> dict[str, object]:
    with open_instance(folder / ".kpi_assets", {}) as instance:
        event = instance.get_latest_materialization_event(keys.output_key("orders", output))
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_skipped_until_the_data_say_so(tmp_path: Path, peer: MailPeer) -> None:
    """Published and not mailed, and told so everywhere; with data the same edition is mailed, once."""
    file = report(tmp_path, peer)
    look = invoke("preview", *file)
    assert look.exit_code == 0, look.stderr
    assert f"nobody would be told {REASON}" in look.stderr
    assert f"output board: nothing, {REASON}" in invoke("run", *file, "--dry-run").stderr
    assert states(tmp_path) == {}

    done = invoke("run", *file)
    assert done.exit_code == 0, done.stderr
    assert f"output board  skipped {REASON}" in done.stderr
    assert "view   alarms  left out query 'alarms' has 0 rows, wanted > 0" in done.stderr
    assert states(tmp_path) == {"disk": ("sent", ""), "board": ("skipped", REASON)}
    assert REASON in invoke("deliveries", "list", "--state", "skipped").stdout
    assert metadata(tmp_path, "board")["skipped"] == REASON
    assert metadata(tmp_path, "disk")["status"] == "published"
    assert peer.posts == []

    alarms(tmp_path, "insert into alarms values ('disk full')")
    assert "to ada@example.com" in invoke("run", *file).stderr
    assert "not again" in invoke("run", *file).stderr
    assert [post.recipients for post in peer.posts] == [["ada@example.com"]]
    assert states(tmp_path)["board"] == ("sent", "")

    alarms(tmp_path, "delete from alarms")
    assert "skipped" in invoke("run", *file).stderr
    assert states(tmp_path)["board"] == ("sent", "")


def test_force_sends_what_is_held_back(tmp_path: Path, peer: MailPeer) -> None:
    """`--force` delivers against the condition, and the ledger records it as forced."""
    file = report(tmp_path, peer)
    assert "again, forced to ada@example.com" in invoke("run", *file, "--force").stderr
    ledger = open_ledger(tmp_path / ".kpi_assets", {})
    (entry,) = [entry for entry in ledger.entries() if entry.output == "board"]
    assert (entry.state, entry.forced) == ("sent", True)
    assert [attempt.why for attempt in ledger.attempts(entry.id)] == ["forced"]
    assert "skipped" in invoke("run", *file).stderr
    assert len(peer.posts) == 1


def test_nothing_is_published_where_the_report_says_so(tmp_path: Path, peer: MailPeer) -> None:
    """With `skips: all` outputs that publish are held back too; the edition is kept all the same."""
    file = report(tmp_path, peer, ", skips: all")
    done = invoke("run", *file)
    assert done.exit_code == 0, done.stderr
    assert states(tmp_path) == {"disk": ("skipped", REASON), "board": ("skipped", REASON)}
    assert not (tmp_path / "out").exists()
    assert Path(done.stdout.splitlines()[-1]).is_file()


def test_a_backfill_judges_each_edition(tmp_path: Path, peer: MailPeer) -> None:
    """Of a range those editions whose days have alarms are mailed, the others are in the ledger as skipped."""
    file = report(tmp_path, peer)
    text = Path(file[1]).read_text(encoding="utf-8")
    by_day = "select name from alarms where name >= {from} and name < {to}"
    text = text.replace("select name from alarms\n", by_day + "\n").replace(
        "title: Orders {from}", "interval_days: 1\ntitle: Orders {from}"
    )
    Path(file[1]).write_text(text, encoding="utf-8")
    alarms(tmp_path, "insert into alarms values ('2024-11-21 10:00:00')")
    done = invoke("backfill", *file, "--from", "2024-11-20", "--to", "2024-11-22", "--notify")
    assert done.exit_code == 0, done.stderr
    entries = [e for e in open_ledger(tmp_path / ".kpi_assets", {}).entries() if e.output == "board"]
    assert {entry.edition: entry.state for entry in entries} == {
        "2024-11-20": "skipped",
        "2024-11-21": "sent",
        "2024-11-22": "skipped",
    }
    assert len(peer.posts) == 1


def test_the_graph_shows_what_decides(tmp_path: Path, peer: MailPeer) -> None:
    """The query of a condition is upstream of the document, that of a view's condition upstream of the view."""
    from kpi_assets.assets.build import build_definitions
    from kpi_assets.config import load_report
    from kpi_assets.plan import build_plan

    plan = build_plan(load_report([Path(report(tmp_path, peer)[1])]), {})
    graph = build_definitions([plan]).resolve_asset_graph()
    query = keys.query_key("orders", "alarms")
    assert query in graph.get(keys.document_key("orders")).parent_keys
    assert query in graph.get(keys.view_key("orders", "alarms")).parent_keys
