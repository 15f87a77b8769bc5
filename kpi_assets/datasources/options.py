"""`query_args` of SQL queries: what pandas' `read_sql` took in KPI Reporter, as far as it means something here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi_assets.contracts import Query
from kpi_assets.contracts.recipient import names_in
from kpi_assets.datasources.tokens import Params
from kpi_assets.errors import QueryError, suggest
from kpi_assets.logs import logger

log = logger(__name__)

MEANT = ("params", "parse_dates", "index_col", "dtype")
MEANINGLESS = {
    "coerce_float": "decimals always become floats",
    "columns": "select the columns in the query",
    "chunksize": "rows are fetched in chunks anyway",
    "dtype_backend": "frames use NumPy types",
}
"""Arguments of `read_sql` that are accepted and dropped, with what to know."""


@dataclass(frozen=True)
class QueryOptions:
    """`parse_dates`: column -> format, or None to recognise it. `index_col`: columns to be moved to the front.

    `dtype`: column -> NumPy type name; the key `None` stands for all columns.
    """

    params: Params = field(default_factory=Params)
    parse_dates: Mapping[str, str | None] = field(default_factory=dict)
    index_col: tuple[str, ...] = ()
    dtype: Mapping[str | None, str] = field(default_factory=dict)


def read_options(query: Query) -> QueryOptions:
    """The options of a query. Raises QueryError for unknown names and wrong types."""
    for name in query.args:
        if name in MEANINGLESS:
            log.warning("query '%s': query_args.%s is ignored: %s", query.id, name, MEANINGLESS[name])
        elif name not in MEANT:
            raise _wrong(query, f"no argument '{name}': {suggest(name, [*MEANT, *MEANINGLESS])}")
    return QueryOptions(
        params=Params(_params(query)),
        parse_dates=_parse_dates(query),
        index_col=_index_col(query),
        dtype=_dtype(query),
    )


def _params(query: Query) -> tuple[Any, ...] | Mapping[str, Any]:
    params = query.args.get("params")
    if params is None:
        return ()
    for name in names_in(params):
        raise _wrong(query, f"params: write {{recipient.{name}}} in the query's text, where it is bound")
    if isinstance(params, Mapping):
        return {str(name): value for name, value in params.items()}
    if isinstance(params, list | tuple):
        return tuple(params)
    raise _wrong(query, "params must be a list (for ? or %s) or a mapping (for :name)")


def _parse_dates(query: Query) -> Mapping[str, str | None]:
    wanted = query.args.get("parse_dates")
    if wanted is None or isinstance(wanted, bool):
        return {}
    if isinstance(wanted, str):
        return {wanted: None}
    if isinstance(wanted, Mapping):
        return {str(column): _format(query, column, form) for column, form in wanted.items()}
    if isinstance(wanted, list | tuple):
        return {str(column): None for column in wanted}
    raise _wrong(query, "parse_dates must be a column, a list of columns, or a mapping of columns to formats")


def _format(query: Query, column: object, form: Any) -> str | None:
    if isinstance(form, Mapping):  # pandas' keywords of to_datetime
        form = form.get("format") or form.get("unit")
    if form is None or isinstance(form, str):
        return form
    raise _wrong(query, f"parse_dates: the format of column '{column}' must be text such as '%Y-%m-%d'")


def _index_col(query: Query) -> tuple[str, ...]:
    wanted = query.args.get("index_col")
    if wanted is None:
        return ()
    if isinstance(wanted, str):
        return (wanted,)
    if isinstance(wanted, list | tuple):
        return tuple(str(column) for column in wanted)
    raise _wrong(query, "index_col must be a column or a list of columns")


def _dtype(query: Query) -> Mapping[str | None, str]:
    wanted = query.args.get("dtype")
    if wanted is None:
        return {}
    if isinstance(wanted, str):
        return {None: wanted}
    if isinstance(wanted, Mapping) and all(isinstance(kind, str) for kind in wanted.values()):
        return {str(column): kind for column, kind in wanted.items()}
    raise _wrong(query, "dtype must be a type name, or a mapping of columns to type names such as int64")


def _wrong(query: Query, reason: str) -> QueryError:
    return QueryError(query.id, query.datasource, f"query_args: {reason}")
