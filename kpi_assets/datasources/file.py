"""`plugin: file`: CSV, Parquet, JSON and Excel files as tables, asked in DuckDB's SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from kpi_assets.contracts import Query, QueryAnalysis, Window
from kpi_assets.datasources.backend import Backend
from kpi_assets.datasources.base import SqlArgs, SqlDatasourceBase
from kpi_assets.datasources.dialects import DUCKDB, Dialect
from kpi_assets.datasources.files.backend import ALL, FilesBackend, Source
from kpi_assets.datasources.files.reading import CsvForm, identifier
from kpi_assets.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd

Paths = str | list[str]


class FileArgs(SqlArgs):
    """CSV, Parquet, JSON lines and Excel files, asked in DuckDB's SQL; an empty query gives a file's rows."""

    path: Paths = Field(
        default_factory=list[str],
        description="Paths, globs or addresses (s3://, https://). Each file is a table named by its stem, "
        "`files` is all of them together, with columns matched by name.",
    )
    tables: dict[str, Paths] = Field(
        default_factory=dict, description="Table name -> paths, globs or addresses that are read as one."
    )
    time_column: str | None = Field(
        None,
        description="Column that an empty query is cut to the window by; without it, all rows are given.",
    )
    format: Literal["csv", "parquet", "json", "excel"] | None = Field(
        None, description="Format of all files; default: by suffix (.csv .tsv .parquet .jsonl .json .xlsx)."
    )
    delimiter: str | None = Field(None, description="Sign between the columns of CSV; default: recognised.")
    header: bool | None = Field(
        None, description="Whether CSV files begin with names of columns; default: recognised."
    )
    encoding: Literal["utf-8", "utf-16", "latin-1"] | None = Field(
        None, description="Encoding of CSV files; default: utf-8."
    )
    storage_options: dict[str, SecretStr | int | float | bool | None] = Field(
        default_factory=dict, description="Arguments of fsspec's file system for addresses, e.g. key, secret."
    )
    config: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Settings of DuckDB, such as {threads: 2, memory_limit: 1GB}."
    )

    @field_validator("tables")
    @classmethod
    def _named(cls, tables: dict[str, Paths]) -> dict[str, Paths]:
        if ALL in {name.lower() for name in tables}:
            raise ValueError(f"`{ALL}` is the name for all files of `path`; call the table something else")
        return tables

    @model_validator(mode="after")
    def _some_files(self) -> FileArgs:
        if not self.path and not self.tables:
            raise ValueError("name the files: `path: sales/*.csv`, or `tables: {sales: sales/*.csv}`")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        values = self.storage_options.values()
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


class FileDatasource(SqlDatasourceBase):
    """Files, read-only. Queries reach the files that are named, and nothing else on the machine or the network."""

    Args = FileArgs
    kinds = ("file", "duckdb")
    libraries = ("duckdb",)

    @classmethod
    def dialect_of(cls, args: Any) -> Dialect:
        del args
        return DUCKDB

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        return super().analyse(_written(query, args), args)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        return super().query(_written(query, self.args), window)

    def make_backend(self) -> Backend:
        args: FileArgs = self.args
        source = Source(
            path=_listed(args.path),
            tables={name: _listed(paths) for name, paths in args.tables.items()},
            format=args.format,
            csv=CsvForm(args.delimiter, args.header, args.encoding),
            storage={name: _plain(value) for name, value in args.storage_options.items()},
            time_column=args.time_column,
        )
        return FilesBackend(source, args.config, concurrency=args.concurrency)


def _written(query: Query, args: FileArgs) -> Query:
    """The query, with an empty text written out."""
    if query.text.strip():
        return query
    if not args.path and len(args.tables) > 1:
        names = ", ".join(args.tables)
        raise QueryError(
            query.id,
            query.datasource,
            f"an empty query does not say which table: write `from name` ({names})",
        )
    text = f"select * from {identifier(ALL if args.path else next(iter(args.tables)))}"  # noqa: S608 - names and paths are quoted  # nosec B608
    if args.time_column is not None:
        column = identifier(args.time_column)
        text += f" where {column} >= {{from}} and {column} < {{to}}"
    return replace(query, text=text)


def _listed(paths: Paths) -> tuple[str, ...]:
    return (paths,) if isinstance(paths, str) else tuple(paths)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
