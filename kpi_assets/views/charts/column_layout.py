"""Upright bars: how much room everything has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpi_assets.views.charts.bars_scene import Bars, BarScene
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import EndLabels, Geometry, legend_height, legend_settings
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import (
    Row,
    Words,
    number,
    plot_height,
    plot_width,
)
from kpi_assets.views.charts.strands import Scene, Strand
from kpi_assets.views.charts.text import text_width, widest
from kpi_assets.views.charts.ticks import ValueAxis, value_axis

WIDEST_BAR = 56
BAR_SHARE = 0.62
HAIR = 0.0001
"""Outer padding that nobody sees: without it rounding can push a bar off the scale, and Vega drops its label."""
MOST_ROWS = 16
"""Up to so many bars have their values beneath."""
ON_DARK, ON_LIGHT = "#ffffff", "#18181b"
"""Text on a coloured bar. Not the theme's ink: that one is mapped in dark mode, where the bars keep their colours."""


@dataclass(frozen=True)
class ColumnLayout:
    """Sizes and positions of one bar chart on one canvas."""

    scene: BarScene
    look: Look
    canvas: Canvas

    # ------------------------------------------------------------------ measures

    @cached_property
    def value_texts(self) -> list[str]:
        """What is printed for each category: its value, or nothing where there is none."""
        totals = [self.scene.total(i) for i in range(len(self.scene.categories))]
        return ["" if math.isnan(v) else self.look.value(v) for v in totals]

    @cached_property
    def beneath(self) -> bool:
        """Do values stand beneath the bars, instead of an axis beside them?"""
        scene, size = self.scene, self.canvas.size
        if not scene.single or scene.labels or not 0 < len(scene.categories) <= MOST_ROWS or scene.empty:
            return False
        step = self.canvas.width / len(scene.categories)
        labels = [line for category in scene.categories for line in category.lines]
        wide = max(
            widest(self.value_texts, size, bold=True), widest(scene.changes, size), widest(labels, size)
        )
        return wide + 4 <= step

    @cached_property
    def axis(self) -> ValueAxis:
        low, high = self.scene.extent()
        above = self.canvas.line_height if self.labelled else 0
        headroom = 1.04 + (above / max(self.height - 60, 60))
        axis = value_axis(low, high, zero=True, headroom=headroom)
        return axis.within(self.look.low, self.look.high)

    @cached_property
    def labelled(self) -> bool:
        """Do values stand on the bars?"""
        return self.scene.labels

    @cached_property
    def axis_labels(self) -> list[str]:
        return self.look.axis_labels(self.axis.ticks)

    @cached_property
    def height(self) -> int:
        return self.canvas.height(self.look.height)

    @cached_property
    def ends(self) -> EndLabels:
        """Names at the right of stacked bars, as for areas."""
        xs = tuple(range(len(self.scene.categories)))
        strands = tuple(
            Strand(s.name, s.label, s.color, xs, s.values, self._last_value(s)) for s in self.scene.series
        )
        return EndLabels(Scene("stacked", strands, 0, len(xs)), self.look, self.canvas)

    def _last_value(self, bars: Bars) -> str:
        value = bars.values[-1] if bars.values else math.nan
        return "" if math.isnan(value) else self.look.value(value)

    @cached_property
    def at_end(self) -> bool:
        """Are series named at the right of the last bar?"""
        scene = self.scene
        return (
            scene.arrangement == "stacked"
            and not scene.single
            and self.look.legend is None
            and bool(scene.categories)
            and not math.isnan(scene.total(len(scene.categories) - 1))
        )

    @cached_property
    def legend(self) -> dict[str, Any] | None:
        if self.scene.single or self.at_end or self.look.legend is False:
            return None
        asked = self.look.legend if self.look.legend is not None else True
        return legend_settings(asked, [s.label for s in self.scene.series], self.canvas)

    @cached_property
    def label_lines(self) -> int:
        return max((len(lines) for _, lines in self.ticks), default=1)

    @cached_property
    def room(self) -> Padding:
        size, line = self.canvas.size, self.canvas.line_height
        edge = 10 if self.canvas.name == "mail" else 0
        if self.beneath:
            rows = max(len(c.lines) for c in self.scene.categories) + 1 + bool(self.scene.changes)
            return Padding(edge, edge, 10 + edge // 2, 10 + rows * (line + 2) + edge // 2)
        left = widest(self.axis_labels, size) + 10 + edge
        key = legend_height(self.legend, len(self.scene.series), self.canvas)
        under = key if self.legend and self.legend["orient"] == "bottom" else 0
        top = 10 + key - under
        top += size + 6 if self.look.axis_title else 0
        right = self.ends.width if self.at_end else max(edge, 4)
        left, right = self._with_overhang(left, right)
        below = 12 + self._label_height(self.canvas.width - left - right)
        below += under
        return Padding(left, right, top, below)

    def _with_overhang(self, left: int, right: int) -> tuple[int, int]:
        """More room where the first or last label is wider than its bar's place."""
        width = self.canvas.width - left - right
        step, size = width / max(len(self.scene.categories), 1), self.canvas.size
        if self.look.rotation:
            turn = math.cos(math.radians(self.look.rotation))
            labels = [" ".join(c.lines) for c in self.scene.categories]
            over = [text_width(text, size) * turn - (i + 0.5) * step for i, text in enumerate(labels)]
            back = [
                text_width(text, size) * turn - (i + 0.5) * step for i, text in enumerate(reversed(labels))
            ]
            if self.look.rotation > 0:
                return max(left, math.ceil(max(over, default=0))), right
            return left, max(right, math.ceil(max(back, default=0)))
        ticks = self._ticks_for(width)
        if not ticks:
            return left, right
        first, last = ticks[0], ticks[-1]
        half = max(text_width(line, size) for line in first[1]) / 2 - (first[0] + 0.5) * step
        tail = max(text_width(line, size) for line in last[1]) / 2
        after = tail - (len(self.scene.categories) - last[0] - 0.5) * step
        return max(left, math.ceil(half)), max(right, math.ceil(after))

    def _label_height(self, width: float) -> int:
        if self.look.rotation:
            labels = [" ".join(c.lines) for c in self.scene.categories]
            return (
                round(widest(labels, self.canvas.size) * abs(math.sin(math.radians(self.look.rotation)))) + 10
            )
        lines = max((len(lines) for _, lines in self._ticks_for(width)), default=1)
        return self.canvas.line_height * lines

    @cached_property
    def width(self) -> int:
        return plot_width(self.canvas, self.room)

    @cached_property
    def tall(self) -> int:
        return plot_height(self.height, self.room)

    @cached_property
    def step(self) -> float:
        return self.width / max(len(self.scene.categories), 1)

    @cached_property
    def bar(self) -> float:
        """Width of a bar, of all bars of a category where they stand side by side."""
        if self.scene.arrangement == "grouped":
            return self.step * 0.78
        return min(WIDEST_BAR, self.step * (BAR_SHARE if self.step > 12 else 0.8))

    def px(self, at: Any) -> float:
        return (at + 0.5) * self.step

    def py(self, value: float) -> float:
        return (self.axis.high - value) / (self.axis.high - self.axis.low) * self.tall

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.width, self.tall, self.px, self.py, self.text_row)

    def value_at(self, py: float) -> float | int | None:
        return number(self.axis.high - py / self.tall * (self.axis.high - self.axis.low))

    # ------------------------------------------------------------------ category labels

    @cached_property
    def ticks(self) -> list[tuple[int, tuple[str, ...]]]:
        """Positions that are labelled, and their lines."""
        return self._ticks_for(self.width)

    def _ticks_for(self, width: float) -> list[tuple[int, tuple[str, ...]]]:
        """All labels where they fit, short ones else, else only some."""
        categories, size = self.scene.categories, self.canvas.size
        step = width / max(len(categories), 1)
        full = [(i, c.lines) for i, c in enumerate(categories)]
        if self.look.rotation:
            return [(i, (" ".join(lines),)) for i, lines in full]
        short = [(i, (c.short,)) for i, c in enumerate(categories) if c.short]
        marked = [(i, c.lines) for i, c in enumerate(categories) if c.mark]
        for ticks in (full, short if len(short) == len(full) else [], marked):
            if ticks and _room_for(ticks, step, size):
                return ticks
        for every in (2, 3, 4, 6, 8, 12, 24, 48, 96, 192, 384):
            for ticks in (marked[::every], full[::every]):
                if ticks and _room_for(ticks, step, size):
                    return ticks
        return full[:1]

    def text_row(self, px: float, py: float, words: Words) -> Row:
        """A text at (px, py), pixels of the plot; for names at the right, outside the category scale."""
        return {"x": px, "y": self.value_at(py), **words.as_row(self.look.light.ink)}


def _room_for(ticks: list[tuple[int, tuple[str, ...]]], step: float, size: int) -> bool:
    edge = -math.inf
    for position, lines in ticks:
        half = max(text_width(line, size) for line in lines) / 2
        middle = (position + 0.5) * step
        if middle - half < edge + 4:
            return False
        edge = middle + half
    return True
