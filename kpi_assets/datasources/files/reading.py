"""How DuckDB is told to read files: one SELECT over those of a format, columns matched by name."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from kpi_assets.datasources.files.finding import Found, MissingFileError
from kpi_assets.errors import DataError, PluginError
from kpi_assets.registry import install_hint

if TYPE_CHECKING:
    import duckdb

_MOST_BYTES_OF_AN_OBJECT = 64 * 1024 * 1024


@dataclass(frozen=True)
class CsvForm:
    """How CSV files are written, as far as it is not recognised."""

    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None

    @property
    def options(self) -> str:
        """Arguments of `read_csv`. All rows decide the types: a number in row one does not make the last a number."""
        parts = ["union_by_name = true", "sample_size = -1"]
        if self.delimiter is not None:
            parts.append(f"delim = {literal(self.delimiter)}")
        if self.header is not None:
            parts.append(f"header = {str(self.header).lower()}")
        if self.encoding is not None:
            parts.append(f"encoding = {literal(self.encoding)}")
        return ", ".join(parts)


def rows_of(files: Sequence[Found], csv: CsvForm, connection: duckdb.DuckDBPyConnection) -> str:
    """The SELECT of all rows of the files. Raises MissingFileError when there is nothing in any of them."""
    there = [file for file in files if file.path.stat().st_size]
    if not there:
        raise MissingFileError(f"{files[0].path} is empty: not even names of columns are in it")
    by_format = sorted(there, key=lambda file: file.format)
    selects: list[str] = []
    for form, same in groupby(by_format, key=lambda file: file.format):
        selects.extend(_selects(form, [file.path for file in same], csv, connection))
    return " union all by name ".join(selects)


def _selects(
    form: str, paths: Sequence[Path], csv: CsvForm, connection: duckdb.DuckDBPyConnection
) -> Iterator[str]:
    listed = f"[{', '.join(literal(glob.escape(str(path))) for path in paths)}]"
    if form == "csv":
        yield f"select * from read_csv({listed}, {csv.options})"  # noqa: S608 - names and paths are quoted  # nosec B608
    elif form == "parquet":
        yield f"select * from read_parquet({listed}, union_by_name = true)"  # noqa: S608 - names and paths are quoted  # nosec B608
    elif form == "json":
        size = f"maximum_object_size = {_MOST_BYTES_OF_AN_OBJECT}"
        yield f"select * from read_json({listed}, union_by_name = true, sample_size = -1, {size})"  # noqa: S608 - names and paths are quoted  # nosec B608
    else:
        yield from (f"select * from {_excel(path, connection)}" for path in paths)  # noqa: S608 - names and paths are quoted  # nosec B608


def _excel(path: Path, connection: duckdb.DuckDBPyConnection) -> str:
    """The name of a table with the rows of a workbook's first sheet, made if it is not there yet."""
    import pandas as pd

    table = identifier(f"excel {path}")
    try:
        frame = pd.read_excel(path, engine="openpyxl")
    except ImportError as error:
        raise PluginError(
            f"{path.name} is an Excel file, which needs openpyxl: {install_hint('openpyxl')}, or save it as CSV"
        ) from error
    except (BadZipFile, ValueError, KeyError) as error:
        raise DataError(
            f"{path.name} is no Excel workbook that can be read: save it as .xlsx or CSV"
        ) from error
    frame.columns = [str(name) for name in frame.columns]
    connection.register("workbook", frame)
    connection.execute(f"create table if not exists {table} as select * from workbook")  # noqa: S608 - names and paths are quoted  # nosec B608
    connection.unregister("workbook")
    return table


def literal(text: str) -> str:
    """A text in SQL quotes."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in SQL quotes."""
    return '"' + name.replace('"', '""') + '"'
