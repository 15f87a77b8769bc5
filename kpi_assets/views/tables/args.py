"""Arguments of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator

from kpi_assets.contracts import Need, Span
from kpi_assets.views.asking import AskingArgs, need
from kpi_assets.views.tables.writing import check_cell_format

Align = Literal["left", "right", "center"]
ROWS = 10


class GridArgs(AskingArgs):
    """What every kind of table takes."""

    days: int | None = Field(
        None, ge=1, le=3660, description="Days up to the window's end; default: the window."
    )
    note: str = Field("", description="Grey line under the table.")

    def needs(self) -> dict[str, Need]:
        return {"query": need(self.query, self.datasource, self.query_args, Span(days=self.days))}


class TableArgs(GridArgs):
    """A table of rows; the first column is what a row is of."""

    max_rows: int | None = Field(
        ROWS,
        ge=0,
        le=10_000,
        description="Rows shown; the rest is counted. null shows all, 0 is the default.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Headers by column.")
    formats: dict[str, str] = Field(
        default_factory=dict, description="Formats by column: integer, money, percent, ',.1f', '%d %b', ..."
    )
    units: dict[str, str] = Field(default_factory=dict, description="Units by column: €, %, ms, ...")
    align: dict[str, Align] = Field(default_factory=dict, description="left, right or center, by column.")
    bars: tuple[str, ...] = Field((), description="Columns with a bar in each cell.")
    scale: tuple[str, ...] = Field((), description="Columns whose cells are coloured by value.")
    totals: bool | Literal["others"] = Field(
        False, description="true: a row of sums over all rows. others: over the rows that are not shown."
    )
    total_by: dict[str, Literal["sum", "mean", "none"]] = Field(
        default_factory=dict, description="How a column is totalled; default: sum, none for percentages."
    )
    sort: str | None = Field(None, description="Column to sort by, downwards with a minus: -revenue.")
    hide: tuple[str, ...] = Field((), description="Columns that are not shown.")
    links: dict[str, str] = Field(default_factory=dict, description="Column -> column that holds its links.")
    highlight: Literal["max", "min"] | dict[str, str | int | float | bool] | None = Field(
        None, description="max or min of the measure, or {column: value}: the row drawn in full colour."
    )
    low: tuple[str, ...] = Field((), description="Columns left out on phones.")

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            check_cell_format(text)
        return value

    @property
    def rows(self) -> int | None:
        """Rows shown, None for all. KPI Reporter took 0 for its default."""
        return None if self.max_rows is None else self.max_rows or ROWS

    def named_columns(self) -> Iterator[str]:
        """Every column that the arguments name."""
        for group in (self.labels, self.formats, self.units, self.align, self.links, self.total_by):
            yield from group
        yield from (*self.bars, *self.scale, *self.hide, *self.low, *self.links.values())
        if isinstance(self.highlight, dict):
            yield from self.highlight
        if self.sort:
            yield self.sort.removeprefix("-")
