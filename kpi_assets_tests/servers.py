"""Real servers for tests: what `scripts/servers.sh` starts, and whether it answers.

Each test gets an empty database of its own, dropped afterwards, so that tests run side by side.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SSHD = "/usr/sbin/sshd"
"""Debian's; tests start one of their own, with their own keys and settings."""
_PROMETHEUS = ("prometheus", "promtool", "prometheus-alertmanager")
USER = "kpi_assets_test"
PASSWORD = "kpi-assets-test"
_numbers = itertools.count()


@dataclass(frozen=True)
class Database:
    """An empty database on a running server, and how to log in to it."""

    dialect: str
    port: int
    database: str
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD

    @property
    def url(self) -> str:
        """The SQLAlchemy URL, with driver and password."""
        driver = {"postgresql": "postgresql+psycopg2", "mariadb": "mysql+pymysql"}[self.dialect]
        return f"{driver}://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def connect(self) -> Any:
        """A DB-API connection that commits by itself."""
        return _connect(self.dialect, self.database)

    def execute(self, *statements: str) -> None:
        """Run statements, one after the other."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def new_database(dialect: str) -> Iterator[Database]:
    """An empty database on the server, dropped at the end."""
    name = f"{USER}_{os.getpid()}_{next(_numbers)}"
    admin = Database(dialect, PORTS[dialect], USER)
    admin.execute(f"create database {name}")
    try:
        yield Database(dialect, PORTS[dialect], name)
    finally:
        admin.execute(f"drop database {name}" + (" with (force)" if dialect == "postgresql" else ""))


@cache
def missing(marker: str) -> str:
    """Why what the marker names cannot be used here; empty when it can."""
    if marker == "browser":
        return "" if shutil.which("chromium") else "chromium is not on the path"
    if marker == "ssh":
        return "" if Path(SSHD).exists() else f"there is no {SSHD}"
    if marker == "prometheus":
        gone = [name for name in _PROMETHEUS if not shutil.which(name)]
        return f"{' and '.join(gone)} not on the path" if gone else ""
    if marker == "celery":
        return "" if shutil.which("redis-server") else "redis-server is not on the path"
    dialect = {"postgres": "postgresql", "mariadb": "mariadb"}[marker]
    try:
        _connect(dialect, USER).close()
    except _errors(dialect) as error:
        return f"no {dialect} server takes {USER} on 127.0.0.1:{PORTS[dialect]} ({type(error).__name__})"
    return ""


PORTS = {"postgresql": 5432, "mariadb": 3306}


def _connect(dialect: str, database: str) -> Any:
    login: dict[str, Any] = {"host": "127.0.0.1", "port": PORTS[dialect], "user": USER, "password": PASSWORD}
    if dialect == "postgresql":
        import psycopg2

        connection = psycopg2.connect(dbname=database, connect_timeout=5, **login)
        connection.autocommit = True
        return connection
    import pymysql

    return pymysql.connect(database=database, connect_timeout=5, autocommit=True, **login)


def _errors(dialect: str) -> tuple[type[Exception], ...]:
    if dialect == "postgresql":
        import psycopg2

        return (psycopg2.OperationalError,)
    import pymysql

    return (pymysql.err.OperationalError,)
