"""Lines and areas: how much room everything has, and where values lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpi_assets.views.charts.across import Across, across_of
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import EndLabels, Geometry, legend_height
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import (
    Channels,
    Row,
    Words,
    number,
    plot_height,
    plot_width,
    upright,
)
from kpi_assets.views.charts.strands import Scene
from kpi_assets.views.charts.text import widest
from kpi_assets.views.charts.ticks import ValueAxis, value_axis


@dataclass(frozen=True)
class TimelineLayout:
    """Sizes, scales and positions of one timeline on one canvas."""

    scene: Scene
    look: Look
    canvas: Canvas

    @cached_property
    def axis(self) -> ValueAxis:
        low, high = self.scene.extent()
        zero = self.scene.form != "line"
        axis = value_axis(low, high, zero=zero)
        return axis.within(self.look.low, self.look.high)

    @cached_property
    def axis_labels(self) -> list[str]:
        if self.scene.empty:
            return ["" for _ in self.axis.ticks]
        return self.look.axis_labels(self.axis.ticks)

    @cached_property
    def height(self) -> int:
        return self.canvas.height(self.look.height)

    @cached_property
    def ends(self) -> EndLabels:
        return EndLabels(self.scene, self.look, self.canvas)

    @cached_property
    def room(self) -> Padding:
        size = self.canvas.size
        left = widest(self.axis_labels, size) + 10
        top = self.canvas.line_height + 8 if self.scene.marks else 10
        if self.scene.tint:
            top = size + 14
        if self.look.axis_title:
            top = max(top, size + 16)
        key = legend_height(self.ends.legend, len(self.scene.loud), self.canvas)
        below = key if self.ends.legend and self.ends.legend["orient"] == "bottom" else 0
        top += key - below
        probe = self._across(self.canvas.width - left - self.ends.width)
        bottom = 10 + self.canvas.line_height * probe.lines + (4 if probe.lines > 1 else 2)
        return Padding(left, self.ends.width, top, bottom + below)

    @cached_property
    def width(self) -> int:
        return plot_width(self.canvas, self.room)

    @cached_property
    def tall(self) -> int:
        return plot_height(self.height, self.room)

    @cached_property
    def across(self) -> Across:
        return self._across(self.width)

    def _across(self, width: float) -> Across:
        ends = (self.scene.start, self.scene.end)
        return across_of(self.scene.names, ends, self.look, canvas=self.canvas, width=width)

    def px(self, at: Any) -> float:
        return self.across.share(at) * self.width

    def py(self, value: float) -> float:
        return (self.axis.high - value) / (self.axis.high - self.axis.low) * self.tall

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.width, self.tall, self.px, self.py, self.text_row)

    def value_at(self, py: float) -> float | int | None:
        return number(self.axis.high - py / self.tall * (self.axis.high - self.axis.low))

    def x(self, field: str = "x", *, axis: bool = False) -> Channels:
        return self.across.channel(field, axis=axis)

    def y(self, field: str = "y", *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "quantitative"}
        if axis:
            grid = self.look.strokes.grid and not self.scene.empty
            channel |= upright(self.axis, self.axis_labels, grid=grid)
        return channel

    def mark_value(self, value: float) -> float:
        return self.axis.low if math.isnan(value) else value

    def text_row(self, px: float, py: float, words: Words) -> Row:
        """A text at (px, py), pixels of the plot; its middle stands at that height."""
        at = {"x": self.across.at_share(px / self.width), "y": self.value_at(py)}
        return {**at, **words.as_row(self.look.light.ink)}
