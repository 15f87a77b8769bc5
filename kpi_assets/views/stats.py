"""Several key figures as one strip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from kpi_assets.contracts import Block, Need, PluginArgs, RenderContext, Stats, View
from kpi_assets.views.composing import compose
from kpi_assets.views.figures.args import StatArgs
from kpi_assets.views.figures.build import Figure, Maker
from kpi_assets.views.figures.label import is_template, plain

if TYPE_CHECKING:
    import pandas as pd


class StatItem(StatArgs):
    """One figure of a strip: everything that `single_stat` takes, and its name."""

    title: str = Field("", description="Name of the figure; `label` without {stat} does the same.")

    @property
    def name(self) -> str:
        if self.title or self.label is None:
            return self.title
        return "" if is_template(self.label) else plain(self.label)


class StatsArgs(PluginArgs):
    """Arguments of a strip."""

    stats: tuple[StatItem, ...] = Field(
        min_length=1, max_length=24, description="The figures, from the left."
    )
    note: str = Field("", description="Grey line under the strip.")

    @model_validator(mode="after")
    def _named(self) -> StatsArgs:
        for position, item in enumerate(self.stats, 1):
            if not item.title and not item.label:
                raise ValueError(f"figure {position} has no title; add `title: ...` to it")
        return self


class StatsView(View):
    """Key figures side by side."""

    Args = StatsArgs
    kinds = ("kpi",)

    args: StatsArgs

    def needs(self) -> Mapping[str, Need]:
        return {role: need for prefix, item in self._items() for role, need in item.needs(prefix)}

    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{item.name}: {text}" for item in self.args.stats for text in item.warnings())

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        figures = [
            Maker(item, frames, context, item.name, prefix, f"{prefix}sparkline").figure()
            for prefix, item in self._items()
        ]
        return compose(
            context,
            "stats",
            (Stats(stats=tuple(figure.stat for figure in figures)),),
            rows=sum(figure.rows for figure in figures),
            finding=_first_finding(figures),
            note=self.args.note,
            status="empty" if all(figure.empty for figure in figures) else "ok",
        )

    def _items(self) -> list[tuple[str, StatItem]]:
        return [(f"stat{position}_", item) for position, item in enumerate(self.args.stats, 1)]


def _first_finding(figures: list[Figure]) -> str:
    return next((figure.finding for figure in figures if figure.finding), "")
