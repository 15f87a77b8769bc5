"""A story as lines or areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from kpi_assets.style.dates import day_text, weekday_name, window_short
from kpi_assets.views.charts.strands import Form, Mark, Scene, Strand, Tint
from kpi_assets.views.plotting.data import PlotData, with_other
from kpi_assets.views.plotting.folds import instant
from kpi_assets.views.plotting.grid import on_grid, positions, rolling_mean, thinned
from kpi_assets.views.plotting.story import Story

if TYPE_CHECKING:
    pass

MOST_SERIES = 6
MOST_QUIET = 40


@dataclass(frozen=True)
class TimeStory:
    """The scene, and the data that it shows, before they were thinned."""

    scene: Scene
    data: PlotData


def time_story(story: Story) -> TimeStory:
    """Lines or areas of the story, over time, numbers or names."""
    data = _limited(story)
    if data.index != "time":
        return TimeStory(_plain_scene(story, data), data)
    whole = data
    data = thinned(on_grid(data, story.start, story.end), means=form_of(story) == "stacked")
    strands = _strands(story, data, positions(data, story))
    start, end = bounds(story, data)
    form = form_of(story)
    if form == "stacked" and len(data.wide) > 1:
        xs = strands[0].xs
        start, end = xs[0], xs[-1]
    tint = None if form == "stacked" else _tint(story)
    scene = Scene(
        form, tuple(strands), start, end, tint=tint, marks=_marks(story, data), before=_before(story)
    )
    if story.args.rolling and form == "line":
        scene = _rolled(story, scene, data)
    return TimeStory(_with_peak(story, scene, data), replace(whole, notes=data.notes))


def empty_scene(story: Story) -> Scene:
    """The window's axis and one sentence."""
    zone = story.context.window.zone
    start, end = instant(story.start, zone), instant(story.end, zone)
    return Scene("line", (), start, end, tint=_tint(story), empty=nothing_sentence(story))


def form_of(story: Story) -> Form:
    """Stacked where it was asked for; an area of one series is filled to its line."""
    args, several = story.args, len(story.data.series) > 1
    if several and (args.stacked or args.kind == "area"):
        return "stacked"
    return "area" if args.kind == "area" or args.stacked else "line"


def _limited(story: Story) -> PlotData:
    """At most six series: a stack adds the rest up as "Other"; lines keep theirs in grey (see `_strands`)."""
    return with_other(story.data, MOST_SERIES) if form_of(story) == "stacked" else story.data


def bounds(story: Story, data: PlotData) -> tuple[datetime, datetime]:
    """The axis: the window or history, wider where a week or month overlaps its ends."""
    zone = story.context.window.zone
    start, end = story.start, story.end
    if data.step and not data.wide.empty:
        start = min(start, data.wide.index[0].to_pydatetime())
        end = max(end, data.step.next(data.wide.index[-1].to_pydatetime()))
    return instant(start, zone), instant(end, zone)


def _strands(story: Story, data: PlotData, xs: tuple[Any, ...]) -> list[Strand]:
    look, form = story.look, form_of(story)
    order = stack_order(data) if form == "stacked" else data.series
    loud = loud_series(story, data) if form != "stacked" else set(order)
    order = [*[n for n in order if n not in loud][:MOST_QUIET], *[n for n in order if n in loud]]
    several = len(data.series) > 1
    rank = {name: i for i, name in enumerate(name for name in data.series if name in loud)}
    strands: list[Strand] = []
    for name in order:
        ys = tuple(float(v) for v in data.values(name))
        quiet = name not in loud
        color = look.light.context if quiet or data.is_other(name) else _color(story, name, rank[name])
        last = next((y for y in reversed(ys) if not math.isnan(y)), math.nan)
        value = "" if quiet or math.isnan(last) else look.value(last)
        label = data.labels[name] if several else ""
        strands.append(Strand(name, label, color, xs, ys, value, quiet))
    return strands


def _color(story: Story, name: str, rank: int) -> str:
    highlight = story.args.highlight
    if highlight and highlight in story.data.series and form_of(story) != "stacked":
        return story.look.light.accent if name == highlight else story.look.light.context
    return story.look.color(rank, name)


def stack_order(data: PlotData) -> list[str]:
    """Largest band at the bottom, "Other" on top; ties by name, so that editions agree."""
    totals = data.wide.abs().sum()
    last = data.other or None
    named = [name for name in data.series if name != last]
    ordered = sorted(named, key=lambda name: (-float(totals[name]), name))
    return [*ordered, last] if last else ordered


def loud_series(story: Story, data: PlotData) -> set[str]:
    """The series that are coloured and named: all up to six, else the five largest."""
    if len(data.series) <= MOST_SERIES:
        return set(data.series)
    totals = data.wide.abs().mean().sort_values(ascending=False, kind="stable")
    top = list(totals.index[: MOST_SERIES - 1])
    if story.args.highlight in data.series and story.args.highlight not in top:
        top[-1] = story.args.highlight
    return set(top)


def _plain_scene(story: Story, data: PlotData) -> Scene:
    """Over numbers or names."""
    names: tuple[str, ...] = ()
    if data.index == "text":
        names = tuple(str(name) for name in data.wide.index)
        xs: tuple[Any, ...] = tuple(float(i) for i in range(len(names)))
        start, end = 0.0, float(max(len(names) - 1, 1))
    else:
        xs = tuple(float(v) for v in data.wide.index)
        start, end = (xs[0], xs[-1]) if xs else (0.0, 1.0)
    return Scene(form_of(story), tuple(_strands(story, data, xs)), start, end, names=names)


def nothing_sentence(story: Story) -> str:
    """`No sign-ups in this window.`; rows that hold no value are something else than no rows."""
    from kpi_assets.views.findings import inside

    if len(story.full.wide) or story.subject.lower().startswith("no "):
        return "No values in this window."
    return f"No {inside(story.subject)} in this window."


def _tint(story: Story) -> Tint | None:
    if not story.args.history or story.window == (story.start, story.end):
        return None
    zone = story.context.window.zone
    start, end = story.window
    return Tint(instant(start, zone), instant(end, zone), window_short(story.context.window, story.locale))


def _before(story: Story) -> Strand | None:
    """The only series' previous window, moved onto this one."""
    before = story.before
    if before is None or before.index != "time" or len(before.series) != 1 or len(story.data.series) != 1:
        return None
    shift = story.context.window.shift
    start, end = story.window
    data = on_grid(before, start - shift, end - shift)
    if data.empty:
        return None
    moved = replace(data, wide=data.wide.set_axis(data.wide.index + shift))
    name = data.series[0]
    return Strand(
        name, "", story.look.light.context, positions(moved, story), tuple(map(float, moved.values(name)))
    )


def _rolled(story: Story, scene: Scene, data: PlotData) -> Scene:
    """Single values as dots, their mean as the line."""
    days, look = story.args.rolling or 1, story.look
    name = data.series[0]
    full = on_grid(story.full, story.full.wide.index[0].to_pydatetime(), story.end)
    mean = rolling_mean(full.wide[name], days).reindex(data.wide.index)
    known = mean.dropna()
    if known.empty or len(data.series) > 1 or data.step is None or data.step.unit != "day":
        return scene
    value = f"{look.mean(float(known.iloc[-1]))} {story.per}".strip()
    raw = scene.strands[0]
    line = Strand(name, "", raw.color, raw.xs, tuple(float(v) for v in mean), value)
    return replace(scene, strands=(line,), dots=raw, caption=f"{days}-day mean", smooth=True)


def _marks(story: Story, data: PlotData) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for alarm, group in ((True, story.args.incidents), (False, story.args.annotations)):
        for item in group:
            at = item.at if isinstance(item.at, datetime) else datetime.combine(item.at, time())
            wall = at.replace(tzinfo=None) if at.tzinfo is None else _local(at, story)
            if not story.start <= wall < story.end:
                continue
            label = item.label or day_text(wall.date(), story.locale)
            marks.append(_mark_at(wall, data, story, Mark(None, math.nan, label, item.note, True, alarm)))
    return tuple(marks)


def _local(at: datetime, story: Story) -> datetime:
    return at.astimezone(story.context.window.starts_at.tzinfo).replace(tzinfo=None)


def _mark_at(wall: datetime, data: PlotData, story: Story, mark: Mark) -> Mark:
    """The mark on the first series' value at that moment, or on the axis where there is none."""
    zone, step = story.context.window.zone, data.step
    begin = step.floor(wall) if step else wall
    value = math.nan
    if len(data.series) == 1 and begin in data.wide.index:
        value = float(data.wide.loc[begin].iloc[0])  # pyright: ignore[reportArgumentType]
    at = instant(begin, zone)
    if step:
        at += (instant(step.next(begin), zone) - at) / 2
    return replace(mark, at=at, value=value)


def _with_peak(story: Story, scene: Scene, data: PlotData) -> Scene:
    """Names the highest value of a single series, where it lies in the window and is not the last one."""
    raw = scene.dots or (scene.strands[0] if len(scene.strands) == 1 else None)
    if raw is None or data.empty or not isinstance(data.wide.index[0].to_pydatetime(), datetime):
        return scene
    present = [i for i, y in enumerate(raw.ys) if not math.isnan(y)]
    if len(present) < 4:
        return scene
    top = max(present, key=lambda i: (raw.ys[i], -i))
    wall = data.wide.index[top].to_pydatetime()
    begin, end = story.window
    if not begin <= wall < end or (top == present[-1] and scene.dots is None) or _is_flat(raw, present):
        return scene
    short = story.context.window.length <= 7 and data.step is not None and data.step.unit == "day"
    name = weekday_name(wall.date(), story.locale, short=False) if short else story.moment(wall)
    mark = Mark(raw.xs[top], raw.ys[top], f"{name} {story.look.value(raw.ys[top])}")
    return replace(scene, marks=(*scene.marks, mark))


def _is_flat(strand: Strand, present: Sequence[int]) -> bool:
    values = [strand.ys[i] for i in present]
    return max(values) == min(values)
