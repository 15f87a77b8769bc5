"""What can be known of a SQL query without its database: may it be sent, what does it read, can days be cut."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

from kpi_assets.contracts import Query, QueryAnalysis, Window
from kpi_assets.datasources.analysis.cache import AnalysisCache
from kpi_assets.datasources.analysis.reading import Reading
from kpi_assets.datasources.dialects import Dialect
from kpi_assets.datasources.guard import refusal
from kpi_assets.datasources.options import read_options
from kpi_assets.datasources.tokens import TokenError, bind
from kpi_assets.errors import QueryError

__all__ = ["AnalysisCache", "Reading", "analyse_query", "analyse_sql"]

_ANY_WINDOW = Window(date(2024, 1, 1), date(2024, 1, 2), "UTC")


def analyse_query(
    query: Query, dialect: Dialect, args: Any, cache: AnalysisCache | None = None
) -> QueryAnalysis:
    """The analysis of a query on a datasource with `args` (a `SqlArgs`). Raises QueryError for what is never sent."""
    options = read_options(query)
    if reason := refusal(query.text, dialect):
        raise QueryError(query.id, query.datasource, reason)
    try:  # any window shows whether everything can be bound
        bind(
            query.text,
            dialect,
            window=_ANY_WINDOW,
            to_bound=str,
            params=options.params,
            recipient=defaultdict(str),
        )
    except TokenError as error:
        raise QueryError(query.id, query.datasource, str(error)) from error
    reading = Reading(dialect, options.params.shape, same_zone=args.timezone is None, times=args.time_format)
    found = (cache or AnalysisCache.default()).get(query.text, reading, analyse_sql)
    if found.day_column and {found.day_column, None} & set(options.dtype):
        return replace(found, day_column=None)
    return found


def analyse_sql(text: str, reading: Reading) -> QueryAnalysis:
    """The same for a text alone; a pure function of its arguments. What cannot be parsed is `window`."""
    from kpi_assets.datasources.analysis.parse import analyse

    return analyse(text, reading)
