"""Lines and areas over a continuous axis: time, or numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from kpi_assets.views.charts.across import Across, NameAcross, NumberAcross, TimeAcross
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import EndLabels, Geometry, legend_height
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
    spots,
    texts,
    words,
)
from kpi_assets.views.charts.strands import Mark, Scene, Strand
from kpi_assets.views.charts.text import text_width, widest
from kpi_assets.views.charts.ticks import ValueAxis, value_axis

CROWDED = 0.3
"""A label that would cover more than this share of its own area is left out."""
MANY_DOTS = 35
"""Up to so many points, each is marked."""


def timeline(scene: Scene, look: Look, canvas: Canvas) -> alt.LayerChart:
    """The scene drawn for one canvas."""
    return _Timeline(scene, look, canvas).chart()


@dataclass(frozen=True)
class _Timeline:
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
        scene = self.scene
        if scene.names:
            return NameAcross.over(scene.names, self.canvas.size, width)
        if isinstance(scene.start, int | float):
            return NumberAcross.over([scene.start, scene.end], self.look, self.canvas, width)
        return TimeAcross.over(scene.start, scene.end, self.look, canvas=self.canvas, width=width)

    def px(self, at: Any) -> float:
        return self.across.share(at) * self.width

    def py(self, value: float) -> float:
        return (self.axis.high - value) / (self.axis.high - self.axis.low) * self.tall

    @property
    def geometry(self) -> Geometry:
        return Geometry(self.width, self.tall, self.px, self.py, self.text_row)

    def value_at(self, py: float) -> float | int | None:
        return number(self.axis.high - py / self.tall * (self.axis.high - self.axis.low))

    # ------------------------------------------------------------------ layers

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

    def x(self, field: str = "x", *, axis: bool = False) -> Channels:
        return self.across.channel(field, axis=axis)

    def y(self, field: str = "y", *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "quantitative"}
        if axis:
            channel["scale"] = {
                "domain": [number(self.axis.low), number(self.axis.high)],
                "zero": False,
                "nice": False,
            }
            channel["axis"] = {
                "values": [number(tick) for tick in self.axis.ticks],
                "labelExpr": words(self.axis_labels, [number(tick) for tick in self.axis.ticks]),
                "grid": self.look.strokes.grid and not self.scene.empty,
            }
        return channel

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
                    "y": number(self._mark_value(mark.value)),
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

    def _mark_value(self, value: float) -> float:
        return self.axis.low if math.isnan(value) else value

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

    # ------------------------------------------------------------------ words

    def _texts(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        rows = [*self.ends.rows(self.geometry), *self._placed_marks(), *self._headings()]
        if not rows:
            return []
        data["words"] = rows
        return [texts("words", self.x(), self.y())]

    def text_row(self, px: float, py: float, words: Words) -> Row:
        """A text at (px, py), pixels of the plot; its middle stands at that height."""
        at = {"x": self.across.at_share(px / self.width), "y": self.value_at(py)}
        return {**at, **words.as_row(self.look.light.ink)}

    def _headings(self) -> list[Row]:
        rows: list[Row] = []
        size, muted = self.canvas.size, self.look.light.muted
        if tint := self.scene.tint:
            half = text_width(tint.label, size) / 2
            middle = (self.px(tint.start) + self.px(tint.end)) / 2
            middle = min(middle, self.width + self.room.right - half)
            rows.append(self.text_row(middle, -(size + 8) / 2, Words(tint.label, muted, "center")))
        if self.look.axis_title:
            heading = Words(self.look.axis_title, muted)
            rows.append(self.text_row(2 - self.room.left, -(size / 2 + 6), heading))
        if self.scene.empty:
            rows.append(
                self.text_row(self.width / 2, self.tall / 2, Words(self.scene.empty, muted, "center"))
            )
        return rows

    def _obstacles(self) -> list[Box]:
        """What labels must not cover: points, and lines as the points along them."""
        boxes: list[Box] = []
        scene = self.scene
        for strand in (*scene.strands, *(s for s in (scene.dots, scene.before) if s)):
            spots = [
                (self.px(x), self.py(y)) if not math.isnan(y) else None
                for x, y in zip(strand.xs, strand.ys, strict=True)
            ]
            boxes += [Box.around(*spot, 3) for spot in spots if spot]
            if strand is not scene.dots:
                boxes += [Box.around(*spot, 2) for spot in _along(spots)]
        return boxes

    def _placed_marks(self) -> list[Row]:
        """Labels of incidents and of the peak, incidents first, each where it covers least; without room, none."""
        rows: list[Row] = []
        obstacles, taken = self._obstacles(), list[Box]()
        for mark in sorted(self.scene.marks, key=lambda m: not m.ring):
            for lines in ([text for text in (mark.title, mark.text) if text], [mark.title]):
                box, covered = self._place(mark, lines, obstacles, taken)
                if covered <= CROWDED * box.area:
                    taken.append(box)
                    rows += self._label(mark, lines, box)
                    break
        return rows

    def _place(
        self, mark: Mark, lines: list[str], obstacles: list[Box], taken: list[Box]
    ) -> tuple[Box, float]:
        size = self.canvas.size
        wide = max(text_width(text, size, bold=i == 0) for i, text in enumerate(lines))
        bounds = Box(0, 0 if self.scene.tint else -self.room.top, self.width, self.tall)
        x, y = self.px(mark.at), self.py(self._mark_value(mark.value))
        high = self.canvas.line_height * len(lines)
        return place(x, y, wide, high, obstacles=obstacles, bounds=bounds, taken=taken)

    def _label(self, mark: Mark, lines: list[str], box: Box) -> list[Row]:
        x = self.px(mark.at)
        side = "right" if box.right <= x else "left" if box.left >= x else "center"
        at = {"right": box.right, "left": box.left, "center": (box.left + box.right) / 2}[side]
        muted, line = self.look.light.muted, self.canvas.line_height
        words = [Words(text, muted if i else "", side, bold=not i) for i, text in enumerate(lines)]
        return [self.text_row(at, box.top + line * (i + 0.5), word) for i, word in enumerate(words)]


def _along(spots: list[tuple[float, float] | None]) -> list[tuple[float, float]]:
    """Points every few pixels on the lines between neighbours."""
    found: list[tuple[float, float]] = []
    for a, b in itertools.pairwise(spots):
        if a is None or b is None:
            continue
        count = min(int(max(abs(b[0] - a[0]), abs(b[1] - a[1])) / 6), 60)
        for i in range(1, count):
            share = i / count
            found.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
    return found
