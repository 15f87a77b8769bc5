"""Who stops us stops the servers' work too. Against real servers, with the program as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kpi_assets.datasources.stopping import stop_all, stoppable
from kpi_assets_tests.servers import Database

POSTGRES, MARIADB = (
    "select count(*) from pg_stat_activity where query ilike 'fetch%' and datname = '{}' and state = 'active'",
    "select count(*) from information_schema.processlist where info like '%sleep(600)%' and db = '{}' "
    "and id <> connection_id()",
)
REPORT = """\
title: Endless
datasources:
  shop: {{plugin: sql, args: {{url: {url}}}}}
views:
  never:
    plugin: table
    args: {{datasource: shop, query: {query}}}
outputs:
  page: {{plugin: static, args: {{output_dir: {out}}}}}
"""


@contextmanager
def started(folder: Path, database: Database, verb: str, query: str) -> Generator[subprocess.Popen[bytes]]:
    """The program on a report that would take ten minutes."""
    out = json.dumps(str(folder / "out"))
    report = REPORT.format(url=json.dumps(database.url), query=json.dumps(query), out=out)
    (folder / "endless.yaml").write_text(report, encoding="utf-8")
    command = [sys.executable, "-m", "kpi_assets", verb, "-c", "endless.yaml", "--home", "home"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def working(database: Database, query: str) -> int:
    """How many sessions are at the endless query; PostgreSQL works on it when its cursor is asked for rows."""
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query.format(database.database))
        return int(cursor.fetchone()[0])


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("verb", "how"),
    [("preview", signal.SIGINT), ("run", signal.SIGINT), ("preview", signal.SIGKILL)],
)
def test_postgresql_works_for_nobody_who_is_gone(
    tmp_path: Path, postgres: Database, verb: str, how: signal.Signals
) -> None:
    """Ctrl-C cancels the statement, and a server finds out by itself that the program was killed."""
    with started(tmp_path, postgres, verb, "select pg_sleep(600)::text as a") as process:
        wait_until(lambda: working(postgres, POSTGRES) > 0)
        process.send_signal(how)
        assert process.wait(60) == (130 if how == signal.SIGINT else -how)
    wait_until(lambda: working(postgres, POSTGRES) == 0)


@pytest.mark.mariadb
def test_mariadb_is_told_to_stop(tmp_path: Path, mariadb: Database) -> None:
    """Ctrl-C kills the query on the server, in a session of its own."""
    with started(tmp_path, mariadb, "preview", "select sleep(600) as a") as process:
        wait_until(lambda: working(mariadb, MARIADB) > 0)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    wait_until(lambda: working(mariadb, MARIADB) == 0)


def test_only_what_runs_is_stopped() -> None:
    """What has ended is not; a stop that fails keeps no other from it; without a way to stop nothing is noted."""
    stopped: list[str] = []
    with stoppable(lambda: stopped.append("ended")):
        pass
    with stoppable(None), stoppable(lambda: 1 / 0), stoppable(lambda: stopped.append("running")):
        stop_all(10)
    stop_all(10)
    assert stopped == ["running"]
