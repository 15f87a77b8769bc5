"""SQLite files, opened read-only. A missing file is an error, never a new empty database."""

from __future__ import annotations

import re
import sqlite3
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from kpi_assets.datasources.args import ignored_sqlite_keys
from kpi_assets.datasources.backend import AlchemyBackend, Backend, Job, Verdict, driver_error
from kpi_assets.datasources.base import SqlArgs, SqlDatasourceBase
from kpi_assets.datasources.bounds import TimestampFormat
from kpi_assets.datasources.dialects import SQLITE, Dialect

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import PoolProxiedConnection

SqliteTimes = Literal["text", "iso", "epoch", "epoch_ms"]
_STEPS_BETWEEN_LOOKS = 20_000
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class SqliteArgs(SqlArgs):
    """A SQLite file."""

    ignored_keys: ClassVar = ignored_sqlite_keys()

    database: str = Field(description="Path of the database file, or a file: URI.")
    timeout: float = Field(30, ge=0, description="Seconds to wait while another program locks the file.")
    timestamp_format: SqliteTimes = Field(
        "text",
        description="How columns hold time: text '2024-11-18 07:30:00' or '2024-11-18', iso '2024-11-18T07:30:00', "
        "epoch seconds, epoch_ms milliseconds.",
    )
    uri: bool = Field(
        False, description="KPI Reporter's flag for file: URIs; they are recognised without it."
    )

    @property
    def time_format(self) -> TimestampFormat:
        return self.timestamp_format


class SqliteBackend(AlchemyBackend):
    """One file (or `:memory:`), each connection read-only, stoppable, and with MySQL's `date_sub` and `date_add`."""

    dialect: ClassVar[Dialect] = SQLITE

    def __init__(self, database: str, *, timeout: float, concurrency: int, times: SqliteTimes) -> None:
        super().__init__(self._create_engine)
        self.database, self.timeout, self.concurrency, self.times = database, timeout, concurrency, times

    def _create_engine(self) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import QueuePool

        size = 1 if self.database == ":memory:" else self.concurrency
        return create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=3600,
        )

    def _connect(self) -> sqlite3.Connection:
        if self.database != ":memory:":
            _refuse_missing(self.database)
        connection = sqlite3.connect(
            read_only_uri(self.database),
            timeout=self.timeout,
            uri=True,
            check_same_thread=False,
            isolation_level=None,
        )
        connection.execute("pragma query_only = on")
        connection.set_authorizer(_authorize)
        day = 86_400_000 if self.times == "epoch_ms" else 86_400
        for name, sign in (("date_sub", -1), ("date_add", 1)):
            connection.create_function(name, 2, partial(shift, sign=sign, day=day), deterministic=True)
        return connection

    def prepare(self, connection: PoolProxiedConnection, job: Job) -> None:
        deadline = time.monotonic() + job.timeout
        raw: Any = connection.driver_connection
        raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)

    def errors(self) -> tuple[type[Exception], ...]:
        return (*super().errors(), MissingFileError)

    def verdict(self, error: Exception) -> Verdict:
        code = getattr(driver_error(error), "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _BUSY:
            return Verdict.BUSY
        return Verdict.TIMEOUT if code == sqlite3.SQLITE_INTERRUPT else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        if self.verdict(error) is Verdict.BUSY:
            return f"{self.database} is locked by another program, still after {self.timeout:g} s (`timeout`)"
        inner = driver_error(error)
        if getattr(inner, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            return f"{self.database} is not a SQLite database"
        return super().words(inner)


class MissingFileError(Exception):
    """The database file is not there."""


class SqliteDatasource(SqlDatasourceBase):
    """A SQLite file."""

    Args = SqliteArgs
    kinds = ("sql", "sqlite")

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        del args
        return SQLITE

    def make_backend(self) -> Backend:
        args: SqliteArgs = self.args
        return SqliteBackend(
            args.database, timeout=args.timeout, concurrency=args.concurrency, times=args.timestamp_format
        )


def read_only_uri(database: str) -> str:
    """The file: URI that opens a path or a URI for reading only."""
    if database == ":memory:":
        return "file::memory:"
    if not database.startswith("file:"):
        return f"file:{quote(str(Path(database).expanduser().absolute()))}?mode=ro"
    base, _, query = database.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("mode=")]
    return f"{base}?{'&'.join([*kept, 'mode=memory' if 'mode=memory' in query else 'mode=ro'])}"


def shift(value: str | float | None, interval: str | None, *, sign: int, day: int) -> str | float | None:
    """MySQL's `date_sub(value, {interval})` on SQLite: text stays text of the same form, numbers are epochs.

    `day`: what a day counts in them.
    """
    match = re.fullmatch(r"(-?\d+) days", interval or "")
    if value is None or match is None:
        return None
    days = sign * int(match.group(1))
    if not isinstance(value, str):
        return value + days * day
    moved = datetime.fromisoformat(value) + timedelta(days=days)
    if len(value) == 10:
        return moved.date().isoformat()
    return moved.isoformat("T" if "T" in value else " ", "minutes" if len(value) == 16 else "auto")


def _refuse_missing(database: str) -> None:
    if database.startswith("file:"):
        return
    path = Path(database).expanduser()
    if not path.is_file():
        raise MissingFileError(
            f"there is no database file {path.absolute()}; `database` is relative to where it runs"
        )


def _authorize(action: int, *_: object) -> int:
    refused = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
    return sqlite3.SQLITE_DENY if action in refused else sqlite3.SQLITE_OK
