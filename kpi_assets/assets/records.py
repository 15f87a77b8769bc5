"""Dagster's SQLite records, written in batches.

Dagster 1.13 opens three connections and compiles every statement anew for each event: some 10 ms, and in a backfill of
a year most of the work. The same rows in the same tables, a batch in two transactions, take a tenth. That a step has an
output is written with what the step does next, or before anybody reads. What is written is Dagster's own format;
without this module everything works, only slower. Pinned by `test_records.py`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import ASSET_EVENTS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import serialize_value
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.pool import StaticPool

BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
BUSY_SECONDS = 60
CHECK_PLANNED = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
TOGETHER = {*ASSET_EVENTS, CHECK_PLANNED}
"""What can be stored in a batch."""


class BatchedSqliteRecords(SqliteEventLogStorage):
    """Dagster's own storage, with a batch that is one, and a connection to each database that stays open."""

    engines: dict[str, Engine]
    waiting: dict[str, list[dict[str, Any]]]
    """Run -> rows of its events that are written with the next."""

    @classmethod
    def take_over(cls, records: SqliteEventLogStorage) -> None:
        """Make a storage of Dagster's, whose constructor has run, one of ours."""
        records.__class__ = cls
        ours = cast("BatchedSqliteRecords", records)
        ours.engines, ours.waiting = {}, {}

    def store_event(self, event: EventLogEntry) -> None:
        if event.dagster_event_type != DagsterEventType.STEP_OUTPUT:
            super().store_event(event)
            return
        with self._db_lock:
            self.waiting.setdefault(event.run_id, []).append(self._event_to_row(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store what is about assets together, run by run; anything else one by one, as Dagster does."""
        ours = [event for event in events if event.dagster_event_type in TOGETHER]
        for run_id in dict.fromkeys(event.run_id for event in ours):
            self._store_together(run_id, [event for event in ours if event.run_id == run_id])
        super().store_event_batch([event for event in events if event.dagster_event_type not in TOGETHER])

    def _store_together(self, run_id: str, events: Sequence[EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        with self.index_connection() as connection:
            self._mirror(connection, events, rows)

    def _mirror(
        self, connection: Any, events: Sequence[EventLogEntry], rows: Sequence[dict[str, Any]]
    ) -> None:
        """What every run shares: the events, their tags, the newest event of each asset, and the planned checks."""
        insert = SqlEventLogStorageTable.insert()
        ids = [int(connection.execute(insert, row).inserted_primary_key[0]) for row in rows]
        about_assets = [
            (event, id)
            for event, id in zip(events, ids, strict=True)
            if event.dagster_event_type in ASSET_EVENTS
        ]
        if about_assets:
            self._store_asset_event_tags(connection, *map(list, zip(*about_assets, strict=True)))
        newest = {event.get_dagster_event().asset_key: (event, id) for event, id in about_assets}
        for event, id in newest.values():
            self._store_asset_event(connection, event, id)
        checks = [
            row
            for event, id in zip(events, ids, strict=True)
            if event.dagster_event_type == CHECK_PLANNED
            for row in self._planned_checks(event, id)
        ]
        if checks:
            connection.execute(AssetCheckExecutionsTable.insert(), checks)

    def _planned_checks(self, event: EventLogEntry, id: int) -> list[dict[str, Any]]:
        """A row for each edition of a check that a run is going to make."""
        planned = cast(AssetCheckEvaluationPlanned, event.get_dagster_event().event_specific_data)
        subset = planned.partitions_subset
        row: dict[str, Any] = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),
            "evaluation_event_storage_id": id,
        }
        return [{**row, "partition": key} for key in (subset.get_partition_keys() if subset else [None])]

    @contextmanager
    def _connect(self, shard: str) -> Generator[Any]:
        """Dagster's connection the first time, which makes the database; then one that stays open until `dispose`."""
        if shard not in self._initialized_dbs:
            with super()._connect(shard) as connection:
                yield connection
            return
        with self._db_lock, self._engine(shard).begin() as connection:
            if rows := self.waiting.pop(shard, None):
                connection.execute(SqlEventLogStorageTable.insert(), rows)
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self.engines:
            # One connection for all threads: `_db_lock` lets one at a time use it.
            options = {"timeout": BUSY_SECONDS, "check_same_thread": False}
            address = self.conn_string_for_shard(shard)
            self.engines[shard] = create_engine(address, poolclass=StaticPool, connect_args=options)
        return self.engines[shard]

    def dispose(self) -> None:
        for run_id in tuple(self.waiting):
            with self.run_connection(run_id):
                pass
        for engine in self.engines.values():
            engine.dispose()
        self.engines.clear()
        super().dispose()


def write_in_batches(instance: dg.DagsterInstance) -> None:
    """Make an instance on SQLite files write its events in batches; instances on servers do so by themselves."""
    os.environ.setdefault(BATCH_SIZE, "100")
    records = instance.event_log_storage
    if type(records) is SqliteEventLogStorage:
        BatchedSqliteRecords.take_over(records)
