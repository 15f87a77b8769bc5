"""`plugin: sql`: any database that SQLAlchemy reaches by `url:`, or KPI Reporter's `driver: mysql | sqlite`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from kpi_assets.datasources.args import ignored_mysql_keys, ignored_sqlite_keys
from kpi_assets.datasources.backend import Backend
from kpi_assets.datasources.base import SqlDatasourceBase
from kpi_assets.datasources.bounds import TimestampFormat
from kpi_assets.datasources.dialects import BY_BACKEND, GENERIC, Dialect
from kpi_assets.datasources.mysql import MySqlLogin, mysql_backend
from kpi_assets.datasources.postgresql import PostgresqlBackend
from kpi_assets.datasources.sqlite import SqliteBackend, SqliteTimes
from kpi_assets.datasources.urls import ConnectionUrl, Url
from kpi_assets.datasources.warehouses.bigquery import BigQueryBackend
from kpi_assets.datasources.warehouses.clickhouse import ClickHouseBackend
from kpi_assets.datasources.warehouses.generic import GenericBackend
from kpi_assets.datasources.warehouses.snowflake import SnowflakeBackend
from kpi_assets.datasources.warehouses.trino import TrinoBackend
from kpi_assets.registry import install_hint, is_installed

MEMORY = ":memory:"
_MISSING_SQLITE = "`driver: sqlite` needs `database:`, the path of the file"
_PACKAGES = {
    "mysql": "pymysql",
    "postgresql": "psycopg2",
    "trino": "trino.sqlalchemy",
    "clickhouse": "clickhouse_connect",
    "bigquery": "sqlalchemy_bigquery",
    "snowflake": "snowflake.sqlalchemy",
}
"""What is imported for a URL that names no driver, or the one that we install."""
_WAREHOUSES = {
    "trino": TrinoBackend,
    "clickhouse": ClickHouseBackend,
    "bigquery": BigQueryBackend,
    "snowflake": SnowflakeBackend,
}
_OWN_DRIVERS = ("", "rest", "connect", "bigquery", "snowflake")
_DUCKDB = "`plugin: sql` does not open DuckDB: write `plugin: duckdb` with `database: path/to/file.duckdb`"


class SqlPluginArgs(MySqlLogin):
    """A `url:`; or a `driver:` with the arguments of `pymysql.connect` or `sqlite3.connect`."""

    ignored_keys: ClassVar = {**ignored_mysql_keys(), **ignored_sqlite_keys()}

    url: Url | None = Field(None, description="SQLAlchemy URL: dialect+driver://user:password@host/database.")
    driver: Literal["mysql", "sqlite"] = Field(
        "mysql", description="KPI Reporter's drivers, where there is no url."
    )
    connect_args: dict[str, Any] = Field(
        default_factory=dict, description="Further arguments of the URL's driver."
    )
    timeout: float = Field(
        30, ge=0, description="SQLite: seconds to wait while another program locks the file."
    )
    timestamp_format: SqliteTimes = Field(
        "text", description="SQLite: how columns hold time; see plugin sqlite."
    )
    uri: bool = Field(False, description="SQLite: `database` is a file: URI; recognised without it.")

    @model_validator(mode="after")
    def _complete(self) -> SqlPluginArgs:
        if self.family == "duckdb":
            raise ValueError(_DUCKDB)
        if self.url is None and self.driver == "sqlite" and not self.database:
            raise ValueError(_MISSING_SQLITE)
        if package := self._missing_package():
            raise ValueError(f"{self.family} needs a package that is not installed: {install_hint(package)}")
        return self

    def _missing_package(self) -> str:
        url = ConnectionUrl(self.url.get_secret_value()) if self.url else None
        named = url is not None and url.driver not in _OWN_DRIVERS
        package = "" if named else _PACKAGES.get(self.family, "")
        return package if package and not is_installed(package) else ""

    @property
    def family(self) -> str:
        """SQLAlchemy's name of the kind of database."""
        return self.driver if self.url is None else ConnectionUrl(self.url.get_secret_value()).backend

    @property
    def time_format(self) -> TimestampFormat:
        return self.timestamp_format if self.family == "sqlite" else "native"


class SqlDatasource(SqlDatasourceBase):
    """A database by URL, or by KPI Reporter's driver."""

    Args = SqlPluginArgs

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        return BY_BACKEND.get(args.family, GENERIC)

    def make_backend(self) -> Backend:
        args: SqlPluginArgs = self.args
        if args.family == "sqlite":
            return self._sqlite(args)
        if args.family == "mysql":
            return mysql_backend(args, args.url, args.connect_args)
        url = ConnectionUrl(args.url.get_secret_value() if args.url else "")
        if args.family == "postgresql":
            return PostgresqlBackend(url, args.connect_args, concurrency=args.concurrency)
        kind = _WAREHOUSES.get(args.family, GenericBackend)
        own = url.driver in _OWN_DRIVERS  # of another driver we know only what SQLAlchemy knows
        made = kind if own else GenericBackend
        return made(url, args.connect_args, concurrency=args.concurrency, timeout=args.statement_timeout)

    def _sqlite(self, args: SqlPluginArgs) -> SqliteBackend:
        database = args.database or MEMORY
        if args.url is not None:
            database = (
                ConnectionUrl(args.url.get_secret_value()).text.partition("://")[2].removeprefix("/")
                or MEMORY
            )
        return SqliteBackend(
            database, timeout=args.timeout, concurrency=args.concurrency, times=args.timestamp_format
        )
