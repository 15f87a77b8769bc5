"""A backend: how one kind of database is reached, asked, stopped and understood. SQLAlchemy's are the common case."""

from __future__ import annotations

import enum
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.bounds import bound_value
from kpi_assets.datasources.columns import Sink
from kpi_assets.datasources.dialects import Dialect
from kpi_assets.datasources.stopping import Stop, stoppable
from kpi_assets.datasources.tokens import Statement
from kpi_assets.errors import PluginError
from kpi_assets.registry import EXTRAS, install_hint

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import PoolProxiedConnection

CHUNK = 2_000


class Verdict(enum.Enum):
    """What a driver's error means for whoever asked."""

    AWAY = "try again"
    BUSY = "it waited long enough already"
    TIMEOUT = "the statement took too long"
    REFUSED = "no retry helps"


@dataclass(frozen=True)
class Job:
    """A statement to run: `zone` is where naive timestamps are; the window is `[starts_at, ends_at)`."""

    statement: Statement
    zone: str
    starts_at: datetime
    ends_at: datetime
    timeout: float


class Backend(ABC):
    """Runs statements. Thread-safe; opened on first use."""

    dialect: ClassVar[Dialect]

    @abstractmethod
    def run(self, job: Job, sink: Sink) -> None:
        """Send the statement and hand its rows to the sink. Raises one of `errors`."""

    def bound(self, instant: datetime, zone: str) -> Any:
        """What is bound for an instant that real timestamp columns are compared with; `zone`: of naive ones."""
        return bound_value(instant, zone, "native")

    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that `run` lets out."""

    @abstractmethod
    def verdict(self, error: Exception) -> Verdict:
        """What an error of `run` means."""

    def words(self, error: Exception) -> str:
        """The backend's own words, on one line, without the statement."""
        return " ".join(str(error).split())

    @abstractmethod
    def close(self) -> None:
        """Give back connections."""


def pooled_engine(url: str, connect_args: Mapping[str, Any], size: int, **more: Any) -> Engine:
    """An engine of `size` connections; who finds them all in use waits, since queries may take an hour."""
    from sqlalchemy import create_engine

    return create_engine(
        url, connect_args=dict(connect_args), pool_size=size, max_overflow=0, pool_timeout=3600, **more
    )


class AlchemyBackend(Backend):
    """A database that SQLAlchemy reaches: one engine with a bounded pool, rows fetched in chunks."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._make_engine = make_engine
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._made_engine()
            return self._engine

    def _made_engine(self) -> Engine:
        from sqlalchemy.exc import NoSuchModuleError

        try:
            return self._make_engine()
        except NoSuchModuleError as error:
            name = str(error).rpartition(":")[2].strip()
            fix = "correct what `url` begins with, or install the package that brings it"
            raise PluginError(
                f"no installed package brings the SQLAlchemy dialect '{name}': {fix}"
            ) from error
        except ImportError as error:
            driver = error.name or "of this database"
            known = driver.split(".", maxsplit=1)[0] in EXTRAS
            fix = (
                install_hint(driver)
                if known
                else "install the package that holds it, or name another in `url`"
            )
            raise PluginError(f"the driver {driver} cannot be imported: {fix}") from error

    def run(self, job: Job, sink: Sink) -> None:
        connection = self.engine.raw_connection()
        try:
            self.prepare(connection, job)
            with stoppable(self.stop(connection)):
                self._fetch(connection, job, sink)
        except BaseException:
            # Half-read answers and broken sockets must not come back from the pool.
            self.abandon(connection)
            raise
        self.finish(connection)
        connection.close()

    def _fetch(self, connection: PoolProxiedConnection, job: Job, sink: Sink) -> None:
        text, parameters = job.statement.for_driver(self.engine.dialect.paramstyle)
        cursor = self.cursor(connection)
        try:
            cursor.execute(*((text,) if parameters is None else (text, parameters)))
            self.read(cursor, sink)
        except BaseException:
            self.drop_cursor(cursor)
            raise
        cursor.close()

    def read(self, cursor: Any, sink: Sink) -> None:
        """Move a cursor's rows into the sink."""
        rows: Sequence[Sequence[Any]] = cursor.fetchmany(CHUNK)
        if cursor.description is None:
            raise NoRowsError
        sink.start([self.shown(column[0]) for column in cursor.description])
        while rows:
            sink.add_rows(rows)
            rows = cursor.fetchmany(CHUNK)

    def shown(self, name: str) -> str:
        """A column's name as the frame has it."""
        return name

    def prepare(self, connection: PoolProxiedConnection, job: Job) -> None:
        """Session settings before a statement."""

    def stop(self, connection: PoolProxiedConnection) -> Stop | None:
        """What ends the connection's statement on the server, when another thread calls it; None where nothing does."""
        del connection

    def cursor(self, connection: PoolProxiedConnection) -> Any:
        return connection.cursor()

    def drop_cursor(self, cursor: Any) -> None:
        """Let go of a cursor whose rows are not wanted any more; its connection is thrown away next."""

    def finish(self, connection: PoolProxiedConnection) -> None:
        connection.rollback()

    def abandon(self, connection: PoolProxiedConnection) -> None:
        connection.invalidate()

    def errors(self) -> tuple[type[Exception], ...]:
        from sqlalchemy.exc import SQLAlchemyError

        driver: Any = self.engine.dialect.loaded_dbapi
        return (driver.Error, SQLAlchemyError, OSError, NoRowsError)

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


class NoRowsError(Exception):
    """The statement gave no table of rows, not even an empty one."""

    def __str__(self) -> str:
        return "the statement gives no rows; queries are statements that read"


def driver_error(error: Exception) -> Exception:
    """The driver's exception inside SQLAlchemy's, or the exception itself."""
    inner = getattr(error, "orig", None)
    return inner if isinstance(inner, Exception) else error
