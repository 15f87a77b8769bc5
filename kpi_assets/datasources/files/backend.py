"""A database in memory whose views are files, shut towards everything else before the first query runs."""

from __future__ import annotations

import glob
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpi_assets.datasources.backend import Verdict
from kpi_assets.datasources.duckdb import MEMORY, DuckDbBackend
from kpi_assets.datasources.files.finding import Finder, Found, MissingFileError, RemoteError
from kpi_assets.datasources.files.reading import CsvForm, identifier, literal, rows_of

if TYPE_CHECKING:
    import duckdb

ALL = "files"
"""The view over every file of `path`."""
_SHUT = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}


@dataclass(frozen=True)
class Source:
    """Which files are meant. `tables`: view name -> paths; `path`: one view per file, and `files` over all."""

    path: tuple[str, ...] = ()
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    format: str | None = None
    csv: CsvForm = field(default_factory=CsvForm)
    storage: Mapping[str, Any] = field(default_factory=dict)
    time_column: str | None = None


class FilesBackend(DuckDbBackend):
    """Opened with the first query: files are looked for then, and once."""

    def __init__(self, source: Source, config: Mapping[str, Any], *, concurrency: int) -> None:
        super().__init__(MEMORY, {**config, **_SHUT}, concurrency=concurrency)
        self.source = source
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> duckdb.DuckDBPyConnection:
        views = self._views()
        connection = super().open()
        try:
            self._fill(connection, views)
        except BaseException:
            connection.close()
            raise
        return connection

    def errors(self) -> tuple[type[Exception], ...]:
        return (*super().errors(), MissingFileError, RemoteError, OSError)

    def verdict(self, error: Exception) -> Verdict:
        if isinstance(error, RemoteError):
            return Verdict.AWAY
        if isinstance(error, MissingFileError | OSError):
            return Verdict.REFUSED
        return super().verdict(error)

    def words(self, error: Exception) -> str:
        """DuckDB's first sentence: what follows quotes lines of the file."""
        text = super().words(error)
        for marker in (" Original Line:", " Possible fixes:", " Possible Solution:"):
            text = text.split(marker)[0]
        return text

    def close(self) -> None:
        super().close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _views(self) -> dict[str, list[Found]]:
        """Files by view."""
        finder = Finder(self._folder(), self.source.storage, self.source.format)
        views = {name: finder.find(patterns) for name, patterns in self.source.tables.items()}
        if self.source.path:
            views = {**_by_stem(finder.find(self.source.path)), **views}
        return views

    def _folder(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="kpi-assets-files-")
        return Path(self._scratch.name)

    def _fill(self, connection: duckdb.DuckDBPyConnection, views: Mapping[str, Sequence[Found]]) -> None:
        named = {str(file.path) for files in views.values() for file in files}
        paths = sorted(named | {glob.escape(path) for path in named})  # DuckDB asks about both
        connection.execute(f"set allowed_paths = [{', '.join(map(literal, paths))}]")
        for name, files in views.items():
            if name != ALL and not any(file.path.stat().st_size for file in files) and len(views) > 1:
                continue  # an empty file among others is no table; `files` has the rows of the others
            rows = self._rows(files, connection)
            connection.execute(f"create view {identifier(name)} as {self._timed(connection, rows)}")
        connection.execute("set enable_external_access = false")

    def _rows(self, files: Sequence[Found], connection: duckdb.DuckDBPyConnection) -> str:
        """JSON lines of a quiet day are no bytes at all: no rows, and of the columns only the one that is known."""
        column = self.source.time_column
        silent = all(file.format == "json" and not file.path.stat().st_size for file in files)
        if silent and column is not None:
            return f"select null::timestamp as {identifier(column)} where false"
        return rows_of(files, self.source.csv, connection)

    def _timed(self, connection: duckdb.DuckDBPyConnection, rows: str) -> str:
        """The rows, with the time column as time where all its texts are one.

        DuckDB says nothing of a header alone, and takes JSON's moments with fractions of a second for text.
        """
        column = self.source.time_column
        found = connection.sql(rows)
        kinds = dict(zip(found.columns, map(str, found.types), strict=True))
        if column is None or kinds.get(column) != "VARCHAR":
            return rows
        name = identifier(column)
        tests = (
            f"bool_and(try_cast({name} as timestamp) is not null), bool_and({name} ~ {literal(_OFFSET)}), "
        )
        tests += f"bool_or({name} ~ {literal(_OFFSET)})"
        query = f"select {tests} from ({rows}) where {name} is not null"  # noqa: S608 - names are quoted  # nosec B608
        ((times, zoned, some_zoned),) = connection.execute(query).fetchall()
        if times is False or zoned != some_zoned:
            return rows
        kind = "timestamptz" if zoned else "timestamp"
        return f"select * replace ({name}::{kind} as {name}) from ({rows})"  # noqa: S608 - names are quoted  # nosec B608


_OFFSET = r".*\d:\d\d.*([zZ]|[+-]\d\d(:?\d\d)?)"


def _by_stem(files: Sequence[Found]) -> dict[str, list[Found]]:
    """`files` first; a stem that two files share is no view of its own."""
    count = Counter(file.name.lower() for file in files)
    own = {file.name: [file] for file in files if count[file.name.lower()] == 1 and file.name.lower() != ALL}
    return {ALL: list(files), **own}
