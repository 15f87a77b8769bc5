"""The arguments by which views ask for rows: a datasource and a query, or a reference to a named query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from kpi_assets.contracts import Need, PluginArgs, Span


class QueryRef(PluginArgs):
    """A query of the report's `queries`, by id."""

    ref: str = Field(description="Id of a query under `queries`.")


class AskingArgs(PluginArgs):
    """Arguments of a view that asks one query."""

    datasource: str | None = Field(None, description="Id of the datasource; not needed with {ref: ...}.")
    query: str | QueryRef = Field(description="Text of the query, or {ref: id} of one under `queries`.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")


def need(
    query: str | QueryRef, datasource: str | None, query_args: Mapping[str, Any], span: Span | None = None
) -> Need:
    """What a view needs to have `query` answered over `span` (default: the edition's window)."""
    span = span or Span()
    if isinstance(query, QueryRef):
        return Need(span, ref=query.ref)
    return Need(span, datasource=datasource, text=query, args=dict(query_args))
