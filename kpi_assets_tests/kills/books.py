"""A look into the ledger from outside, and its lock in somebody else's hands."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_assets.ledger.store import Ledger, open_ledger

STATES = "select state from kpi_assets_deliveries where edition = '2024-11-24'"


@dataclass(frozen=True)
class Books:
    """The ledger that an errand with this home and environment uses; it must have been made."""

    home: Path
    environ: Mapping[str, str]

    @property
    def ledger(self) -> Ledger:
        return open_ledger(self.home, self.environ)

    def state(self) -> str:
        """Of the edition's row; `none` where there is none."""
        with closing(self._connected()) as connection, closing(connection.cursor()) as cursor:
            with suppress(sqlite3.OperationalError):
                cursor.execute(STATES)
                found = cursor.fetchall()
                return str(found[0][0]) if found else "none"
            return "none"

    def clear(self) -> None:
        """As if nothing had ever been delivered."""
        with self.ledger.database.turn("trial") as connection:
            for table in ("kpi_assets_attempts", "kpi_assets_deliveries"):
                connection.exec_driver_sql(f"delete from {table}")

    @contextmanager
    def held(self) -> Generator[None]:
        """Nobody else can write meanwhile."""
        with closing(self._connected()) as connection, closing(connection.cursor()) as cursor:
            if self._url:
                cursor.execute("begin; lock table kpi_assets_deliveries in access exclusive mode")
            else:
                cursor.execute("begin immediate")
            yield
            cursor.execute("rollback")

    @property
    def _url(self) -> str:
        return self.environ.get("KPI_ASSETS_LEDGER", "")

    def _connected(self) -> Any:
        if not self._url:
            return sqlite3.connect(self.home / "ledger.db", timeout=30, isolation_level=None)
        import psycopg2

        connection = psycopg2.connect(self._url.replace("+psycopg2", ""))
        connection.autocommit = True
        return connection
