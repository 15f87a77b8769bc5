"""The numbers under a chart, as a table to fold out."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

from kpi_assets.contracts import Cell, Column, Table, Value
from kpi_assets.style.digits import plain_number
from kpi_assets.views.composing import header_of
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.story import Story

MOST_ROWS = 60
MOST_COLUMNS = 8
INDEX_NAMES = {
    "day": "Day",
    "week": "Week from",
    "month": "Month",
    "year": "Year",
    "hour": "Hour",
    "minute": "Time",
}


def numbers_table(story: Story, shown: PlotData) -> Table | None:
    """The values shown; whole windows of a long daily history; the last rows where there are still too many."""
    if shown.empty or story.args.kind == "scatter":
        return None
    weekly = _by_window(story, shown)
    data, caption = weekly or shown, story.measure
    if len(data.wide) > MOST_ROWS:
        total = len(data.wide)
        data = replace(data, wide=data.wide.iloc[-MOST_ROWS:])
        caption = f"{caption}, the last {MOST_ROWS} of {total} rows"
    names = data.series[:MOST_COLUMNS]
    several = len(data.series) > 1
    labels = [data.labels[name] if several else _single_header(data, name) for name in names]
    columns = [Column(label=_index_header(story, data, weekly is not None), header=True)]
    columns += [Column(label=label, align="right") for label in labels]
    grid = data.wide.to_numpy(dtype=float)
    rows = tuple(
        (
            Cell(text=_key(story, data, key), value=_key_value(data, key)),
            *(_cell(story, float(grid[i][c])) for c in range(len(names))),
        )
        for i, key in enumerate(data.wide.index)
    )
    return Table(style="numbers", caption=caption, columns=tuple(columns), rows=rows)


def _by_window(story: Story, shown: PlotData) -> PlotData | None:
    """Sums over windows, newest last, where a history of days would be too long and may be added up."""
    length = story.context.window.length
    daily = shown.index == "time" and shown.step is not None and shown.step.unit == "day"
    if not daily or len(shown.wide) <= 31 or length < 5 or not story.additive:
        return None
    count = (story.end - story.start).days // length
    if count < 3:
        return None
    starts = [story.end - timedelta(days=length * (count - i)) for i in range(count)]
    import pandas as pd

    bins = (pd.DatetimeIndex(shown.wide.index) - pd.Timestamp(starts[0])).days // length
    sums = shown.wide[bins >= 0].groupby(bins[bins >= 0]).sum(min_count=1)
    return replace(shown, wide=sums.reindex(range(count)).set_axis(pd.DatetimeIndex(starts)))


def _index_header(story: Story, data: PlotData, by_window: bool) -> str:
    if data.index != "time":
        return header_of(data.index_name)
    if by_window:
        return "Week from" if story.context.window.length == 7 else f"{story.context.window.length} days from"
    return INDEX_NAMES[data.step.unit] if data.step else "Time"


def _single_header(data: PlotData, name: str) -> str:
    label = data.labels[name]
    return header_of(label) if label == name else label


def _key(story: Story, data: PlotData, key: object) -> str:
    if data.index == "time":
        return story.moment(key.to_pydatetime())  # type: ignore[attr-defined]
    if data.index == "number":
        return story.look.numbers.number(key)
    return str(key)


def _key_value(data: PlotData, key: object) -> Value | None:
    if data.index != "time":
        return plain_number(key) if data.index == "number" else None
    moment: datetime = key.to_pydatetime()  # type: ignore[attr-defined]
    if data.step and data.step.whole_days:
        return moment.date()
    return moment.replace(microsecond=0)  # where an hour that comes twice is marked


def _cell(story: Story, value: float) -> Cell:
    if math.isnan(value):
        return Cell(text=story.look.numbers.missing(), missing=True)
    return Cell(text=story.look.value(value), value=plain_number(value))
