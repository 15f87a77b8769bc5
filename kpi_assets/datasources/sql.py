"""`plugin: sql`: any database that SQLAlchemy reaches by `url:`, or KPI Reporter's `driver: mysql | sqlite`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from kpi_assets.datasources.args import ignored_mysql_keys, ignored_sqlite_keys
from kpi_assets.datasources.backend import AlchemyBackend, Backend, Verdict, driver_error
from kpi_assets.datasources.base import SqlDatasourceBase
from kpi_assets.datasources.bounds import TimestampFormat
from kpi_assets.datasources.dialects import BY_BACKEND, GENERIC, Dialect
from kpi_assets.datasources.mysql import MySqlLogin, mysql_backend
from kpi_assets.datasources.postgresql import PostgresqlBackend
from kpi_assets.datasources.sqlite import SqliteBackend, SqliteTimes
from kpi_assets.datasources.urls import ConnectionUrl, Url

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

MEMORY = ":memory:"
_MISSING_SQLITE = "`driver: sqlite` needs `database:`, the path of the file"
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
        return self

    @property
    def family(self) -> str:
        """SQLAlchemy's name of the kind of database."""
        return self.driver if self.url is None else ConnectionUrl(self.url.get_secret_value()).backend

    @property
    def time_format(self) -> TimestampFormat:
        return self.timestamp_format if self.family == "sqlite" else "native"


class GenericBackend(AlchemyBackend):
    """A database of which we know only what SQLAlchemy knows: no read-only mode, no time limit; rows in chunks."""

    dialect: ClassVar[Dialect] = GENERIC

    def __init__(self, url: ConnectionUrl, connect_args: Mapping[str, Any], *, concurrency: int) -> None:
        super().__init__(self._create_engine)
        self.url, self.connect_args, self.concurrency = url, connect_args, concurrency

    def _create_engine(self) -> Engine:
        from sqlalchemy import create_engine

        return create_engine(
            self.url.text,
            connect_args=dict(self.connect_args),
            pool_size=self.concurrency,
            max_overflow=0,
            pool_timeout=3600,
        )

    def verdict(self, error: Exception) -> Verdict:
        away = type(driver_error(error)).__name__ in ("OperationalError", "InterfaceError")
        return Verdict.AWAY if away or isinstance(error, OSError) else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        return super().words(driver_error(error))


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
        kind = PostgresqlBackend if args.family == "postgresql" else GenericBackend
        return kind(url, args.connect_args, concurrency=args.concurrency)

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
