"""Where the ledger lies: a SQLite file, or PostgreSQL. Each transaction has the ledger, or its part of it, alone."""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kpi_assets.errors import redact
from kpi_assets.ledger import schema
from kpi_assets.ledger.model import LedgerError

ENVIRONMENT = "KPI_ASSETS_LEDGER"
FILE = "ledger.db"
PATIENCE = 30
"""Seconds that a process waits for its turn on a SQLite file."""

EVERYBODY = 0x6B70695F
"""Key of the PostgreSQL lock under which the tables are made."""


@dataclass(frozen=True)
class Database:
    """A ledger's database with its tables made. `place` names it for people, without a password."""

    engine: Engine
    place: str
    password: str = field(default="", repr=False)

    @contextmanager
    def turn(self, key: str) -> Generator[Connection]:
        """A transaction that nobody else who holds the same key runs beside. Raises LedgerError."""
        with self.told(), self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
                connection.execute(lock, {"key": f"kpi_assets/{key}"})
            yield connection

    @contextmanager
    def told(self) -> Generator[None]:
        """Turn what the driver says into a LedgerError that says what to do."""
        try:
            yield
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
            reason = redact(said[0] if said else type(error).__name__, [self.password])
            raise LedgerError(
                f"the ledger {self.place} cannot be used: {reason}. Nothing is delivered without it: mend it, or set "
                f"KPI_ASSETS_HOME (the SQLite file) or {ENVIRONMENT} (a postgresql:// URL)"
            ) from error


def open_database(home: Path, environ: Mapping[str, str]) -> Database:
    """The ledger that the environment names, else the SQLite file in the home folder. Raises LedgerError."""
    url = environ.get(ENVIRONMENT, "")
    return _postgres(_url(url)) if url else _sqlite(home / FILE)


def _url(written: str) -> URL:
    """The URL with the driver that we install."""
    scheme, colon, rest = written.partition("://")
    try:
        url = make_url(
            f"{scheme.replace('postgres', 'postgresql', 1)}{colon}{rest}" if _short(scheme) else written
        )
    except ArgumentError:
        raise LedgerError(
            f"{ENVIRONMENT} is not a URL; write postgresql://user:password@host/database"
        ) from None
    if url.get_backend_name() != "postgresql":
        raise LedgerError(
            f"{ENVIRONMENT} is a {url.get_backend_name()} URL; the ledger lies in PostgreSQL (postgresql://...), or, "
            f"without {ENVIRONMENT}, in the SQLite file $KPI_ASSETS_HOME/{FILE}"
        )
    return url if "+" in url.drivername else url.set(drivername="postgresql+psycopg2")


def _short(scheme: str) -> bool:
    return scheme.partition("+")[0] == "postgres"


def _postgres(url: URL) -> Database:
    try:
        engine = create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": 10}
        )
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"{ENVIRONMENT} names PostgreSQL, whose driver is not installed: pip install 'kpi-assets[postgres]'"
        ) from error
    database = Database(engine, url.render_as_string(hide_password=True), str(url.password or ""))
    with database.told(), engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": EVERYBODY})
        schema.prepare(connection, database.place)
    return database


def _sqlite(path: Path) -> Database:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": PATIENCE},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    database = Database(engine, str(path))
    with _alone(path), database.told(), engine.begin() as connection:
        schema.prepare(connection, database.place)
    return database


def _set_up(connection: Any, record: Any) -> None:
    """A claim must be on the disk before the first byte leaves; and transactions begin when we say."""
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma synchronous = full")
    cursor.execute("pragma foreign_keys = on")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("begin immediate")


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """One process at a time makes the file: SQLite does not wait for its turn to change the journal's mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.with_name(f".{path.name}.lock").open("ab")
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} cannot be made: {error.strerror}; give the folder room and rights, "
            "or set KPI_ASSETS_HOME"
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
