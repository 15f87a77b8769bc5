"""Rows as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kpi_assets.contracts import Block, Need, RenderContext, View
from kpi_assets.views.columns import column
from kpi_assets.views.composing import compose, days_of, nothing
from kpi_assets.views.tables.args import TableArgs
from kpi_assets.views.tables.build import TableMaker

if TYPE_CHECKING:
    import pandas as pd


class TableView(View):
    """The first rows of an answer, with bars, colours, totals, and how many rows there are in all."""

    Args = TableArgs
    kinds = ("table",)

    args: TableArgs

    def needs(self) -> Mapping[str, Need]:
        return self.args.needs()

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frame = frames["query"]
        if len(frame.columns):
            for name in self.args.named_columns():
                column(context.view, frame, name)
        if not len(frame) or not len(frame.columns):
            return nothing(context, "table")
        maker = TableMaker(self.args, frame, context)
        return compose(
            context,
            "table",
            (maker.table(),),
            rows=len(frame),
            finding=maker.finding(),
            days=days_of(context, self.args.days),
            note=maker.note(),
        )
