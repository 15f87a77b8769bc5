"""DuckDB files through the duckdb package itself, opened read-only; answers come as Arrow batches."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from kpi_assets.datasources.backend import CHUNK, Backend, Job, NoRowsError, Verdict
from kpi_assets.datasources.base import SqlArgs, SqlDatasourceBase
from kpi_assets.datasources.columns import Sink
from kpi_assets.datasources.dialects import DUCKDB, Dialect

if TYPE_CHECKING:
    import duckdb

MEMORY = ":memory:"


class DuckDbArgs(SqlArgs):
    """A DuckDB file, or an empty database that reads Parquet and CSV files."""

    database: str = Field(
        MEMORY, description="Path of the database file; default: none, for reading other files."
    )
    config: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Settings of DuckDB, such as {threads: 2, memory_limit: 1GB}."
    )


class MissingFileError(Exception):
    """The database file is not there."""


class DuckDbBackend(Backend):
    """One database, opened once; each query has a cursor of its own."""

    dialect: ClassVar[Dialect] = DUCKDB

    def __init__(self, database: str, config: dict[str, Any], *, concurrency: int) -> None:
        self.database, self.config = database, config
        self._root: duckdb.DuckDBPyConnection | None = None
        self._lock, self._slots = threading.Lock(), threading.BoundedSemaphore(concurrency)

    def run(self, job: Job, sink: Sink) -> None:
        text, values = job.statement.for_driver("qmark")
        with self._slots, self._cursor() as cursor, _stopped_after(cursor, job.timeout):
            cursor.execute("set TimeZone = ?", [job.zone]).fetchall()
            relation: Any = cursor.sql(text, params=values) if values else cursor.sql(text)
            if relation is None:
                raise NoRowsError
            sink.start(relation.columns)
            for batch in _reader(relation):
                sink.add_batch(batch)

    @contextmanager
    def _cursor(self) -> Generator[duckdb.DuckDBPyConnection]:
        cursor = self._connection().cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._root is None:
                self._root = self.open()
            return self._root

    def open(self) -> duckdb.DuckDBPyConnection:
        """The connection that every cursor is made from. Raises one of `errors`."""
        import duckdb

        in_memory = self.database == MEMORY
        path = MEMORY if in_memory else str(Path(self.database).expanduser())
        if not in_memory and not Path(path).is_file():
            raise MissingFileError(
                f"there is no database file {Path(path).absolute()}; `database` is relative to where it runs"
            )
        return duckdb.connect(path, read_only=not in_memory, config=self.config)

    def errors(self) -> tuple[type[Exception], ...]:
        import duckdb

        return (duckdb.Error, MissingFileError, NoRowsError)

    def verdict(self, error: Exception) -> Verdict:
        import duckdb

        if isinstance(error, duckdb.InterruptException):
            return Verdict.TIMEOUT
        locked = isinstance(error, duckdb.IOException) and "lock" in str(error).lower()
        return Verdict.AWAY if locked else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        text = str(error).split("\n\nLINE ")[0].split("\nLINE ")[0]
        return " ".join(text.split())

    def close(self) -> None:
        with self._lock:
            if self._root is not None:
                self._root.close()
                self._root = None


class DuckDbDatasource(SqlDatasourceBase):
    """A DuckDB file."""

    Args = DuckDbArgs
    kinds = ("sql", "duckdb")
    libraries = ("duckdb",)

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        del args
        return DUCKDB

    def make_backend(self) -> Backend:
        args: DuckDbArgs = self.args
        return DuckDbBackend(args.database, dict(args.config), concurrency=args.concurrency)


@contextmanager
def _stopped_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Generator[None]:
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _reader(relation: Any) -> Any:
    """A reader of Arrow batches; the method's name changed with DuckDB 2."""
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(CHUNK)
