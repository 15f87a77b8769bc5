"""Upright bars: days, weeks, months, and categories with short names."""

from __future__ import annotations

import math
from dataclasses import dataclass

import altair as alt

from kpi_assets.views.charts.bars_scene import Bars, BarScene
from kpi_assets.views.charts.canvas import Canvas
from kpi_assets.views.charts.column_layout import HAIR
from kpi_assets.views.charts.column_words import ColumnWords
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import (
    Channels,
    Row,
    assemble,
    layer,
    number,
    texts,
    words,
)
from kpi_assets.views.charts.text import text_width


def columns(scene: BarScene, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The bars drawn for one canvas."""
    return _Columns(scene, look, canvas).chart()


@dataclass(frozen=True)
class _Columns(ColumnWords):
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

    def _texts(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        rows = self.words()
        if not rows:
            return []
        data["words"] = rows
        return [texts("words", None, self.y())]


def fits(scene: BarScene, canvas: Canvas) -> bool:
    """Have all names room beneath upright bars?"""
    step = (canvas.width - 50) / max(len(scene.categories), 1)
    return all(text_width(line, canvas.size) + 6 <= step for c in scene.categories for line in c.lines)
