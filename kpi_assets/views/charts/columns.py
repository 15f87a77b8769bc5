"""Upright bars: days, weeks, months, and categories with short names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from kpi_assets.views.charts.bars_scene import Bars, BarScene
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import EndLabels, Geometry, legend_height, legend_settings
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.place import Box, place
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
    words,
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


def columns(scene: BarScene, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The bars drawn for one canvas."""
    return _Columns(scene, look, canvas).chart()


@dataclass(frozen=True)
class _Columns:
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

    # ------------------------------------------------------------------ layers

    def chart(self) -> alt.LayerChart:
        data: dict[str, list[Row]] = {}
        layers = [
            *self._ground(data),
            *self._bodies(data),
            *self._before(data),
            *self._zero(data),
            *self._texts(data),
        ]
        return assemble(layers, data, self.canvas, height=self.height, room=self.room)

    def x(self, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": "x", "type": "nominal", "sort": None}
        if axis:
            inner = 1 - self.bar / self.step if self.scene.arrangement == "grouped" else 0
            channel["scale"] = {
                "domain": [c.key for c in self.scene.categories],
                "paddingInner": round(inner, 4),
                "paddingOuter": round(inner / 2, 4) or HAIR,
            }
            channel["axis"] = self._axis()
        return channel

    def _axis(self) -> Channels:
        axis: Channels = {"domain": self.axis.low >= 0, "zindex": 1}
        if self.beneath:
            return {**axis, "labels": False}
        axis |= {
            "values": [self.scene.categories[i].key for i, _ in self.ticks],
            "labelExpr": self._labels_by_key(),
            "labelOverlap": False,
            "labelAngle": 0,
        }
        if self.look.rotation:
            axis |= {
                "labelAngle": -self.look.rotation,
                "labelAlign": "right" if self.look.rotation > 0 else "left",
            }
        return axis

    def _labels_by_key(self) -> str:
        keys = [self.scene.categories[i].key for i, _ in self.ticks]
        return words([lines for _, lines in self.ticks], keys)

    def y(self, field: str = "y", *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "quantitative"}
        if axis:
            channel["scale"] = {"domain": [number(self.axis.low), number(self.axis.high)], "nice": False}
            channel["axis"] = None if self.beneath else self._value_axis()
        return channel

    def _value_axis(self) -> Channels:
        return {
            "values": [number(tick) for tick in self.axis.ticks],
            "labelExpr": words(self.axis_labels, [number(tick) for tick in self.axis.ticks]),
            "grid": self.look.strokes.grid,
        }

    def _ground(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """The axes, held by an invisible layer, so that they stand even where there are no values."""
        data["places"] = [{"x": c.key, "y": number(self.axis.low)} for c in self.scene.categories]
        return [layer("places", "point", {"x": self.x(axis=True), "y": self.y(axis=True)}, opacity=0, size=0)]

    def _bodies(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        scene = self.scene
        rows: list[Row] = []
        for order, series in enumerate(scene.series):
            for i, value in enumerate(series.values):
                if not math.isnan(value):
                    row: Row = {"x": scene.categories[i].key, "y": number(value)}
                    row |= (
                        {"color": self._bar_color(series, i)}
                        if scene.single
                        else {"series": series.label, "order": order}
                    )
                    rows.append(row)
        data["values"] = rows
        if scene.single:
            channels: Channels = {"x": self.x(), "y": self.y()}
            return [layer("values", "bar", channels, size=round(self.bar, 2), fill={"expr": "datum.color"})]
        return [self._many()]

    def _many(self) -> alt.Chart:
        channels: Channels = {"x": self.x(), "y": self.y(), "color": self._color()}
        labels = [s.label for s in self.scene.series]
        if self.scene.arrangement == "grouped":
            channels["xOffset"] = {
                "field": "series",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": labels, "paddingInner": 0.08, "paddingOuter": 0},
            }
            return layer("values", "bar", channels)
        channels["y"] = {**channels["y"], "stack": "zero"}
        channels["order"] = {"field": "order", "type": "quantitative"}
        edge = {"stroke": self.canvas.paper, "strokeWidth": 1} if self.bar > 8 else {}
        return layer("values", "bar", channels, size=round(self.bar, 2), **edge)

    def _bar_color(self, series: Bars, position: int) -> str:
        light, scene = self.look.light, self.scene
        if position in scene.past:
            return light.context
        if series.color != light.accent or not scene.subjects or position in scene.subjects:
            return series.color
        return light.soft

    def _color(self) -> Channels:
        return {
            "field": "series",
            "type": "nominal",
            "scale": {
                "domain": [s.label for s in self.scene.series],
                "range": [s.color for s in self.scene.series],
            },
            "legend": self.legend,
        }

    def _before(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """The earlier value as a line across each bar, with paper above and below so that it shows on the bar too."""
        scene = self.scene
        rows = [
            {"x": scene.categories[i].key, "y": number(value)}
            for i, value in enumerate(scene.before)
            if not math.isnan(value)
        ]
        if not rows:
            return []
        data["before"] = rows
        size = round(min(self.bar + 8, self.step), 2)
        channels: Channels = {"x": self.x(), "y": self.y()}
        return [
            layer("before", "tick", channels, thickness=4, size=size, fill=self.canvas.paper, opacity=1),
            layer("before", "tick", channels, thickness=2, size=size, fill=self.look.light.ink, opacity=1),
        ]

    def _zero(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """The base line, where bars hang below it."""
        if self.axis.low >= 0:
            return []
        data["zero"] = [{"y": 0}]
        return [layer("zero", "rule", {"y": {"field": "y", "type": "quantitative"}})]

    # ------------------------------------------------------------------ words

    def text_row(self, px: float, py: float, words: Words) -> Row:
        """A text at (px, py), pixels of the plot; for names at the right, outside the category scale."""
        return {"x": px, "y": self.value_at(py), **words.as_row(self.look.light.ink)}

    def _texts(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        rows: list[Row] = []
        if self.beneath:
            rows += self._beneath_rows()
        if self.labelled:
            rows += self._on_bars()
        rows += self._free_texts()
        if not rows:
            return []
        data["words"] = rows
        return [texts("words", None, self.y())]

    def _beneath_rows(self) -> list[Row]:
        scene, muted, line = self.scene, self.look.light.muted, self.canvas.line_height + 2
        names = max(len(c.lines) for c in scene.categories)
        rows: list[Row] = []
        for i, category in enumerate(scene.categories):
            x, top = self.px(i), self.tall + 8 + line / 2
            for k, text in enumerate(category.lines):
                rows.append(self.text_row(x, top + k * line, Words(text, muted, "center")))
            value = self.value_texts[i] or self.look.numbers.missing()
            shade = "" if self.value_texts[i] else muted
            rows.append(self.text_row(x, top + names * line, Words(value, shade, "center", bold=not shade)))
            if scene.changes:
                change = Words(scene.changes[i], muted, "center")
                rows.append(self.text_row(x, top + (names + 1) * line, change))
        return rows

    def _on_bars(self) -> list[Row]:
        """Values above single bars and stacks, or above each of grouped bars, where they fit."""
        scene, rows = self.scene, list[Row]()
        if scene.arrangement != "grouped":
            for i, text in enumerate(self.value_texts):
                if text and text_width(text, self.canvas.size) <= self.step:
                    rows.append(self._above(self.px(i), self._top(i), text))
            return rows
        each = self.bar / len(scene.series)
        for k, series in enumerate(scene.series):
            for i, value in enumerate(series.values):
                text = "" if math.isnan(value) else self.look.value(value)
                if text and text_width(text, self.canvas.size) <= each + 4:
                    rows.append(self._above(self.px(i) - self.bar / 2 + (k + 0.5) * each, value, text))
        return rows

    def _top(self, position: int) -> float:
        values = [s.values[position] for s in self.scene.series if not math.isnan(s.values[position])]
        if self.scene.arrangement == "stacked":
            return sum(v for v in values if v > 0) or sum(values)
        return values[0] if values else 0.0

    def _above(self, px: float, value: float, text: str) -> Row:
        lift = self.canvas.line_height / 2 + 1
        py = self.py(value) + (lift if value < 0 else -lift)
        return self.text_row(px, py, Words(text, "", "center"))

    def _free_texts(self) -> list[Row]:
        rows: list[Row] = []
        muted = self.look.light.muted
        if self.at_end:
            rows += self.ends.rows(self.geometry)
        if self.look.axis_title and not self.beneath:
            rows.append(
                self.text_row(
                    -self.room.left + 2, -(self.canvas.size / 2 + 6), Words(self.look.axis_title, muted)
                )
            )
        if self.scene.empty:
            rows.append(
                self.text_row(self.width / 2, self.tall / 2, Words(self.scene.empty, muted, "center"))
            )
        return rows + self._before_name()

    def _before_name(self) -> list[Row]:
        """The name of the lines across the bars, once, where nothing is in the way."""
        scene, size = self.scene, self.canvas.size
        present = [i for i, value in enumerate(scene.before) if not math.isnan(value)]
        if not present or not scene.before_label:
            return []
        wide, high = text_width(scene.before_label, size), self.canvas.line_height
        bounds = Box(0, -self.room.top, self.width, self.tall)
        obstacles = [self._bar_box(i) for i in range(len(scene.categories))]
        best: tuple[float, Box] | None = None
        for i in reversed(present):
            box, covered = place(
                self.px(i), self.py(scene.before[i]), wide, high, obstacles=obstacles, bounds=bounds, reach=6
            )
            if best is None or covered < best[0]:
                best = (covered, box)
        if best is None or best[0] > 0.1 * wide * high:
            return []
        box = best[1]
        middle = Words(scene.before_label, "", "center")
        return [self.text_row((box.left + box.right) / 2, (box.top + box.bottom) / 2, middle)]

    def _bar_box(self, position: int) -> Box:
        """A bar with the line across it."""
        scene = self.scene
        values = [
            v for v in (scene.total(position), *scene.before[position : position + 1]) if not math.isnan(v)
        ]
        top = min((self.py(v) for v in (*values, 0.0)), default=0.0)
        half = min(self.bar + 8, self.step) / 2
        x = self.px(position)
        return Box(x - half, top - 2, x + half, self.tall)


def _room_for(ticks: list[tuple[int, tuple[str, ...]]], step: float, size: int) -> bool:
    edge = -math.inf
    for position, lines in ticks:
        half = max(text_width(line, size) for line in lines) / 2
        middle = (position + 0.5) * step
        if middle - half < edge + 4:
            return False
        edge = middle + half
    return True


def fits(scene: BarScene, canvas: Canvas) -> bool:
    """Have all names room beneath upright bars?"""
    step = (canvas.width - 50) / max(len(scene.categories), 1)
    return all(text_width(line, canvas.size) + 6 <= step for c in scene.categories for line in c.lines)
