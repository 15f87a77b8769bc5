"""The plot: lines, bars, areas and points of a query's rows, drawn once and told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kpi_assets.contracts import Block, Need, RenderContext, Span, View
from kpi_assets.views.asking import need
from kpi_assets.views.composing import compose
from kpi_assets.views.plotting.args import PlotArgs

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.views.charts.sheet import Chart


class PlotView(View):
    """A chart. Subclass it and override `post_plot` to change the Altair chart before it is drawn."""

    Args = PlotArgs
    kinds = ("altair", "vegalite")

    args: PlotArgs

    def needs(self) -> Mapping[str, Need]:
        args = self.args
        days = args.history + (args.rolling or 1) - 1 if args.history else None
        found = {"query": need(args.query, args.datasource, args.query_args, Span(days=days))}
        if args.compare:
            found["previous"] = need(args.query, args.datasource, args.query_args, Span(windows_back=1))
        return found

    def warnings(self) -> tuple[str, ...]:
        return self.args.warnings()

    def post_plot(self, chart: Chart, frame: pd.DataFrame, context: RenderContext) -> Chart:
        """A subclass's chance to change a chart: called once per width that is drawn, with the query's rows."""
        del frame, context
        return chart

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        from kpi_assets.views.plotting.captions import days_phrase, notes
        from kpi_assets.views.plotting.drawing import draw_story
        from kpi_assets.views.plotting.numbers import numbers_table
        from kpi_assets.views.plotting.story import Story

        story = Story.of(self.args, frames, context)
        drawn = draw_story(story, self._hook(frames["query"], context))
        block = compose(
            context,
            "plot",
            drawn.elements,
            rows=sum(len(frame) for frame in frames.values()),
            finding=drawn.finding,
            unit=self.args.unit if len(self.args.unit) > 1 else "",
            days=days_phrase(story, drawn.data),
            note=notes(story, drawn.data),
            status="empty" if drawn.data.empty else "ok",
        )
        return block.model_copy(update={"numbers": numbers_table(story, drawn.data)})

    def _hook(self, frame: pd.DataFrame, context: RenderContext) -> Callable[[Chart], Chart]:
        return lambda chart: self.post_plot(chart, frame, context)
