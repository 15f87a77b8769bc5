"""MySQL and MariaDB through PyMySQL, in read-only sessions whose rows are streamed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr

from kpi_assets.datasources.args import ignored_mysql_keys
from kpi_assets.datasources.backend import AlchemyBackend, Backend, Job, Verdict, driver_error, pooled_engine
from kpi_assets.datasources.base import SqlArgs, SqlDatasourceBase
from kpi_assets.datasources.dialects import MYSQL, Dialect
from kpi_assets.datasources.stopping import Stop
from kpi_assets.datasources.urls import ConnectionUrl, Url
from kpi_assets.logs import logger

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import PoolProxiedConnection

log = logger("kpi_assets.datasources")

_AWAY = {1040, 1053, 1203, 1205, 1213, 2002, 2003, 2006, 2012, 2013, 2055}
_TOO_LONG = {1317, 1969, 3024}
_UNKNOWN_ZONE = 1298
_UNKNOWN_VARIABLE = 1193


class MySqlLogin(SqlArgs):
    """The familiar arguments of `pymysql.connect`."""

    host: str = Field("localhost", description="Host of the server.")
    port: int = Field(3306, ge=1, le=65535, description="Port of the server.")
    user: str | None = Field(None, description="User; one that may only read is best.")
    password: SecretStr | None = Field(
        None, validation_alias=AliasChoices("password", "passwd"), description="Password; also `passwd`."
    )
    database: str | None = Field(
        None, validation_alias=AliasChoices("database", "db"), description="Database; also `db`."
    )
    unix_socket: str | None = Field(
        None, description="Path of the server's socket, instead of host and port."
    )
    charset: str = Field("utf8mb4", description="Character set of the connection.")
    collation: str | None = Field(None, description="Collation of the connection.")
    sql_mode: str | None = Field(None, description="SQL mode of the session.")
    init_command: str | None = Field(None, description="Statement run when a connection opens.")
    connect_timeout: int = Field(10, ge=1, description="Seconds to wait for a connection.")
    read_default_file: str | None = Field(None, description="Options file, such as ~/.my.cnf.")
    read_default_group: str | None = Field(None, description="Group in the options file.")
    bind_address: str | None = Field(None, description="Local address to connect from.")
    program_name: str | None = Field("kpi_assets", description="Name shown in the server's process list.")
    ssl: dict[str, Any] | bool | None = Field(None, description="TLS options of PyMySQL.")
    ssl_ca: str | None = Field(None, description="File of the certificate authority.")
    ssl_cert: str | None = Field(None, description="File of the client's certificate.")
    ssl_key: str | None = Field(None, description="File of the client's key.")
    ssl_key_password: SecretStr | None = Field(None, description="Password of the client's key.")
    ssl_disabled: bool | None = Field(None, description="Never use TLS.")
    ssl_verify_cert: bool | None = Field(None, description="Check the server's certificate.")
    ssl_verify_identity: bool | None = Field(None, description="Check the server's name.")

    def login(self) -> dict[str, Any]:
        """Keyword arguments for `pymysql.connect`."""
        given = {
            name: getattr(self, name) for name in MySqlLogin.model_fields if name not in SqlArgs.model_fields
        }
        if not isinstance(self.ssl, dict):
            given.pop("ssl")
        return {name: reveal(value) for name, value in given.items() if value is not None}


class MySqlArgs(MySqlLogin):
    """A MySQL or MariaDB server."""

    ignored_keys: ClassVar = ignored_mysql_keys()

    url: Url | None = Field(
        None, description="SQLAlchemy URL, instead of host, user, ...: mysql://user:password@host/database."
    )
    driver: str | None = Field(None, pattern="^mysql$", description="KPI Reporter's `driver`: mysql.")


HANDSHAKE = 10
"""Seconds for a server's greeting and login where `connect_timeout` says nothing."""
GRACE = 15
"""Seconds after `statement_timeout` in which the server's own word of it arrives."""


class MySqlBackend(AlchemyBackend):
    """One server; sessions that cannot write, in the zone of the naive timestamps."""

    dialect: ClassVar[Dialect] = MYSQL

    def __init__(self, url: ConnectionUrl, connect_args: Mapping[str, Any], *, concurrency: int) -> None:
        super().__init__(self._create_engine)
        self.url, self.connect_args, self.concurrency = url, connect_args, concurrency
        self.where = url.place or f"{connect_args.get('host')}:{connect_args.get('port')}"

    def _create_engine(self) -> Engine:
        # PyMySQL's `connect_timeout` ends with the TCP connection: it would wait forever for a server's greeting.
        patience = self.connect_args.get("connect_timeout", HANDSHAKE)
        login = {**self.connect_args, "read_timeout": patience}
        return pooled_engine(self.url.with_driver("pymysql"), login, self.concurrency)

    def prepare(self, connection: PoolProxiedConnection, job: Job) -> None:
        raw: Any = connection.driver_connection
        # It has no public name. The server ends statements itself; this is for answers that no longer come through.
        raw._read_timeout = job.timeout + GRACE
        if connection.info.get("prepared") != (job.zone, job.timeout):
            raw.autocommit(True)
            with raw.cursor() as cursor:
                cursor.execute("set session transaction read only")
                _limit(raw, cursor, job.timeout)
            connection.info["prepared"] = (job.zone, job.timeout)
        with raw.cursor() as cursor:
            _set_zone(cursor, job)

    def stop(self, connection: PoolProxiedConnection) -> Stop:
        raw: Any = connection.driver_connection
        return partial(self._kill, int(raw.thread_id()))

    def _kill(self, number: int) -> None:
        """MySQL and MariaDB do not notice that nobody waits, and listen only to another session of the same user."""
        engine = self._create_engine()
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"kill query {number}")
        engine.dispose()

    def cursor(self, connection: PoolProxiedConnection) -> Any:
        from pymysql.cursors import SSCursor

        raw: Any = connection.driver_connection
        return raw.cursor(SSCursor)

    def drop_cursor(self, cursor: Any) -> None:
        """PyMySQL would read the rest of the rows, be they millions, both on closing and on forgetting the cursor."""
        result = getattr(cursor, "_result", None)
        if result is not None:
            result.unbuffered_active = False
        cursor.connection = None

    def finish(self, connection: PoolProxiedConnection) -> None:
        """Nothing is open: every statement is a transaction of its own."""

    def verdict(self, error: Exception) -> Verdict:
        code = _code(driver_error(error))
        if code in _AWAY or code == 0 or isinstance(driver_error(error), OSError):
            return Verdict.AWAY
        return Verdict.TIMEOUT if code in _TOO_LONG else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        inner = driver_error(error)
        said = inner.args[1] if len(inner.args) > 1 else str(inner)
        text = " ".join(str(said).split())
        return f"{self.where} is away: {text}" if self.verdict(error) is Verdict.AWAY else text


class MySqlDatasource(SqlDatasourceBase):
    """A MySQL or MariaDB server."""

    Args = MySqlArgs
    kinds = ("sql", "mysql")
    libraries = ("pymysql",)

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        del args
        return MYSQL

    def make_backend(self) -> Backend:
        return mysql_backend(self.args, self.args.url)


def mysql_backend(
    args: MySqlLogin, url: SecretStr | None, more: Mapping[str, Any] = MappingProxyType({})
) -> MySqlBackend:
    """The backend of login arguments, or of a URL with the arguments that were set besides."""
    given = {**args.login(), **more}
    if url is not None:
        given = {
            name: value for name, value in given.items() if name in args.model_fields_set or name in more
        }
        return MySqlBackend(ConnectionUrl(url.get_secret_value()), given, concurrency=args.concurrency)
    return MySqlBackend(ConnectionUrl("mysql://"), given, concurrency=args.concurrency)


def reveal(value: Any) -> Any:
    """A secret's value; anything else as it is."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _limit(raw: Any, cursor: Any, seconds: float) -> None:
    """Let the server stop statements that take too long; MySQL and MariaDB differ in name and unit."""
    import pymysql

    maria = "mariadb" in str(raw.get_server_info()).lower()
    setting = f"max_statement_time = {seconds:g}" if maria else f"max_execution_time = {int(seconds * 1000)}"
    try:
        cursor.execute(f"set session {setting}")
    except pymysql.MySQLError as error:
        if _code(error) != _UNKNOWN_VARIABLE:  # servers older than the setting have no limit
            raise


def _set_zone(cursor: Any, job: Job) -> None:
    """TIMESTAMP columns come in the session's zone; servers without zone tables know only offsets."""
    import pymysql

    try:
        cursor.execute("set session time_zone = %s", (job.zone,))
    except pymysql.MySQLError as error:
        if _code(error) != _UNKNOWN_ZONE:
            raise
        first, last = offset_text(job.starts_at, job.zone), offset_text(job.ends_at, job.zone)
        cursor.execute("set session time_zone = %s", (first,))
        if first != last:
            log.warning(
                "the server knows no time zone %s, and its clock changes in this window: TIMESTAMP columns are read "
                "at %s throughout; load the server's zone tables with mysql_tzinfo_to_sql",
                job.zone,
                first,
            )


def offset_text(instant: datetime, zone: str) -> str:
    """The zone's offset at an instant, as MySQL writes it: `+01:00`."""
    offset = instant.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    sign, minutes = ("-" if offset < timedelta() else "+"), abs(offset) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _code(error: BaseException) -> int | None:
    code = error.args[0] if error.args else None
    if isinstance(code, int):
        return code
    found = re.match(r"\((\d+),", str(code))
    return int(found.group(1)) if found else None
