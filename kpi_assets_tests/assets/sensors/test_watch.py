"""The watch: a real query on a real file, asked at fixed moments."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets import sensors
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.sensors.watch import LONGEST, WatchCursor, Watcher, watch_sensor
from kpi_assets.config import load_report
from kpi_assets.errors import ConfigError
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.session import open_session
from kpi_assets_tests.shop import write_report

NOW = datetime(2024, 11, 25, 7, tzinfo=UTC)
WATCH = "watch: {datasource: shop, query: select max(placed_at) from orders, every: 5 minutes}\n"


def watching(folder: Path, watch: str = WATCH) -> ReportPlan:
    file = write_report(folder)
    text = file.read_text(encoding="utf-8").replace("end_date: 2024-11-25\n", "")
    file.write_text(text + watch, encoding="utf-8")
    return build_plan(load_report([file]), {})


def order(folder: Path, at: str) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("insert into orders values (?, 'Italy', 10.0)", (at,))


class Watching:
    """A report that is watched; every look opens a session of its own, as the sensor does."""

    def __init__(self, plan: ReportPlan, instance: dg.DagsterInstance, home: Path) -> None:
        self.plan, self.instance, self.home = plan, instance, home

    def look(self, cursor: str | None, now: datetime = NOW) -> dg.SensorResult:
        assert self.plan.watch
        with open_session(self.plan, self.home) as session:
            return Watcher(session, self.plan.watch, self.instance, now).look(WatchCursor.read(cursor))


@pytest.fixture
def watched(tmp_path: Path, home: Path, kept: dg.DagsterInstance) -> Watching:
    return Watching(watching(tmp_path), kept, home)


def test_it_runs_when_the_answer_moves(tmp_path: Path, watched: Watching) -> None:
    """The first answer is remembered, the same one is no news, another makes the newest edition, once."""
    first = watched.look(None)
    assert "remembers the first answer" in str(first.skip_reason)
    same = watched.look(first.cursor)
    assert "nothing new" in str(same.skip_reason)
    order(tmp_path, "2024-11-25 06:59:00")
    moved = watched.look(same.cursor)
    asked = [(r.partition_key, r.tags["kpi_assets/notify"]) for r in moved.run_requests or ()]
    assert asked == [("2024-11-24", "true")]
    assert not watched.look(moved.cursor).run_requests


def test_news_waits_for_the_run_that_is_under_way(tmp_path: Path, watched: Watching) -> None:
    """While a run of the edition is under way the news is not forgotten; when it is over, the edition is made."""
    cursor = watched.look(None).cursor
    order(tmp_path, "2024-11-25 06:59:00")
    job = build_definitions([watched.plan]).resolve_implicit_global_asset_job_def()
    tags = {"kpi_assets/report": watched.plan.id, "kpi_assets/edition": "2024-11-24"}
    run = watched.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    waiting = watched.look(cursor)
    assert "under way" in str(waiting.skip_reason)
    watched.instance.report_run_failed(run)
    assert watched.look(waiting.cursor).run_requests


def test_a_source_that_fails_is_left_in_peace(tmp_path: Path, watched: Watching) -> None:
    """Every failure is a reason, doubles the pause up to an hour, and keeps the last answer to compare with."""
    cursor = watched.look(None).cursor
    (tmp_path / "shop.db").rename(tmp_path / "away.db")
    now, pauses = NOW, list[timedelta]()
    for _ in range(6):
        failed = watched.look(cursor, now)
        assert "cannot be asked" in str(failed.skip_reason)
        until = datetime.fromisoformat(WatchCursor.read(failed.cursor).pause_until)
        assert "asked again after" in str(
            watched.look(failed.cursor, until - timedelta(seconds=1)).skip_reason
        )
        pauses.append(until - now)
        now, cursor = until, failed.cursor
    assert [pause / timedelta(minutes=1) for pause in pauses] == [10, 20, 40, 60, 60, 60]
    assert pauses[-1] == LONGEST
    (tmp_path / "away.db").rename(tmp_path / "shop.db")
    order(tmp_path, "2024-11-25 06:59:00")
    assert watched.look(cursor, now).run_requests


def test_a_long_answer_is_kept_as_a_hash(tmp_path: Path, home: Path, kept: dg.DagsterInstance) -> None:
    """Whole tables do not end up in Dagster's records."""
    plan = watching(tmp_path, WATCH.replace("max(placed_at)", "*"))
    cursor = Watching(plan, kept, home).look(None).cursor
    assert len(str(cursor)) < 200
    assert "Germany" not in str(cursor)


def test_the_sensor(tmp_path: Path, home: Path, kept: dg.DagsterInstance) -> None:
    """On by default, every five minutes, evaluated by Dagster with its cursor."""
    plan = watching(tmp_path)
    resource = KpiAssetsResource(home=str(home))
    (found,) = sensors.report_sensors([plan], resource)
    assert (found.name, found.minimum_interval_seconds) == ("orders__watch", 300)
    assert found.default_status == dg.DefaultSensorStatus.RUNNING
    sensor = watch_sensor(plan, resource, clock=lambda: NOW)
    assert sensor
    repository = build_definitions([plan]).get_repository_def()
    first = sensor.evaluate_tick(dg.build_sensor_context(kept, repository_def=repository))
    order(tmp_path, "2024-11-25 06:59:00")
    again = dg.build_sensor_context(kept, cursor=first.cursor, repository_def=repository)
    assert [r.partition_key for r in sensor.evaluate_tick(again).run_requests or ()] == ["2024-11-24"]


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (WATCH.replace("datasource: shop", "datasource: shp"), "did you mean 'shop'"),
        (WATCH.replace("5 minutes", "often"), "'often' is no duration"),
        (WATCH.replace("5 minutes", "1 s"), "30 s is the least"),
        (WATCH.replace("select max(placed_at)", "delete"), "watch"),
    ],
)
def test_a_watch_is_checked_when_it_is_loaded(tmp_path: Path, watch: str, words: str) -> None:
    """An unknown datasource, a time that is none, too short a time and a query that writes: told with the report."""
    with pytest.raises(ConfigError, match=words):
        watching(tmp_path, watch)


@pytest.mark.parametrize(
    ("every", "seconds"),
    [("30 s", 30), ("5 minutes", 300), ("1 hour", 3600), ("2h", 7200), ("1 day", 86400), ("10min", 600)],
)
def test_how_often(tmp_path: Path, every: str, seconds: int) -> None:
    """Words and abbreviations."""
    plan = watching(tmp_path, WATCH.replace("5 minutes", every))
    assert plan.watch
    assert plan.watch.seconds == seconds
