"""Numbers in a grid, coloured by value: cohorts, weekday by hour, anything by anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from kpi_assets.contracts import Block, Need, RenderContext, View
from kpi_assets.errors import ViewError
from kpi_assets.style.formats import check_format
from kpi_assets.views.columns import column
from kpi_assets.views.composing import compose, nothing
from kpi_assets.views.tables.args import GridArgs
from kpi_assets.views.tables.grid import Grid, Names, Source, long_grid, week_grid, wide_grid
from kpi_assets.views.tables.heat import HeatMaker

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 60


class HeatTableArgs(GridArgs):
    """A grid of numbers."""

    kind: Literal["grid", "cohorts", "weekday_hours"] = Field(
        "grid", description="grid; cohorts: rows by age, week 0 left out; weekday_hours: from times."
    )
    form: Literal["long", "wide"] | None = Field(
        None,
        description="long: rows of (row, column, value); wide: a column per column. Default: by the shape.",
    )
    row: str | None = Field(None, description="Column of the rows (weekday_hours: of the times).")
    column: str | None = Field(None, description="Column of the columns, for the long form.")
    value: str | None = Field(None, description="Column of the values, for the long form.")
    size: str | None = Field(None, description="Column of the rows' sizes; cohorts in wide form: the second.")
    percent_of_size: bool = Field(False, description="Show each value as percentage of its row's size.")
    aggregate: Literal["sum", "mean"] | None = Field(
        None, description="How several values of a cell become one."
    )
    include_first: bool = Field(False, description="Keep week 0 of cohorts, which is always 100 %.")
    hours: Literal[1, 2, 3, 4, 6] = Field(1, description="Hours per column of weekday_hours.")
    column_title: str = Field("", description="What the columns count, for the finding: Week.")
    labels: dict[str, str] = Field(default_factory=dict, description="Words for rows, columns and headers.")
    unit: str = Field("", description="Unit of the values, told in the grey line: %, €, ...")
    format: str = Field("", description="Format of the values, e.g. integer, ',.1f', compact.")
    precision: int | None = Field(None, ge=0, le=10, description="Decimals; default: none from 10.")
    rule_before: tuple[str, ...] = Field(
        (), description="Rows that get a dividing line above, by name or date."
    )
    max_rows: int = Field(31, ge=1, le=366, description="Rows shown, the last ones.")

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return check_format(value)

    @field_validator("rule_before", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _as_texts(cls, value: object) -> object:
        """YAML reads 2024-10-14 as a date."""
        items = value if isinstance(value, list | tuple) else (value,)
        return tuple(str(item) for item in items)


class HeatTableView(View):
    """A table whose cells are coloured in seven steps of one hue."""

    Args = HeatTableArgs
    kinds = ("table",)

    args: HeatTableArgs

    def needs(self) -> Mapping[str, Need]:
        return self.args.needs()

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frame = frames["query"]
        if not len(frame.columns):
            return nothing(context, "heat_table")
        for name in (self.args.row, self.args.column, self.args.value, self.args.size):
            if name is not None:
                column(context.view, frame, name)
        if not len(frame):
            return nothing(context, "heat_table")
        maker = HeatMaker(self.args, self._grid(frame, context), context)
        return compose(
            context,
            "heat_table",
            (maker.table(),),
            rows=len(frame),
            finding=maker.finding(),
            unit=maker.unit_words(),
            days=maker.days(),
            note=maker.note(),
        )

    def _grid(self, frame: pd.DataFrame, context: RenderContext) -> Grid:
        args, source = self.args, Source(context.view, frame, context.window.zone)
        wanted = Names(args.row, args.column, args.value, args.size)
        if args.kind == "weekday_hours":
            grid = week_grid(source, wanted, args.aggregate, args.hours)
        elif self._is_long(frame):
            grid = long_grid(source, wanted, args.aggregate)
        else:
            grid = wide_grid(source, self._with_size(frame, wanted))
        return self._trimmed(grid, context.view)

    def _is_long(self, frame: pd.DataFrame) -> bool:
        if self.args.form is not None:
            return self.args.form == "long"
        if self.args.column or self.args.value:
            return True
        free = [name for name in map(str, frame.columns) if name != self.args.size]
        first = frame.iloc[:, list(map(str, frame.columns)).index(free[0])] if free else []
        return len(free) == 3 and len(set(first)) < len(first)

    def _with_size(self, frame: pd.DataFrame, wanted: Names) -> Names:
        if self.args.kind != "cohorts" or wanted.size is not None or len(frame.columns) < 3:
            return wanted
        return Names(wanted.row, size=str(frame.columns[1]))

    def _trimmed(self, grid: Grid, view: str) -> Grid:
        if self.args.percent_of_size and grid.sizes is None:
            raise ViewError(view, "`percent_of_size` needs `size: <column>`")
        if self.args.percent_of_size:
            grid = grid.per_size()
        first_is_start = bool(grid.columns) and str(grid.columns[0]).strip() in {
            "0",
            "0.0",
            "week 0",
            "week_0",
        }
        if self.args.kind == "cohorts" and first_is_start and not self.args.include_first:
            grid = grid.without_first_column()
        if not 0 < len(grid.columns) <= MOST_COLUMNS:
            raise ViewError(
                view, f"the grid has {len(grid.columns)} columns; from 1 to {MOST_COLUMNS} can be shown"
            )
        return grid
