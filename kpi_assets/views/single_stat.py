"""One key figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kpi_assets.contracts import Block, Need, RenderContext, View
from kpi_assets.views.composing import compose
from kpi_assets.views.figures.args import StatArgs
from kpi_assets.views.figures.build import Maker
from kpi_assets.views.figures.label import is_template, plain

if TYPE_CHECKING:
    import pandas as pd


class SingleStatView(View):
    """A number with its name, change, verdict, earlier value and past. KPI Reporter's keys mean what they meant."""

    Args = StatArgs
    kinds = ("kpi",)
    default_cols = 2

    args: StatArgs

    def needs(self) -> Mapping[str, Need]:
        return dict(self.args.needs())

    def warnings(self) -> tuple[str, ...]:
        return tuple(self.args.warnings())

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        figure = Maker(self.args, frames, context, self._name(context)).figure()
        return compose(
            context,
            "single_stat",
            (figure.stat,),
            rows=figure.rows,
            finding=figure.finding,
            status="empty" if figure.empty else "ok",
        )

    def _name(self, context: RenderContext) -> str:
        """The title; else a label that is no template; a template alone says enough."""
        label = self.args.label
        if context.title or label is None:
            return context.title or context.view.replace("_", " ").capitalize()
        return "" if is_template(label) else plain(label)
