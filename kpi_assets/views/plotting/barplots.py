"""A story as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from kpi_assets.style.dates import day_text, earlier_words, month_text, weekday_name
from kpi_assets.views.charts.bars_scene import Arrangement, Bars, BarScene, Category
from kpi_assets.views.plotting.data import PlotData, with_other
from kpi_assets.views.plotting.folds import is_again
from kpi_assets.views.plotting.grid import on_grid
from kpi_assets.views.plotting.story import Story
from kpi_assets.views.plotting.timelines import MOST_SERIES, nothing_sentence, stack_order

MOST_BARS = 400
MOST_NAMES = 24
LONG = 45
"""Days from which on months are marked, not weeks."""


@dataclass(frozen=True)
class BarStory:
    """The scene, and the data that it shows."""

    scene: BarScene
    data: PlotData


def too_many(story: Story) -> bool:
    """Would bars be thinner than two pixels, or stand at no rhythm?"""
    data = story.data
    if data.index != "time":
        return False
    if data.step is None:
        return len(data.wide) > 60
    return data.step.how_many(story.start, story.end) > MOST_BARS


def bar_scene(story: Story, subjects: frozenset[int] = frozenset()) -> BarStory:
    """Bars of the story: one place per step of the window, or per name."""
    data = with_other(story.data, MOST_SERIES)
    data = on_grid(data, story.start, story.end) if data.index == "time" else _fewer_names(story, data)
    keys = [str(key) for key in data.wide.index]
    categories = tuple(_category(story, data, i, key) for i, key in enumerate(keys))
    arrangement = arrangement_of(story, data)
    order = stack_order(data) if arrangement == "stacked" else data.series
    rank = {name: i for i, name in enumerate(data.series)}
    series = tuple(
        Bars(
            name,
            data.labels[name],
            _color(story, data, name, rank[name]),
            tuple(map(float, data.values(name))),
        )
        for name in order
    )
    before = _before(story, data)
    scene = BarScene(
        categories,
        series,
        arrangement,
        before=before,
        before_label=earlier_words(story.context.window).removeprefix("the ") if before else "",
        changes=_changes(story, data, before),
        subjects=_subjects(story, data, subjects),
        past=_past(story, data),
        labels=story.args.bar_labels,
        empty=nothing_sentence(story) if data.empty else "",
    )
    return BarStory(scene, data)


def arrangement_of(story: Story, data: PlotData) -> Arrangement:
    if len(data.series) == 1:
        return "single"
    return "stacked" if story.args.stacked else "grouped"


def _color(story: Story, data: PlotData, name: str, rank: int) -> str:
    return story.look.light.context if data.is_other(name) else story.look.color(rank, name)


def _fewer_names(story: Story, data: PlotData) -> PlotData:
    """At most 24 names: the largest stay in their order, the rest is added up where it may be, else left out."""
    if len(data.wide) <= MOST_NAMES:
        return data
    totals = data.wide.abs().sum(axis=1).sort_values(ascending=False, kind="stable")
    top = set(totals.index[: MOST_NAMES - 1])
    kept = data.wide[[key in top for key in data.wide.index]]
    rest = data.wide[[key not in top for key in data.wide.index]]
    if story.additive and data.index == "text":
        import pandas as pd

        name = f"{len(rest)} others"
        others = pd.DataFrame([rest.sum(min_count=1)], index=pd.Index([name]))
        return replace(data, wide=pd.concat([kept, others]), other_row=True)
    note = f"Shown are the {len(kept)} largest of {len(data.wide)}."
    return replace(data, wide=kept, notes=(*data.notes, note))


def _category(story: Story, data: PlotData, position: int, key: str) -> Category:
    if data.index != "time":
        text = key if data.index == "text" else story.look.numbers.number(data.wide.index[position])
        return Category(key, (text,))
    wall: datetime = data.wide.index[position].to_pydatetime()
    previous = data.wide.index[position - 1].to_pydatetime() if position else None
    lines, mark = _time_label(story, data, wall, previous)
    name = wall.isoformat(timespec="auto" if is_again(wall) else "minutes")
    return Category(name.removesuffix("T00:00"), lines, mark=mark)


Label = tuple[tuple[str, ...], bool]
"""The lines of a step's label, and whether it stays where only some have room."""


def _time_label(story: Story, data: PlotData, wall: datetime, previous: datetime | None) -> Label:
    unit, locale, day = data.step.unit if data.step else "", story.locale, wall.date()
    if unit == "year":
        return (str(wall.year),), True
    if unit == "month":
        named = previous is not None and previous.year != wall.year
        return ((month_text(day, locale), str(wall.year)) if named else (month_text(day, locale),)), True
    if unit == "week":
        return (day_text(day, locale),), True
    return _day_label(story, day) if unit == "day" else _hour_label(story, wall, previous)


def _day_label(story: Story, day: date) -> Label:
    """Weekdays in a week, Mondays in a month, months beyond."""
    length = story.end - story.start
    if length <= timedelta(days=7):
        return (weekday_name(day, story.locale),), True
    if length <= timedelta(days=LONG):
        return (day_text(day, story.locale),), day.weekday() == 0
    first = day.day == 1
    return ((month_text(day, story.locale) if first else day_text(day, story.locale)),), first


def _hour_label(story: Story, wall: datetime, previous: datetime | None) -> Label:
    clock = f"{wall:%H:%M}"
    if previous is not None and previous.date() == wall.date():
        return (clock,), wall.hour % 6 == 0 and wall.minute == 0
    many = story.end - story.start > timedelta(days=1)
    return ((clock, day_text(wall.date(), story.locale)) if many else (clock,)), True


def _before(story: Story, data: PlotData) -> tuple[float, ...]:
    """Values of the previous window: by position in time, by name else. Of several stacked series, their sum."""
    before = story.before
    if before is None or before.empty or (len(data.series) > 1 and not story.args.stacked):
        return ()
    totals: Any = before.wide.sum(axis=1, min_count=1)
    if data.index == "time":
        shift = story.context.window.shift
        lookup = {key.to_pydatetime() + shift: float(v) for key, v in totals.items()}
        return tuple(lookup.get(key.to_pydatetime(), math.nan) for key in data.wide.index)
    lookup = {str(key): float(v) for key, v in totals.items()}
    return tuple(lookup.get(str(key), math.nan) for key in data.wide.index)


def _changes(story: Story, data: PlotData, before: Sequence[float]) -> tuple[str, ...]:
    if not before or len(data.series) > 1:
        return ()
    kind = "points" if story.look.percent else "percent"
    now = data.values(data.series[0])
    return tuple(
        story.look.numbers.change(
            float(n),
            b,
            kind,
            precision=1 if story.look.percent else 0,
            unit=story.look.unit,
            format=story.look.format,
        ).text
        for n, b in zip(now, before, strict=True)
    )


def _subjects(story: Story, data: PlotData, found: frozenset[int]) -> frozenset[int]:
    highlight = story.args.highlight
    if highlight is None:
        return found
    names = [str(key) for key in data.wide.index]
    return frozenset(i for i, name in enumerate(names) if highlight in {name, name.removesuffix(" 00:00:00")})


def _past(story: Story, data: PlotData) -> frozenset[int]:
    """Bars of the history before the window."""
    if not story.args.history or data.index != "time" or len(data.series) > 1:
        return frozenset()
    begin = story.window[0]
    step = data.step
    past = [
        i
        for i, key in enumerate(data.wide.index)
        if (step.next(key.to_pydatetime()) if step else key) <= begin
    ]
    return frozenset(past) if len(past) < len(data.wide) else frozenset()
