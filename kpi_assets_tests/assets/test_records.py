from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets import keys, records
from kpi_assets.assets.instance import open_instance, prepare_dagster_home
from kpi_assets.assets.run import materialize_editions
from kpi_assets_tests.assets.reports import days_between, make_plan, windows_of

DAYS = days_between("2024-11-20", "2024-11-24")


def backfill(home: Path, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a backfill of five days leaves in its own log, and in the tables that every run shares."""
    plan = make_plan(folder)
    made = materialize_editions(plan, windows_of(plan, *DAYS), home=home, environ={})
    assert made.success
    history = home / "dagster/history/runs"
    with closing(sqlite3.connect(history / f"{made.run_ids[0]}.db")) as run:
        log = run.execute(
            "SELECT dagster_event_type, step_key, partition FROM event_logs ORDER BY id"
        ).fetchall()
    with closing(sqlite3.connect(history / "index.db")) as index:
        return {
            "log": log,
            "checks": index.execute(
                "SELECT asset_key, check_name, partition, execution_status, evaluation_event_storage_id, "
                "materialization_event_storage_id FROM asset_check_executions ORDER BY id"
            ).fetchall(),
            "events": index.execute(
                "SELECT dagster_event_type, asset_key, partition, step_key FROM event_logs ORDER BY id"
            ).fetchall(),
            "tags": index.execute(
                "SELECT asset_key, key, value FROM asset_event_tags WHERE key NOT LIKE '%version' ORDER BY id"
            ).fetchall(),
            "assets": index.execute(
                "SELECT asset_key, wipe_timestamp FROM asset_keys ORDER BY asset_key"
            ).fetchall(),
        }


def test_batches_leave_the_same_rows(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backfill written in batches leaves the rows that Dagster's own storage leaves."""
    other = tmp_path / "other"
    batched = backfill(home, tmp_path)
    monkeypatch.setattr(records.BatchedSqliteRecords, "take_over", lambda records: None)
    assert backfill(other, tmp_path) == batched
    assert len(batched["events"]) > 5 * 5
    assert batched["checks"]


def test_no_event_is_left_behind(tmp_path: Path, home: Path) -> None:
    """What waits for the next event is there for whoever reads before that, and once the instance is closed."""
    backfill(home, tmp_path)
    with open_instance(home, {}) as instance:
        (run,) = instance.get_runs()
        logged = instance.all_logs(run.run_id)
        (output, *_) = (e for e in logged if e.dagster_event_type == dg.DagsterEventType.STEP_OUTPUT)
        instance.event_log_storage.store_event(output)
        assert len(instance.all_logs(run.run_id)) == len(logged) + 1
        instance.event_log_storage.store_event(output)
    with open_instance(home, {}) as instance:
        assert len(instance.all_logs(run.run_id)) == len(logged) + 2


def test_dagster_reads_what_was_written_in_batches(tmp_path: Path, home: Path) -> None:
    """An instance of Dagster's own finds every edition, its metadata, its run, and the newest of each asset."""
    backfill(home, tmp_path)
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(home, {}))) as instance:
        (run,) = instance.get_runs()
        key = keys.view_key("weekly", "total")
        found = instance.fetch_materializations(key, limit=10).records
        assert [record.partition_key for record in found] == list(reversed(DAYS))
        newest = instance.get_latest_materialization_event(key)
        assert newest is not None
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.metadata["finding"].value == "147 sign-ups"
        logged = [e for e in instance.all_logs(run.run_id) if e.dagster_event_type and e.dagster_event]
        made = [e for e in logged if e.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
        assert len(made) == 5 * len(keys.all_keys(make_plan(tmp_path)))


def test_only_sqlite_files_are_touched(instance: dg.DagsterInstance) -> None:
    """An instance that is not on SQLite files keeps its own way of writing."""
    before = type(instance.event_log_storage)
    records.write_in_batches(instance)
    assert type(instance.event_log_storage) is before


def test_our_instance_writes_in_batches(home: Path) -> None:
    """Dagster's storage is the class that we extend: if it moved, backfills would silently be slow."""
    with open_instance(home, {}) as instance:
        assert type(instance.event_log_storage) is records.BatchedSqliteRecords


def test_connections_end_with_the_instance(tmp_path: Path, home: Path) -> None:
    """After a run no database stays open: its files can be moved, and SQLite has folded its log into them."""
    backfill(home, tmp_path)
    assert [file.name for file in (home / "dagster").rglob("*.db-wal")] == []
