"""The timeline: a strip per alert over the window's days, with the spans in which it fired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kpi_assets.contracts import Picture, RenderContext
from kpi_assets.views.alerts.firings import Alert
from kpi_assets.views.charts.across import stamp
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.picture import draw
from kpi_assets.views.charts.sheet import Row, assemble, layer, plot_width, texts, words
from kpi_assets.views.charts.text import shorten
from kpi_assets.views.charts.ticks import Calendar, TimeTick, time_ticks

if TYPE_CHECKING:
    from kpi_assets.views.charts.sheet import Chart

MOST_STRIPS = 12
GAP = 10
LEAST = 2
"""CSS pixels of the shortest span, so that it is seen."""


def picture(alerts: Sequence[Alert], context: RenderContext, height: int, alt: str) -> Picture:
    """The picture of the first twelve alerts; strips are `height` CSS pixels tall."""
    shown = tuple(alerts[:MOST_STRIPS])
    return draw(
        lambda canvas: _chart(shown, context, height, canvas),
        context,
        alt,
        name="timeline",
        title="Alert timeline",
    )


def _chart(alerts: Sequence[Alert], context: RenderContext, height: int, canvas: Canvas) -> Chart:
    pitch = canvas.line_height + height + GAP
    room = Padding(left=1, right=1, top=2, bottom=2 * canvas.line_height + 12)
    tall = pitch * len(alerts)
    width = plot_width(canvas, room)
    light = context.theme.light
    start, end = context.window.starts_at, context.window.ends_at
    x = {"field": "x", "type": "temporal"}
    y = {"field": "y", "type": "quantitative"}
    ground, fired, named = _rows(alerts, context, canvas, (pitch, height, width))
    scaled = {
        **x,
        "scale": {"type": "utc", "domain": [stamp(start), stamp(end)]},
        "axis": _axis(context, canvas, width),
    }
    layers = [
        layer(
            "ground",
            "rect",
            {
                "x": scaled,
                "x2": {"field": "x2"},
                "y": {**y, "scale": {"domain": [tall, 0], "nice": False}, "axis": None},
                "y2": {"field": "y2"},
            },
            fill=light.line,
        ),
        layer(
            "fired", "rect", {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}, fill=light.error
        ),
        texts("names", None, y),
    ]
    data = {"ground": ground, "fired": fired, "names": named}
    return assemble(layers, data, canvas, height=tall + room.top + room.bottom, room=room)


def _rows(
    alerts: Sequence[Alert], context: RenderContext, canvas: Canvas, sizes: tuple[int, int, int]
) -> tuple[list[Row], list[Row], list[Row]]:
    """The strips, the spans on them, and the names above them."""
    pitch, height, width = sizes
    start, end = context.window.starts_at, context.window.ends_at
    least = timedelta(seconds=(end - start).total_seconds() * LEAST / width)
    ground: list[Row] = []
    fired: list[Row] = []
    named: list[Row] = []
    for place, alert in enumerate(alerts):
        top = place * pitch + canvas.line_height
        strip = {"y": top, "y2": top + height}
        ground.append({"x": stamp(start), "x2": stamp(end), **strip})
        fired += [_span(span.start, span.end, least, end) | strip for span in alert.spans]
        name = shorten(alert.name, width, canvas.size)
        look = {"color": context.theme.light.ink, "align": "left", "weight": 400}
        named.append({"text": name, "x": 0, "y": top - canvas.line_height / 2 - 1, **look})
    return ground, fired, named


def _span(start: datetime, end: datetime, least: timedelta, last: datetime) -> Row:
    end = max(end, start + least)
    late = max(end - last, timedelta(0))
    return {"x": stamp(start - late), "x2": stamp(end - late)}


def _axis(context: RenderContext, canvas: Canvas, width: int) -> Row:
    calendar = Calendar(context.window.zone, context.numbers.locale)
    start, end = context.window.starts_at, context.window.ends_at
    ticks: tuple[TimeTick, ...] = time_ticks(start, end, calendar, width=width, size=canvas.size)
    moments = [round(tick.at.timestamp() * 1000) for tick in ticks]
    centred = bool(ticks) and ticks[0].align == "center"
    return {
        "values": [stamp(tick.at) for tick in ticks],
        "labelExpr": words([tick.lines for tick in ticks], moments, "time(datum.value)"),
        "labelAlign": "center" if centred else "left",
        "labelFlush": False,
        "ticks": not centred,
    }
