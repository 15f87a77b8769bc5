"""Points: one per row, of one or several series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from kpi_assets.views.charts.across import SPACIOUS, Across, across_of
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import legend_height, legend_settings
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import (
    Channels,
    Row,
    Words,
    assemble,
    layer,
    number,
    plot_height,
    plot_width,
    texts,
    upright,
)
from kpi_assets.views.charts.strands import Strand
from kpi_assets.views.charts.text import text_width, widest
from kpi_assets.views.charts.ticks import ValueAxis, value_axis

SPARSE, DENSE = 40, 1000
"""Up to so many points they are large; from so many on small."""


@dataclass(frozen=True)
class Cloud:
    """`strands` hold points, in any order. `x_title` is printed under the axis where it is one of numbers."""

    strands: Sequence[Strand]
    start: Any
    end: Any
    names: tuple[str, ...] = ()
    x_title: str = ""
    empty: str = ""


def scatter(cloud: Cloud, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The points drawn for one canvas."""
    return _Scatter(cloud, look, canvas).chart()


@dataclass(frozen=True)
class _Scatter:
    cloud: Cloud
    look: Look
    canvas: Canvas

    @cached_property
    def axis(self) -> ValueAxis:
        values = [y for strand in self.cloud.strands for y in strand.present]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        return value_axis(low, high, zero=False, squeezed=SPACIOUS).within(self.look.low, self.look.high)

    @cached_property
    def labels(self) -> list[str]:
        return self.look.axis_labels(self.axis.ticks)

    @cached_property
    def legend(self) -> dict[str, Any] | None:
        if len(self.cloud.strands) < 2 or self.look.legend is False:
            return None
        asked = True if self.look.legend is None else self.look.legend
        return legend_settings(asked, [s.label for s in self.cloud.strands], self.canvas)

    @cached_property
    def room(self) -> Padding:
        size = self.canvas.size
        key = legend_height(self.legend, len(self.cloud.strands), self.canvas)
        under = key if self.legend and self.legend["orient"] == "bottom" else 0
        top = 10 + key - under
        top += size + 6 if self.look.axis_title else 0
        left = widest(self.labels, size) + 10
        probe = self._across(self.canvas.width - left - 24)
        below = 12 + self.canvas.line_height * probe.lines
        below += self.canvas.line_height if self.cloud.x_title else 0
        below += under
        return Padding(left, 24, top, below)

    @cached_property
    def width(self) -> int:
        return plot_width(self.canvas, self.room)

    @cached_property
    def height(self) -> int:
        return self.canvas.height(self.look.height)

    @cached_property
    def tall(self) -> int:
        return plot_height(self.height, self.room)

    @cached_property
    def across(self) -> Across:
        return self._across(self.width)

    def _across(self, width: float) -> Across:
        ends = (self.cloud.start, self.cloud.end)
        return across_of(self.cloud.names, ends, self.look, canvas=self.canvas, width=width)

    def value_at(self, py: float) -> float | int | None:
        return number(self.axis.high - py / self.tall * (self.axis.high - self.axis.low))

    def chart(self) -> alt.LayerChart:
        data: dict[str, list[Row]] = {}
        layers = [self._points(data), *self._words(data)]
        return assemble(layers, data, self.canvas, self.height, self.room)

    def _points(self, data: dict[str, list[Row]]) -> alt.Chart:
        strands = self.cloud.strands
        data["values"] = [
            {"x": self.across.value(x), "y": number(y), "series": strand.label}
            for strand in strands
            for x, y in zip(strand.xs, strand.ys, strict=True)
        ]
        y: Channels = {
            "field": "y",
            "type": "quantitative",
            **upright(self.axis, self.labels, grid=self.look.strokes.grid),
        }
        color: Channels = {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": [s.label for s in strands], "range": [s.color for s in strands]},
            "legend": self.legend,
        }
        count = len(data["values"])
        size = 44 if count <= SPARSE else 22 if count <= DENSE else 9
        channels: Channels = {"x": self.across.channel("x", axis=True), "y": y}
        if self.legend:
            return layer("values", "point", {**channels, "color": color}, filled=True, size=size, opacity=1)
        fill = strands[0].color if len(strands) == 1 else self.look.light.accent
        if len(strands) > 1:
            channels["color"] = color
            return layer("values", "point", channels, filled=True, size=size, opacity=1)
        return layer("values", "point", channels, filled=True, size=size, opacity=1, fill=fill)

    def _words(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        muted, size = self.look.light.muted, self.canvas.size
        rows: list[Row] = []
        if self.look.axis_title:
            rows.append(self._row(2 - self.room.left, -(size / 2 + 6), Words(self.look.axis_title, muted)))
        if self.cloud.x_title:
            below = self.tall + 10 + self.canvas.line_height * 1.5
            half = text_width(self.cloud.x_title, size) / 2
            rows.append(
                self._row(
                    max(self.width / 2, half - self.room.left),
                    below,
                    Words(self.cloud.x_title, muted, "center"),
                )
            )
        if self.cloud.empty:
            rows.append(self._row(self.width / 2, self.tall / 2, Words(self.cloud.empty, muted, "center")))
        if not rows:
            return []
        data["words"] = rows
        return [texts("words", None, {"field": "y", "type": "quantitative"})]

    def _row(self, px: float, py: float, words: Words) -> Row:
        return {"x": px, "y": self.value_at(py), **words.as_row(self.look.light.ink)}
