"""A story as small multiples: one chart per series, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kpi_assets.contracts import Panel, Panels
from kpi_assets.views import findings
from kpi_assets.views.charts.canvas import PANEL_GAP, PANEL_GAP_PHONE
from kpi_assets.views.charts.panel import Frame, panel
from kpi_assets.views.charts.picture import draw
from kpi_assets.views.charts.sheet import Chart, merged
from kpi_assets.views.plotting.data import PlotData, with_other
from kpi_assets.views.plotting.grid import on_grid, positions
from kpi_assets.views.plotting.rc import read_rc
from kpi_assets.views.plotting.story import Story
from kpi_assets.views.plotting.telling import at_work, slow
from kpi_assets.views.plotting.timelines import loud_series

MOST_PANELS = 12
ACROSS = 4
NARROWEST = 140
"""CSS pixels below which a panel is all label."""
QUIET = 10_000
"""A place beyond every palette, for series in grey."""
CONTENT = {"mid": 652, "phone": 358}


def panels(story: Story, hook: Callable[[Chart], Chart]) -> Panels:
    """One panel per series, the largest first."""
    data = with_other(story.data, MOST_PANELS)
    if data.index == "time":
        data = on_grid(data, story.start, story.end)
    frame = _frame(story, data)
    totals = data.wide.abs().sum()
    order = sorted(data.series, key=lambda name: (-float(totals[name]), name))
    colors = _colors(story, data)
    config = merged(read_rc(story.args.plot_rc).config, story.args.vega_config)
    found: list[Panel] = []
    for name in order:
        rank = data.series.index(name)
        values = tuple(float(v) for v in data.values(name))
        color = colors[name]
        note = panel_note(story, data, values)
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
        palette = story.look.light.series
        key = "" if color in palette else color
        place = palette.index(color) if color in palette else rank
        found.append(Panel(name=data.labels[name], note=note, series=place, color=key, picture=picture))
    return Panels(panels=tuple(found), across=panels_across(story, len(order)))


def _colors(story: Story, data: PlotData) -> dict[str, str]:
    """As in a chart with all of them: colours for up to six, else for the largest; the others are grey."""
    loud = loud_series(story, data)
    ranks = {name: i for i, name in enumerate(name for name in data.series if name in loud)}
    return {name: story.look.color(ranks.get(name, QUIET), name) for name in data.series}


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


def panels_across(story: Story, count: int) -> int:
    """How many panels stand side by side: up to four that are not too narrow, in rows as even as can be."""
    fitting = (story.context.width + PANEL_GAP) // (NARROWEST + PANEL_GAP)
    return -(-count // -(-count // max(1, min(ACROSS, fitting))))


def panel_widths(story: Story, count: int) -> list[tuple[str, int]]:
    """Widths of one panel: as many stand side by side as the page sets, up to four, two on a phone."""
    across = panels_across(story, count)
    wide = (story.context.width - PANEL_GAP * (across - 1)) // across
    mid = (CONTENT["mid"] - PANEL_GAP * (across - 1)) // across
    phone = (CONTENT["phone"] - PANEL_GAP_PHONE) // 2
    found = [("wide", wide)]
    for name, width in (("mid", mid), ("phone", phone)):
        if all(abs(width - other) / width >= 0.15 for _, other in found):
            found.append((name, width))
    return found


def panel_note(story: Story, data: PlotData, values: tuple[float, ...]) -> str:
    """One sentence of numbers: `19 to 34 a week`, `41 to 43, flat`, `8, after a peak of 21`, `67 a day on average`."""
    known = [v for v in values if not math.isnan(v)]
    show, per = story.look.value, f" {story.per}" if story.per else ""
    if not known:
        return "no values"
    first, last, top = known[0], known[-1], max(known)
    if len(known) == 1:
        return f"{show(last)}{per}"
    if data.index == "time" and not slow(data) and len(known) > 3:
        return _note_of_days(story, data, values)
    if top > 1.5 * max(abs(first), abs(last)) and top > 0:
        return f"{show(last)}, after a peak of {show(top)}"
    return _from_to(show(first), show(last), per, flat=_flat(first, last, 0.05))


def _note_of_days(story: Story, data: PlotData, values: tuple[float, ...]) -> str:
    """Single days scatter: their trend in the numbers of the finding, else their mean."""
    show, per = story.look.said_mean, f" {story.per}" if story.per else ""
    moved = findings.shift(values, at_work=at_work(data))
    if moved is None:
        known = [v for v in values if not math.isnan(v)]
        return f"{show(sum(known) / len(known))}{per} on average"
    before, now = moved
    return _from_to(show(before), show(now), per, flat=_flat(before, now, findings.NOTICEABLE))


def _flat(first: float, last: float, share: float) -> bool:
    return abs(last - first) <= share * max(abs(first), abs(last))


def _from_to(first: str, last: str, per: str, *, flat: bool) -> str:
    if first == last:
        return f"{last}{per}, flat"
    return f"{first} to {last}{per}{', flat' if flat else ''}"
