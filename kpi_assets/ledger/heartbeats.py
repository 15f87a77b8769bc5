"""Signs of life of runs: a worker that was killed is noticed in a minute, not when the longest run would be over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from kpi_assets.ledger.database import Database
from kpi_assets.ledger.schema import HEARTBEATS

KEPT = timedelta(days=2)
"""How long the last sign of a run that has ended lies about."""


@dataclass(frozen=True)
class Heartbeats:
    """Kept beside the ledger. Moments are zone-aware; every method raises LedgerError where the database is away."""

    database: Database

    def beat(self, run_id: str, host: str, *, until: datetime) -> None:
        """The run lives, and will be heard of again by `until`."""
        with self.database.turn(f"heartbeat/{run_id}") as connection:
            mine = update(HEARTBEATS).where(HEARTBEATS.c.run_id == run_id)
            if not connection.execute(mine.values(host=host, alive_until=until)).rowcount:
                connection.execute(HEARTBEATS.insert().values(run_id=run_id, host=host, alive_until=until))

    def silent(self, run_ids: Collection[str], *, now: datetime) -> dict[str, str]:
        """Those of the runs that have given signs of life and stopped: run id -> the host that was last heard of."""
        with self.database.turn("heartbeats") as connection:
            connection.execute(delete(HEARTBEATS).where(HEARTBEATS.c.alive_until < now - KEPT))
            wanted = select(HEARTBEATS.c.run_id, HEARTBEATS.c.host).where(
                HEARTBEATS.c.run_id.in_(list(run_ids)), HEARTBEATS.c.alive_until <= now
            )
            return {row.run_id: row.host for row in connection.execute(wanted)}
