"""A story as small multiples: one chart per series, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kpi_assets.contracts import Panel, Panels
from kpi_assets.views.charts.canvas import PANEL_GAP, PANEL_GAP_PHONE
from kpi_assets.views.charts.panel import Frame, panel
from kpi_assets.views.charts.picture import draw
from kpi_assets.views.charts.sheet import Chart, merged
from kpi_assets.views.plotting.data import PlotData, with_other
from kpi_assets.views.plotting.grid import on_grid, positions
from kpi_assets.views.plotting.rc import read_rc
from kpi_assets.views.plotting.story import Story

MOST_PANELS = 12
ACROSS = 4
CONTENT = {"mid": 652, "phone": 358}


def panels(story: Story, hook: Callable[[Chart], Chart]) -> Panels:
    """One panel per series, the largest first."""
    data = with_other(story.data, MOST_PANELS)
    if data.index == "time":
        data = on_grid(data, story.start, story.end)
    frame = _frame(story, data)
    totals = data.wide.abs().sum()
    order = sorted(data.series, key=lambda name: (-float(totals[name]), name))
    config = merged(read_rc(story.args.plot_rc).config, story.args.vega_config)
    found: list[Panel] = []
    for name in order:
        rank = data.series.index(name)
        values = tuple(float(v) for v in data.values(name))
        color = story.look.color(rank, name)
        note = panel_note(story, values)
        picture = draw(
            lambda canvas, values=values, color=color: hook(
                panel(frame, values, color, look=story.look, canvas=canvas)
            ),
            story.context,
            f"{data.labels[name]}: {note}. {story.measure}, {story.days}.",
            name=f"panel-{rank + 1}",
            title=data.labels[name],
            vega_config=config,
            widths=panel_widths(story, len(order)),
            mail_width=268,
        )
        found.append(Panel(name=data.labels[name], note=note, series=rank, picture=picture))
    return Panels(panels=tuple(found))


def _frame(story: Story, data: PlotData) -> Frame:
    """What all panels share: their scale, and the first and last label."""
    known = [v for name in data.series for v in map(float, data.values(name)) if not math.isnan(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if data.index == "time":
        ends = [story.moment(data.wide.index[i].to_pydatetime()) for i in (0, -1)]
        xs: tuple[Any, ...] = positions(data, story)
    elif data.index == "number":
        ends = [story.look.numbers.number(data.wide.index[i]) for i in (0, -1)]
        xs = tuple(float(v) for v in data.wide.index)
    else:
        ends = [str(data.wide.index[i]) for i in (0, -1)]
        xs = tuple(float(i) for i in range(len(data.wide)))
    last = [next((v for v in reversed(data.values(name)) if not math.isnan(v)), None) for name in data.series]
    texts = tuple(story.look.value(float(v)) for v in last if v is not None)
    return Frame(xs, low, high, ends[0], ends[1], texts)


def panel_widths(story: Story, count: int) -> list[tuple[str, int]]:
    """Widths of one panel: as many stand side by side as the page sets, up to four, two on a phone."""
    across = min(count, ACROSS)
    wide = (story.context.width - PANEL_GAP * (across - 1)) // across
    mid = (CONTENT["mid"] - PANEL_GAP * (across - 1)) // across
    phone = (CONTENT["phone"] - PANEL_GAP_PHONE) // 2
    found = [("wide", wide)]
    for name, width in (("mid", mid), ("phone", phone)):
        if all(abs(width - other) / width >= 0.15 for _, other in found):
            found.append((name, width))
    return found


def panel_note(story: Story, values: tuple[float, ...]) -> str:
    """One sentence of numbers: `19 to 34 a week`, `41 to 43, flat`, `8, after a peak of 21`."""
    known = [v for v in values if not math.isnan(v)]
    show, per = story.look.value, f" {story.per}" if story.per else ""
    if not known:
        return "no values"
    first, last, top = known[0], known[-1], max(known)
    if len(known) == 1:
        return f"{show(last)}{per}"
    if top > 1.5 * max(abs(first), abs(last)) and top > 0:
        return f"{show(last)}, after a peak of {show(top)}"
    if show(first) == show(last) or abs(last - first) <= 0.05 * max(abs(first), abs(last)):
        return (
            f"{show(first)} to {show(last)}{per}, flat"
            if show(first) != show(last)
            else f"{show(last)}{per}, flat"
        )
    return f"{show(first)} to {show(last)}{per}"
