"""The real daemon: it ticks, makes an edition, and tells the owner of one that fails, once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets.instance import open_instance
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.owners import OWNER
from kpi_assets_tests.shop import write_report

AUTOMATIC = """\
schedule: {{cron: "* * * * *"}}
owner: ops@example.com
"""
BOARD = """\
  board:
    plugin: smtp
    args: {{email_from: kpi@example.com, email_to: board@example.com, smtp_host: 127.0.0.1, smtp_port: {port},
           retry_for: 0}}
"""


def scheduled(folder: Path, name: str, port: int, table: str = "orders") -> None:
    """A report on the shop that ticks every minute; yesterday's edition has no rows, which is no error."""
    file = write_report(folder, name=name, table=table)
    text = file.read_text(encoding="utf-8").replace("end_date: 2024-11-25\n", "")
    file.write_text(text + BOARD.format(port=port) + AUTOMATIC.format(), encoding="utf-8")


@contextmanager
def daemon(home: Path, reports: Path) -> Generator[Path]:
    """`dagster-daemon run` on these reports, in a session of its own that ends with it; the file that it logs to."""
    command = shutil.which("dagster-daemon", path=str(Path(sys.executable).parent))
    assert command
    environ = {
        **os.environ,
        "DAGSTER_HOME": str(home / "dagster"),
        "KPI_ASSETS_HOME": str(home),
        "KPI_ASSETS_REPORTS": str(reports),
        "KPI_ASSETS_DAGSTER_URL": "http://dagster:3000",
    }
    log = home / "daemon.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [command, "run", "-m", "kpi_assets.definitions"],
            env=environ,
            cwd=home,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
                with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, number)
                    process.wait(patience)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(found: Callable[[], bool], log: Path, seconds: float = 800) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, log.read_text(encoding="utf-8")[-4000:]
        time.sleep(2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_daemon_makes_editions_and_tells_owners(tmp_path: Path, home: Path) -> None:
    """Ticking every minute, yesterday's edition is made and delivered once; each run that failed is told once."""
    reports = tmp_path / "reports"
    reports.mkdir()
    with mail_server(tmp_path, starttls=False) as peer:
        scheduled(reports, "good", peer.port)
        scheduled(reports, "bad", peer.port, table="no_such_table")
        with open_instance(home, {}) as instance, daemon(home, reports) as log:
            wait_for(lambda: _ended(instance, "good", dg.DagsterRunStatus.SUCCESS) >= 1, log)
            wait_for(lambda: _ended(instance, "bad", dg.DagsterRunStatus.FAILURE) >= 1, log)
            wait_for(lambda: any("failed" in subject for subject, _ in _owner_notes(peer)), log)
        notes = _owner_notes(peer)
        mails = [post.recipients for post in peer.posts if post.recipients != [OWNER]]
        runs = instance_runs(home, "bad")
    links = [line for _, text in notes for line in text.splitlines() if line.startswith("Run: ")]
    assert len(set(links)) == len(links)
    assert {link.removeprefix("Run: http://dagster:3000/runs/") for link in links} <= set(runs)
    assert all("no such table: no_such_table" in text for _, text in notes)
    assert all(subject.startswith("[kpi-assets] bad: edition ") for subject, _ in notes)
    assert mails == [["board@example.com"]]
    assert len(instance_runs(home, "good")) == 1


def _owner_notes(peer: MailPeer) -> list[tuple[str, str]]:
    messages = [post.message for post in peer.posts if post.recipients == [OWNER]]
    return [(str(message["Subject"]), str(message.get_content())) for message in messages]


def _ended(instance: dg.DagsterInstance, report: str, status: dg.DagsterRunStatus) -> int:
    wanted = dg.RunsFilter(tags={"kpi_assets/report": report}, statuses=[status])
    return instance.get_runs_count(wanted)


def instance_runs(home: Path, report: str) -> list[str]:
    """Ids of all runs of a report."""
    with open_instance(home, {}) as instance:
        return [run.run_id for run in instance.get_runs(dg.RunsFilter(tags={"kpi_assets/report": report}))]
