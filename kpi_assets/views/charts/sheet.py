"""Puts a chart together: layers that share two scales, over named data, with the theme's configuration.

Layers are Altair charts whose channels are plain Vega-Lite; so building costs little and a subclass can still work on
them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import altair as alt

from kpi_assets.style.theme import Theme
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.text import printable
from kpi_assets.views.charts.ticks import ValueAxis

Row = dict[str, Any]
Channels = dict[str, Any]
Chart = alt.Chart | alt.LayerChart
DIGITS = 10
"""Significant digits of a number in a spec: more would only be noise of floating point."""


@dataclass(frozen=True)
class Words:
    """A text on a chart; `color` "" is ink."""

    text: str
    color: str = ""
    align: str = "left"
    bold: bool = False

    def as_row(self, ink: str) -> Row:
        return {
            "text": self.text,
            "color": self.color or ink,
            "align": self.align,
            "weight": 600 if self.bold else 400,
        }


def layer(data: str, mark: str, channels: Channels, **options: Any) -> alt.Chart:
    """One layer over the data set called `data`; `options` are the mark's."""
    chart: Any = alt.Chart
    return chart(
        data={"name": data}, mark={"type": mark, **options}, encoding=alt.FacetedEncoding(**channels)
    )


def texts(data: str, x: Channels | None, y: Channels) -> alt.Chart:
    """The layer of all words: rows bring `text`, `color`, `align`, `weight`; and `x` in pixels without a channel."""
    place: dict[str, Any] = {} if x is None else {"x": x}
    pixels: dict[str, Any] = {"x": {"expr": "datum.x"}} if x is None else {}
    return layer(
        data,
        "text",
        {**place, "y": y, "text": {"field": "text", "type": "nominal"}},
        align={"expr": "datum.align"},
        fontWeight={"expr": "datum.weight"},
        fill={"expr": "datum.color"},
        baseline="middle",
        **pixels,
    )


def upright(axis: ValueAxis, labels: Sequence[str], *, grid: bool) -> Channels:
    """Scale and axis of a channel of numbers: its ticks and their words, nothing rounded and no zero brought in."""
    ticks = [number(tick) for tick in axis.ticks]
    return {
        "scale": {"domain": [number(axis.low), number(axis.high)], "zero": False, "nice": False},
        "axis": {"values": ticks, "labelExpr": words(labels, ticks), "grid": grid},
    }


def spots(data: str, x: Channels, y: Channels) -> alt.Chart:
    """A layer of points: each row brings `color` and `size`."""
    return layer(
        data,
        "point",
        {"x": x, "y": y},
        filled=True,
        strokeWidth=0,
        fill={"expr": "datum.color"},
        size={"expr": "datum.size"},
    )


def assemble(  # noqa: PLR0917 - what a chart is made of
    layers: Sequence[alt.Chart], data: Mapping[str, Sequence[Row]], canvas: Canvas, height: int, room: Padding
) -> alt.LayerChart:
    """The layers over one plot that fills the canvas but for `room`. `height` is the whole drawing's."""
    chart: Any = alt.LayerChart.__new__(alt.LayerChart)
    # LayerChart's own constructor looks for data and parameters to move out of the layers, and copies each layer deeply
    # twice for that. These have none.
    alt.TopLevelLayerSpec.__init__(
        chart,
        layer=list(layers),
        datasets={name: list(rows) for name, rows in data.items()},
        width=plot_width(canvas, room),
        height=plot_height(height, room),
        padding=room.as_dict(),
    )
    return chart


def plot_width(canvas: Canvas, room: Padding) -> int:
    return max(1, canvas.width - room.left - room.right)


def plot_height(height: int, room: Padding) -> int:
    return max(1, height - room.top - room.bottom)


def number(value: float) -> float | int | None:
    """A value as the spec holds it; None (a gap) where there is none."""
    if not math.isfinite(value):
        return None
    near = float(f"{value:.{DIGITS}g}")
    return int(near) if near.is_integer() and abs(near) < 1e15 else near


def words(labels: Sequence[Sequence[str] | str], values: Sequence[Any], tick: str = "datum.value") -> str:
    """A Vega expression that gives each tick its own label; several lines where a label has several.

    The label is found by the tick's value, never by its place: Vega leaves out a tick that rounding has moved off the
    axis, and all labels after it would stand at the wrong one.
    """
    texts = [
        printable(label) if isinstance(label, str) else [printable(line) for line in label]
        for label in labels
    ]
    return f"{json.dumps(texts, ensure_ascii=False)}[indexof({json.dumps(list(values))},{tick})]"


def to_spec(chart: Chart | Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The Vega-Lite spec of a chart; settings of the chart itself win over `config`."""
    if isinstance(chart, Mapping):
        spec = dict(chart)
        own: Mapping[str, Any] = spec.get("config") or {}
    else:
        spec = _spec_of(chart)
        own = _without_altairs(spec.get("config") or {})
    spec["config"] = merged(config, own)
    spec.setdefault("autosize", {"type": "none"})
    return spec


def _spec_of(chart: Chart) -> dict[str, Any]:
    """Altair's dict of a chart. The named data are plain already, and walking them costs more than all the rest."""
    kwds: Mapping[str, Any] = cast(Any, chart)._kwds
    if isinstance(chart, alt.LayerChart) and not _is_set(kwds.get("data")):
        spec, found = _layers_of(chart)
    else:
        found = {}
        light = cast(Any, chart).copy(deep=False)
        light._kwds.pop("datasets", None)
        spec = light.to_dict(validate=False)
    if isinstance(data := kwds.get("datasets"), Mapping):
        spec["datasets"] = {**data, **found, **spec.get("datasets", {})}
    return spec


def _layers_of(chart: alt.LayerChart) -> tuple[dict[str, Any], dict[str, Any]]:
    """A layered chart's dict without its named data, and the data that its layers brought.

    As its own `to_dict`, but for the copy that this makes first: two deep copies of every layer.
    """
    context: dict[str, Any] = {"datasets": {}, "top_level": False, "pre_transform": False}
    plain: Any = alt.TopLevelLayerSpec
    spec = plain.to_dict(chart, validate=False, ignore=["datasets"], context=context)
    return {"$schema": alt.SCHEMA_URL, **spec}, context["datasets"]


def _is_set(value: Any) -> bool:
    return value is not None and value is not alt.Undefined


def _without_altairs(config: Mapping[str, Any]) -> dict[str, Any]:
    """A chart's own configuration, without the plot size that Altair's default theme adds."""
    view = {
        k: v for k, v in config.get("view", {}).items() if k not in {"continuousWidth", "continuousHeight"}
    }
    return {**config, "view": view} if view else {k: v for k, v in config.items() if k != "view"}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested mappings as one; `over` wins."""
    result: dict[str, Any] = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = (
            merged(cast("dict[str, Any]", below), cast("dict[str, Any]", value))
            if isinstance(below, Mapping) and isinstance(value, Mapping)
            else value
        )
    return result


def vega_config(theme: Theme, canvas: Canvas) -> dict[str, Any]:
    """The theme as Vega-Lite configuration; colours are the light ones, which the page maps to dark ones."""
    light, size = theme.light, canvas.size
    text = {"labelFontSize": size, "labelColor": light.muted}
    return {
        "aria": False,
        "background": canvas.paper if canvas.name == "mail" else None,
        "font": theme.chart_font,
        "view": {"stroke": None},
        "axis": {
            **text,
            "domain": False,
            "ticks": False,
            "grid": False,
            "labelPadding": 8,
            "title": None,
            "titleColor": light.muted,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "gridColor": light.line,
            "gridWidth": 1,
            "tickColor": light.context,
            "domainColor": light.ink,
            "labelLimit": 0,
            "labelLineHeight": canvas.line_height,
        },
        "axisX": {"domain": True, "domainWidth": 1},
        "axisY": {"grid": True, "tickCount": 4},
        "line": {"stroke": light.accent, "strokeWidth": 2.25, "strokeCap": "round", "strokeJoin": "round"},
        "area": {"fill": light.accent},
        "bar": {"fill": light.accent},
        "point": {"filled": True, "fill": light.accent, "opacity": 1},
        "circle": {"fill": light.accent, "opacity": 1},
        "tick": {"opacity": 1},
        "rule": {"stroke": light.ink, "strokeWidth": 1},
        "text": {
            "fontSize": size,
            "fill": light.ink,
            "font": theme.chart_font,
            "lineHeight": canvas.line_height,
        },
        "legend": {
            "orient": "top",
            "title": None,
            "symbolType": "square",
            "labelColor": light.ink,
            "labelFontSize": size,
            "symbolSize": 90,
            "offset": 8,
            "padding": 0,
        },
        "range": {
            "category": list(light.series),
            "ordinal": list(light.heat),
            "ramp": list(light.heat),
            "heatmap": list(light.heat),
        },
    }
