"""PostgreSQL through psycopg2, in read-only transactions whose rows are streamed by a server-side cursor."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AliasChoices, Field, SecretStr

from kpi_assets.datasources.backend import (
    CHUNK,
    AlchemyBackend,
    Backend,
    Job,
    Verdict,
    driver_error,
    pooled_engine,
)
from kpi_assets.datasources.base import SqlArgs, SqlDatasourceBase
from kpi_assets.datasources.bounds import is_ambiguous
from kpi_assets.datasources.dialects import POSTGRESQL, Dialect
from kpi_assets.datasources.mysql import reveal
from kpi_assets.datasources.stopping import Stop
from kpi_assets.datasources.urls import ConnectionUrl, Url

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import PoolProxiedConnection

_PASSING = ("08", "57P", "40001", "40P01", "53300", "55P03")
_LOGIN = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
    "pg_hba",
)
_TOO_LONG = "57014"
_DRIVER_NAMES = {"password": "password", "database": "dbname", "program_name": "application_name"}
_LOOKS_FOR_CLIENTS = 140000
_LOOK_FOR_CLIENT = """select set_config(name, '5s', true) from pg_settings
where name = 'client_connection_check_interval' and version() ~ 'linux'"""
"""A server looks every five seconds whether we are still there, and ends our statement if not: after kill -9, or a lost
network. Servers before 14 do not know how, nor do those on some other systems, which refuse the setting."""
_numbers = itertools.count()


class PostgresqlArgs(SqlArgs):
    """A PostgreSQL server."""

    url: Url | None = Field(
        None,
        description="SQLAlchemy URL, instead of host, user, ...: postgresql://user:password@host/database.",
    )
    host: str | None = Field(None, description="Host of the server, or folder of its socket.")
    port: int | None = Field(None, ge=1, le=65535, description="Port of the server; default 5432.")
    user: str | None = Field(None, description="User; one that may only read is best.")
    password: SecretStr | None = Field(
        None, validation_alias=AliasChoices("password", "passwd"), description="Password; also `passwd`."
    )
    database: str | None = Field(
        None,
        validation_alias=AliasChoices("database", "db", "dbname"),
        description="Database; also `db`, `dbname`.",
    )
    connect_timeout: int = Field(10, ge=1, description="Seconds to wait for a connection.")
    program_name: str = Field(
        "kpi_assets",
        validation_alias=AliasChoices("program_name", "application_name"),
        description="Name on the server.",
    )
    options: str | None = Field(
        None, description="Command-line options for the server, such as -c search_path=sales."
    )
    service: str | None = Field(None, description="Name of a service in ~/.pg_service.conf.")
    sslmode: str | None = Field(
        None, description="disable, allow, prefer, require, verify-ca or verify-full."
    )
    sslrootcert: str | None = Field(None, description="File of the certificate authority.")
    sslcert: str | None = Field(None, description="File of the client's certificate.")
    sslkey: str | None = Field(None, description="File of the client's key.")
    sslpassword: SecretStr | None = Field(None, description="Password of the client's key.")

    def connect_args(self) -> dict[str, Any]:
        """Keyword arguments for `psycopg2.connect`."""
        own = {*SqlArgs.model_fields, "url"}
        given = {name: reveal(getattr(self, name)) for name in PostgresqlArgs.model_fields if name not in own}
        return {_DRIVER_NAMES.get(name, name): value for name, value in given.items() if value is not None}


KEEPALIVES: Mapping[str, int] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds and tries after which a server that the network has lost counts as away; the system's own take hours."""


class PostgresqlBackend(AlchemyBackend):
    """One server; each query is a read-only transaction with its own time limit and zone."""

    dialect: ClassVar[Dialect] = POSTGRESQL

    def __init__(self, url: ConnectionUrl, connect_args: Mapping[str, Any], *, concurrency: int) -> None:
        super().__init__(self._create_engine)
        self.url, self.connect_args, self.concurrency = url, connect_args, concurrency

    def _create_engine(self) -> Engine:
        url = self.url.with_driver("psycopg2")
        login = {**({} if "keepalives" in url else KEEPALIVES), **self.connect_args}
        return pooled_engine(url, login, self.concurrency)

    def bound(self, instant: datetime, zone: str) -> Any:
        return instant if is_ambiguous(instant, zone) else super().bound(instant, zone)

    def prepare(self, connection: PoolProxiedConnection, job: Job) -> None:
        raw: Any = connection.driver_connection
        with raw.cursor() as cursor:
            cursor.execute(
                "set transaction read only; set local statement_timeout = %s; set local timezone = %s; "
                "set local cursor_tuple_fraction = 1",
                (int(job.timeout * 1000), job.zone),
            )
            if raw.server_version >= _LOOKS_FOR_CLIENTS:
                cursor.execute(_LOOK_FOR_CLIENT)

    def stop(self, connection: PoolProxiedConnection) -> Stop:
        raw: Any = connection.driver_connection
        return raw.cancel

    def cursor(self, connection: PoolProxiedConnection) -> Any:
        raw: Any = connection.driver_connection
        cursor = raw.cursor(name=f"kpi_assets_{next(_numbers)}")
        cursor.itersize = CHUNK
        return cursor

    def verdict(self, error: Exception) -> Verdict:
        inner = driver_error(error)
        code = str(getattr(inner, "pgcode", None) or "")
        if code == _TOO_LONG:
            return Verdict.TIMEOUT
        if code.startswith(_PASSING):
            return Verdict.AWAY
        unreachable = not code and type(inner).__name__ in ("OperationalError", "InterfaceError")
        login = any(words in str(inner) for words in _LOGIN)
        return Verdict.AWAY if unreachable and not login else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        inner = driver_error(error)
        said = getattr(getattr(inner, "diag", None), "message_primary", None)
        hint = getattr(getattr(inner, "diag", None), "message_hint", None)
        return " ".join(f"{said or inner} {hint or ''}".split())


class PostgresqlDatasource(SqlDatasourceBase):
    """A PostgreSQL server."""

    Args = PostgresqlArgs
    kinds = ("sql", "postgres")
    libraries = ("psycopg2",)

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        del args
        return POSTGRESQL

    def make_backend(self) -> Backend:
        args: PostgresqlArgs = self.args
        given = args.connect_args()
        if args.url is None:
            return PostgresqlBackend(ConnectionUrl("postgresql://"), given, concurrency=args.concurrency)
        set_by_hand = {_DRIVER_NAMES.get(name, name) for name in args.model_fields_set} | {"application_name"}
        kept = {name: value for name, value in given.items() if name in set_by_hand}
        return PostgresqlBackend(
            ConnectionUrl(args.url.get_secret_value()), kept, concurrency=args.concurrency
        )
