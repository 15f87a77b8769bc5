"""The ledger's tables, made on first use and carried from version to version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    inspect,
    select,
)

from kpi_assets.ledger.model import LedgerError

VERSION = 4
"""Of the tables. A new table raises it and is made where it is missing; a change of one needs a step in `prepare`."""

TABLES = MetaData()


class Moment(TypeDecorator[datetime]):
    """A zone-aware moment, kept as UTC everywhere; SQLite keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


VERSIONS = Table("kpi_assets_ledger", TABLES, Column("version", Integer, nullable=False))

DELIVERIES = Table(
    "kpi_assets_deliveries",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("report", String(200), nullable=False),
    Column("window_start", Date, nullable=False),
    Column("window_end", Date, nullable=False),
    Column("output", String(200), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("edition", String(200), nullable=False),
    Column("plugin", String(200), nullable=False),
    Column("effect", String(16), nullable=False),
    Column("recipients", Text, nullable=False),
    Column("reached", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_before", String(16)),
    Column("reason", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("receipt", Text),
    Column("attempts", Integer, nullable=False),
    Column("token", String(36), nullable=False),
    Column("lease_until", Moment),
    Column("run_id", String(200), nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    UniqueConstraint("report", "window_start", "window_end", "output", "audience", name="kpi_assets_once"),
)
"""One row per edition, output and set of recipients. The unique key is what keeps two workers from both sending."""

ATTEMPTS = Table(
    "kpi_assets_attempts",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("delivery", ForeignKey(DELIVERIES.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("token", String(36), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("why", String(16), nullable=False),
    Column("run_id", String(200), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
)

NOTICES = Table(
    "kpi_assets_notices",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("report", String(200), nullable=False),
    Column("incident", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("last_day", Date, nullable=False),
    Column("owner", String(400), nullable=False),
    Column("output", String(200), nullable=False),
    Column("run_id", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("lease_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("report", "incident", "kind", name="kpi_assets_told_once"),
)
"""What owners were told. One row per report, incident (a run with its retries, a backfill) and kind of notice."""

HEARTBEATS = Table(
    "kpi_assets_heartbeats",
    TABLES,
    Column("run_id", String(200), primary_key=True),
    Column("host", String(400), nullable=False),
    Column("alive_until", Moment, nullable=False),
)
"""Runs that give signs of life, and until when the last one holds."""

TOTALS = Table(
    "kpi_assets_totals",
    TABLES,
    Column("report", String(200), primary_key=True),
    Column("editions", BigInteger, nullable=False),
    Column("queries", BigInteger, nullable=False),
    Column("failed_queries", BigInteger, nullable=False),
    Column("failed_views", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("query_seconds", Float(53), nullable=False),
    Column("render_seconds", Float(53), nullable=False),
    Column("newest_end", Date),
    Column("made_at", Moment),
)
"""What all runs of a report together have done, for metrics. One row per report: it never grows, and sums only rise."""


def prepare(connection: Connection, place: str) -> None:
    """Make or upgrade the tables. Call it alone: with a lock that all processes on this ledger respect.

    Raises LedgerError for tables of a later version than this program knows.
    """
    found = _version(connection)
    if found > VERSION:
        raise LedgerError(
            f"the ledger {place} was made by a newer kpi_assets (tables of version {found}, this one knows {VERSION}): "
            "upgrade kpi_assets here too"
        )
    if found == VERSION:
        return
    TABLES.create_all(connection)
    connection.execute(VERSIONS.delete())
    connection.execute(VERSIONS.insert().values(version=VERSION))


def _version(connection: Connection) -> int:
    """0 where there are no tables yet."""
    if not inspect(connection).has_table(VERSIONS.name):
        return 0
    return int(connection.execute(select(VERSIONS.c.version)).scalar_one_or_none() or 0)
