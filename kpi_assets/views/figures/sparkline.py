"""The small line under a key figure: grey past, blue last step with a dot at its end. No axes, its own scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Picture, RenderContext
from kpi_assets.views.figures.history import History

if TYPE_CHECKING:
    from kpi_assets.views.charts.canvas import Canvas
    from kpi_assets.views.charts.sheet import Chart

WIDTH, HEIGHT, ROOM = 216, 40, 5


def sparkline(context: RenderContext, past: History, name: str, alt: str) -> Picture | None:
    """The drawing, or None where fewer than two points are known."""
    if sum(value is not None for value in past) < 2:
        return None
    from kpi_assets.views.charts.picture import draw

    def chart(canvas: Canvas) -> Chart:
        return _chart(past, context, canvas)

    # Drawn on nothing: its two colours hold on light and dark paper alike.
    return draw(
        chart,
        context,
        alt,
        name=name,
        vega_config={"background": None},
        widths=(("wide", WIDTH),),
        mail_width=WIDTH,
    )


def _chart(past: History, context: RenderContext, canvas: Canvas) -> Chart:
    from kpi_assets.views.charts.canvas import Padding
    from kpi_assets.views.charts.sheet import assemble, layer, number

    light = context.theme.light
    rows: list[dict[str, Any]] = [
        {"i": i, "v": number(math.nan if value is None else value)} for i, value in enumerate(past)
    ]
    channels = _channels([value for value in past if value is not None], len(past))
    stroke = {"strokeCap": "round", "strokeJoin": "round", "interpolate": "linear"}
    layers = [
        layer("past", "line", channels, stroke=light.context, strokeWidth=1.75, **stroke),
        layer("step", "line", channels, stroke=light.accent, strokeWidth=2, **stroke),
        layer("now", "circle", channels, size=44, fill=light.accent, opacity=1),
    ]
    now = rows[-1:] if rows[-1]["v"] is not None else []
    step = rows[-2:] if now and rows[-2]["v"] is not None else []
    data = {"past": rows, "step": step, "now": now}
    return assemble(layers, data, canvas, HEIGHT, Padding(ROOM, ROOM, ROOM, ROOM))


def _channels(known: list[float], count: int) -> dict[str, Any]:
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1
    return {
        "x": {
            "field": "i",
            "type": "quantitative",
            "scale": {"domain": [0, count - 1], "nice": False, "zero": False},
            "axis": None,
        },
        "y": {
            "field": "v",
            "type": "quantitative",
            "scale": {"domain": [low, high], "nice": False, "zero": False},
            "axis": None,
        },
    }
