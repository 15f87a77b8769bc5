"""One of several small charts on a common scale: line over a light area, end value, first and last label only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import altair as alt

from kpi_assets.views.charts.across import stamp
from kpi_assets.views.charts.canvas import Canvas, Padding
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
)
from kpi_assets.views.charts.text import text_width, widest
from kpi_assets.views.charts.ticks import value_axis

HEIGHT = 164


@dataclass(frozen=True)
class Frame:
    """What panels share: positions, bounds of the values, labels of both ends, and all end values, for equal widths."""

    xs: Sequence[Any]
    low: float
    high: float
    first: str
    last: str
    ends: tuple[str, ...]


def panel(frame: Frame, values: Sequence[float], color: str, *, look: Look, canvas: Canvas) -> alt.LayerChart:
    """One series, drawn for one canvas."""
    size = canvas.size - 1
    last = next((i for i in range(len(values) - 1, -1, -1) if not math.isnan(values[i])), None)
    end = look.value(values[last]) if last is not None else ""
    room = Padding(2, widest(frame.ends, size + 2, bold=True) + 12, 10, canvas.line_height + 8)
    height = look.height or HEIGHT
    width, tall = plot_width(canvas, room), plot_height(height, room)
    axis = value_axis(frame.low, frame.high, zero=True)
    x: Channels = _x(frame)
    y: Channels = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [number(axis.low), number(axis.high)], "nice": False},
        "axis": {"values": [number(t) for t in axis.ticks], "labels": False, "grid": look.strokes.grid},
    }
    rows: list[Row] = [{"x": _value(x_), "y": number(v)} for x_, v in zip(frame.xs, values, strict=True)]
    data: dict[str, list[Row]] = {"values": rows, "words": []}
    channels = {"x": x, "y": y}
    layers = [
        layer("values", "area", channels, fill=color, opacity=0.14, line=False),
        layer("values", "line", channels, stroke=color, strokeWidth=2),
    ]

    def py_value(py: float) -> float | int | None:
        return number(axis.high - py / tall * (axis.high - axis.low))

    ink, muted = look.light.ink, look.light.muted
    if last is not None:
        data["end"] = [rows[last]]
        layers.append(layer("end", "point", channels, filled=True, size=40, fill=color, opacity=1))
        share = _share(frame, last)
        at: Row = {"x": share * width + 8, "y": rows[last]["y"]}
        data["words"].append({**at, **Words(end, "", "left", bold=True).as_row(ink)})
    below = py_value(tall + 8 + size / 2)
    data["words"].append({"x": 0, "y": below, **Words(frame.first, muted).as_row(ink)})
    if len(frame.xs) > 1 and text_width(frame.first, size) + text_width(frame.last, size) + 8 < width:
        data["words"].append({"x": width, "y": below, **Words(frame.last, muted, "right").as_row(ink)})
    layers.append(texts("words", None, {"field": "y", "type": "quantitative"}))
    return assemble(layers, data, canvas, height, room)


def _share(frame: Frame, position: int) -> float:
    if len(frame.xs) < 2:
        return 0.5
    span = frame.xs[-1] - frame.xs[0]
    return (frame.xs[position] - frame.xs[0]) / span if span else 0.5


def _value(x: Any) -> Any:
    return stamp(x) if isinstance(x, datetime) else number(x)


def _x(frame: Frame) -> Channels:
    time = bool(frame.xs) and isinstance(frame.xs[0], datetime)
    ends = [_value(frame.xs[0]), _value(frame.xs[-1])] if frame.xs else [0, 1]
    scale: Channels = {"domain": ends, "nice": False}
    scale |= {"type": "utc"} if time else {"zero": False}
    return {
        "field": "x",
        "type": "temporal" if time else "quantitative",
        "scale": scale,
        "axis": {"labels": False, "values": []},
    }
