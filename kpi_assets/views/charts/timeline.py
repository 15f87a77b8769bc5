"""Lines and areas over a continuous axis: time, numbers or names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import altair as alt

from kpi_assets.views.charts.canvas import Canvas
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import (
    Channels,
    Row,
    assemble,
    layer,
    number,
    spots,
    texts,
)
from kpi_assets.views.charts.strands import Scene, Strand
from kpi_assets.views.charts.timeline_words import TimelineWords

MANY_DOTS = 35
"""Up to so many points, each is marked."""


def timeline(scene: Scene, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The scene drawn for one canvas."""
    return _Timeline(scene, look, canvas).chart()


@dataclass(frozen=True)
class _Timeline(TimelineWords):
    def chart(self) -> alt.LayerChart:
        data: dict[str, list[Row]] = {}
        layers = [
            *self._ground(data),
            *self._tint(data),
            *self._zero(data),
            *self._before(data),
            *self._bodies(data),
            *self._dots(data),
            *self._texts(data),
        ]
        return assemble(layers, data, self.canvas, height=self.height, room=self.room)

    def _ground(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """The axes, held by an invisible layer, so that they stand even where there are no values."""
        data["ends"] = [{"x": self.across.at_share(share), "y": number(self.axis.low)} for share in (0, 1)]
        return [
            layer("ends", "point", {"x": self.x(axis=True), "y": self.y(axis=True)}, opacity=0, size=0),
        ]

    def _tint(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        tint = self.scene.tint
        if tint is None:
            return []
        data["window"] = [{"x": self.across.value(tint.start), "x2": self.across.value(tint.end)}]
        top = -(self.canvas.size + 8)
        return [
            layer(
                "window",
                "rect",
                {"x": self.x(), "x2": {"field": "x2"}, "y": {"value": top}, "y2": {"value": self.tall}},
                fill=self.look.light.tint,
                opacity=1,
            )
        ]

    def _zero(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """A line at zero where values lie on both sides of it."""
        if self.axis.low >= 0 or self.axis.high < 0:
            return []
        data["zero"] = [{"y": 0}]
        return [layer("zero", "rule", {"y": self.y()}, stroke=self.look.light.context)]

    def _before(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        strand = self.scene.before
        if strand is None:
            return []
        data["before"] = self._rows(strand)
        return [
            layer(
                "before",
                "line",
                {"x": self.x(), "y": self.y()},
                stroke=self.look.light.context,
                strokeWidth=1.5,
                strokeDash=[4, 4],
                strokeCap="butt",
            )
        ]

    def _bodies(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        if self.scene.form == "stacked":
            return self._stack(data)
        quiet = [strand for strand in self.scene.strands if strand.quiet]
        layers: list[alt.Chart] = []
        if quiet:
            data["others"] = [row for strand in quiet for row in self._rows(strand, strand.name)]
            layers.append(
                layer(
                    "others",
                    "line",
                    {"x": self.x(), "y": self.y(), "detail": {"field": "series"}},
                    stroke=self.look.light.line,
                    strokeWidth=1.25,
                )
            )
        return [*layers, *self._lines(data)]

    def _lines(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        loud = self.scene.loud
        strokes = self.look.strokes
        options: dict[str, Any] = {"strokeWidth": strokes.width}
        if strokes.dash:
            options["strokeDash"] = list(strokes.dash)
        if self.scene.smooth:
            options["interpolate"] = "monotone"
        channels: Channels = {"x": self.x(), "y": self.y()}
        if len(loud) == 1:
            options["stroke"] = loud[0].color
            data["values"] = self._rows(loud[0])
        else:
            channels["color"] = self._color()
            data["values"] = [row for strand in loud for row in self._rows(strand, strand.label)]
        layers = [layer("values", "line", channels, **options)]
        if self.scene.form == "area":
            layers.insert(0, self._fill(channels, loud))
        return layers

    def _fill(self, channels: Channels, loud: list[Strand]) -> alt.Chart:
        fill = {"fill": loud[0].color} if len(loud) == 1 else {}
        return layer(
            "values",
            "area",
            {**channels, "y2": {"datum": 0}} if self.axis.low < 0 else channels,
            opacity=0.14,
            line=False,
            **fill,
        )

    def _color(self) -> Channels:
        loud = self.scene.loud
        return {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": [s.label for s in loud], "range": [s.color for s in loud]},
            "legend": self._legend,
        }

    @property
    def _legend(self) -> Channels | None:
        """Lines are shown by a stroke, areas by a square."""
        legend = self.ends.legend
        if legend is None or self.scene.form == "stacked":
            return legend
        return {**legend, "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolSize": 200}

    def _stack(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """Bands over each other, the first at the bottom; a gap counts as nothing, for a stack has no holes."""
        rows: list[Row] = []
        for order, strand in enumerate(self.scene.strands):
            for x, y in zip(strand.xs, strand.ys, strict=True):
                rows.append(
                    {
                        "x": self.across.value(x),
                        "y": 0 if math.isnan(y) else number(y),
                        "series": strand.label,
                        "order": order,
                    }
                )
        data["values"] = rows
        channels: Channels = {
            "x": self.x(),
            "y": {**self.y(), "stack": "zero"},
            "order": {"field": "order", "type": "quantitative"},
            "color": self._color(),
        }
        return [
            layer(
                "values", "area", channels, stroke=self.canvas.paper, strokeWidth=1.5, opacity=1, line=False
            )
        ]

    def _rows(self, strand: Strand, series: str | None = None) -> list[Row]:
        tail = {} if series is None else {"series": series}
        return [
            {"x": self.across.value(x), "y": number(y), **tail}
            for x, y in zip(strand.xs, strand.ys, strict=True)
        ]

    def _dots(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        rows = [*self._single_values(), *self._value_dots()]
        layers: list[alt.Chart] = []
        if rows:
            data["dots"] = rows
            layers.append(spots("dots", self.x(), self.y()))
        rings = [mark for mark in self.scene.marks if mark.ring]
        if rings:
            data["rings"] = [
                {
                    "x": self.across.value(mark.at),
                    "y": number(self.mark_value(mark.value)),
                    "color": self.look.light.error if mark.alarm else self.look.light.ink,
                }
                for mark in rings
            ]
            layers.append(
                layer(
                    "rings",
                    "point",
                    {"x": self.x(), "y": self.y()},
                    filled=False,
                    fill=self.canvas.paper,
                    stroke={"expr": "datum.color"},
                    strokeWidth=2,
                    size=60,
                    opacity=1,
                )
            )
        return layers

    def _single_values(self) -> list[Row]:
        """The values beneath a mean line: grey before the window, blue in it."""
        dots, tint = self.scene.dots, self.scene.tint
        if dots is None:
            return []
        light, small = self.look.light, 11 if self.canvas.phone else 15
        color = self.scene.loud[0].color if self.scene.loud else light.accent
        rows: list[Row] = []
        for x, y in zip(dots.xs, dots.ys, strict=True):
            if math.isnan(y):
                continue
            inside = tint is not None and tint.start <= x < tint.end
            rows.append(
                {
                    "x": self.across.value(x),
                    "y": number(y),
                    "color": color if inside else light.context,
                    "size": round(small * 1.7) if inside else small,
                }
            )
        return rows

    def _value_dots(self) -> list[Row]:
        """Points on the lines: all where there are few, else the last ones and those without neighbours."""
        if self.scene.form == "stacked":
            return []
        rows: list[Row] = []
        size = self.look.strokes.marker_size
        for strand in self.scene.loud:
            for i in self._dotted(strand):
                rows.append(
                    {
                        "x": self.across.value(strand.xs[i]),
                        "y": number(strand.ys[i]),
                        "color": strand.color,
                        "size": size,
                    }
                )
        return rows

    def _dotted(self, strand: Strand) -> list[int]:
        present = [i for i, y in enumerate(strand.ys) if not math.isnan(y)]
        marker = self.look.strokes.marker
        if marker or (marker is None and len(self.scene.loud) == 1 and len(strand.ys) <= MANY_DOTS):
            return present if not self.scene.smooth else strand.lonely
        if marker is False:
            return strand.lonely
        return sorted({*strand.lonely, *present[-1:]}) if not self.scene.smooth else strand.lonely

    def _texts(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        rows = self.words()
        if not rows:
            return []
        data["words"] = rows
        return [texts("words", self.x(), self.y())]
