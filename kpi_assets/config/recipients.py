"""`recipients:`, the people who get an edition of their own each, from a query."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kpi_assets.config.base import Model
from kpi_assets.config.when import NamedQuery


class RecipientsConfig(Model):
    """A query with a row for each recipient."""

    query: str | NamedQuery = Field(
        description="{ref: id} of a query under `queries`, or a query's text with its `datasource`. Its columns are "
        "what {recipient.name} stands for in the other queries, in titles, texts and outputs."
    )
    datasource: str | None = Field(None, description="Id of the datasource; not needed with {ref: ...}.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    column: str = Field("email", description="Column that says who it is; one row for each.")
