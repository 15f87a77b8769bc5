"""Lying bars: categories whose names are too long to stand beneath a bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from kpi_assets.views.charts.bars_scene import Bars, BarScene
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import legend_height, legend_settings
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import Channels, Row, Words, assemble, layer, number, plot_width
from kpi_assets.views.charts.text import shorten_apart, text_width, widest

ROW = 30
THICK = 14
NAME_SHARE = 0.4
GAP = 10


def rows(scene: BarScene, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The bars drawn for one canvas: name, bar, value and change in one row each. The height follows the rows."""
    return _Rows(scene, look, canvas).chart()


@dataclass(frozen=True)
class _Rows:
    scene: BarScene
    look: Look
    canvas: Canvas

    @cached_property
    def row(self) -> int:
        """Height of a category's row."""
        each = THICK + 4 if self.scene.arrangement == "grouped" else 0
        return max(ROW + self.canvas.size - 12, each * len(self.scene.series) + 12)

    @cached_property
    def names(self) -> list[str]:
        limit = self.canvas.width * NAME_SHARE
        return shorten_apart([" ".join(c.lines) for c in self.scene.categories], limit, self.canvas.size)

    @cached_property
    def value_texts(self) -> list[str]:
        totals = [self.scene.total(i) for i in range(len(self.scene.categories))]
        return [self.look.numbers.missing() if math.isnan(v) else self.look.value(v) for v in totals]

    @cached_property
    def extent(self) -> tuple[float, float]:
        return self.scene.extent()

    @cached_property
    def legend(self) -> dict[str, Any] | None:
        if self.scene.single or self.look.legend is False:
            return None
        asked = True if self.look.legend is None else self.look.legend
        return legend_settings(asked, [s.label for s in self.scene.series], self.canvas)

    @cached_property
    def room(self) -> Padding:
        size = self.canvas.size
        value = widest(self.value_texts, size, bold=True) + 8
        change = widest(self.scene.changes, size) + GAP if self.scene.changes else 0
        key = legend_height(self.legend, len(self.scene.series), self.canvas)
        below = key if self.legend and self.legend["orient"] == "bottom" else 0
        return Padding(widest(self.names, size) + GAP, value + change + 4, 4 + key - below, 4 + below)

    @cached_property
    def width(self) -> int:
        return plot_width(self.canvas, self.room)

    @cached_property
    def tall(self) -> int:
        return self.row * max(len(self.scene.categories), 1)

    def chart(self) -> alt.LayerChart:
        data: dict[str, list[Row]] = {}
        layers = [*self._bodies(data), *self._before(data), *self._texts(data)]
        height = self.tall + self.room.top + self.room.bottom
        return assemble(layers, data, self.canvas, height, self.room)

    def px(self, value: float) -> float:
        low, high = self.extent
        return (value - low) / (high - low) * self.width

    def y(self, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": "y", "type": "nominal", "sort": None}
        if axis:
            inner = 0.3 if self.scene.arrangement == "grouped" else 0
            keys = [c.key for c in self.scene.categories]
            channel["scale"] = {"domain": keys, "paddingInner": inner, "paddingOuter": inner / 2}
            channel["axis"] = {"labels": False, "grid": False}
        return channel

    def x(self, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": "x", "type": "quantitative"}
        if axis:
            channel["scale"] = {"domain": [number(v) for v in self.extent], "nice": False}
            channel["axis"] = None
        return channel

    def _bodies(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        scene = self.scene
        found: list[Row] = []
        for order, series in enumerate(scene.series):
            for i, value in enumerate(series.values):
                row: Row = {"y": scene.categories[i].key, "x": 0 if math.isnan(value) else number(value)}
                row |= (
                    {"color": self._bar_color(series, i)}
                    if scene.single
                    else {"series": series.label, "order": order}
                )
                found.append(row)
        data["values"] = found
        channels: Channels = {"x": self.x(axis=True), "y": self.y(axis=True)}
        if scene.single:
            return [layer("values", "bar", channels, size=THICK, fill={"expr": "datum.color"})]
        channels["color"] = {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": [s.label for s in scene.series], "range": [s.color for s in scene.series]},
            "legend": self.legend,
        }
        if scene.arrangement == "grouped":
            domain = [s.label for s in scene.series]
            channels["yOffset"] = {
                "field": "series",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": domain, "paddingInner": 0.1},
            }
            return [layer("values", "bar", channels)]
        channels["x"] = {**channels["x"], "stack": "zero"}
        channels["order"] = {"field": "order", "type": "quantitative"}
        return [layer("values", "bar", channels, size=THICK, stroke=self.canvas.paper, strokeWidth=1)]

    def _bar_color(self, series: Bars, position: int) -> str:
        light, subjects = self.look.light, self.scene.subjects
        if series.color != light.accent or not subjects or position in subjects:
            return series.color
        return light.soft

    def _before(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        found = [
            {"y": self.scene.categories[i].key, "x": number(v)}
            for i, v in enumerate(self.scene.before)
            if not math.isnan(v)
        ]
        if not found:
            return []
        data["before"] = found
        channels: Channels = {"x": self.x(), "y": self.y()}
        size = THICK + 8
        return [
            layer("before", "tick", channels, thickness=4, size=size, fill=self.canvas.paper, opacity=1),
            layer("before", "tick", channels, thickness=2, size=size, fill=self.look.light.ink, opacity=1),
        ]

    def _texts(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        found: list[Row] = []
        light = self.look.light
        for i, category in enumerate(self.scene.categories):
            name = Words(self.names[i]).as_row(light.ink)
            found.append({"y": category.key, "px": -self.room.left, **name})
            if self.scene.arrangement != "grouped":
                top = self._end(i)
                words_ = Words(self.value_texts[i], "", "left", bold=True)
                found.append({"y": category.key, "px": top + 8, **words_.as_row(light.ink)})
            if self.scene.changes:
                change = Words(self.scene.changes[i], light.muted, "right")
                found.append(
                    {"y": category.key, "px": self.width + self.room.right - 2, **change.as_row(light.ink)}
                )
        if self.scene.empty:
            middle = Words(self.scene.empty, light.muted, "center").as_row(light.ink)
            found.append(
                {
                    "y": self.scene.categories[0].key if self.scene.categories else "",
                    "px": self.width / 2,
                    **middle,
                }
            )
        data["words"] = found
        channels: Channels = {"y": self.y(), "text": {"field": "text", "type": "nominal"}}
        return (
            [
                layer(
                    "words",
                    "text",
                    channels,
                    x={"expr": "datum.px"},
                    align={"expr": "datum.align"},
                    fontWeight={"expr": "datum.weight"},
                    fill={"expr": "datum.color"},
                    baseline="middle",
                )
            ]
            if found
            else []
        )

    def _end(self, position: int) -> float:
        """Where the value may stand: right of the bar and of the line across it."""
        scene = self.scene
        values = [s.values[position] for s in scene.series if not math.isnan(s.values[position])]
        reach = [*values, 0.0, sum(v for v in values if v > 0) if scene.arrangement == "stacked" else 0.0]
        before = scene.before[position : position + 1]
        end = max(self.px(v) for v in reach)
        mark = max((self.px(v) for v in before if not math.isnan(v)), default=0.0)
        wide = text_width(self.value_texts[position], self.canvas.size, bold=True)
        return mark + 2 if end - 4 <= mark <= end + wide + 12 else end
