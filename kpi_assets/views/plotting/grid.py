"""Time series on their steps: gaps made visible, long ones thinned, means over days."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.folds import existing, instant
from kpi_assets.views.plotting.story import Story

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.views.charts.steps import Step

MOST_POINTS = 2500
BUCKETS = 600


def on_grid(data: PlotData, start: datetime, end: datetime) -> PlotData:
    """The series with a gap at each step of the span that has no row."""
    if data.step is None or data.wide.empty:
        return data
    import pandas as pd

    if data.step.how_many(start, end) > 20 * len(data.wide) + 1000:
        return replace(data, step=None)
    begin = min(start, data.wide.index[0].to_pydatetime())
    # A month of which the span holds only the end has no row that could have been asked for: it is no gap.
    steps = pd.DatetimeIndex([at for at in data.step.between(begin, end) if at >= begin])
    grid = data.wide.index.union(steps if data.step.whole_days else existing(steps, data.zone))
    return replace(data, wide=data.wide.reindex(grid)) if len(grid) > len(data.wide) else data


def thinned(data: PlotData, *, means: bool) -> PlotData:
    """Long series as what a screen can show: per pixel's width the lowest and highest value, or the mean in stacks.

    A stretch without values stays one.
    """
    import numpy as np

    wide = data.wide
    if len(wide) <= MOST_POINTS:
        return data
    bins = np.arange(len(wide)) * BUCKETS // len(wide)
    if means:
        first = np.flatnonzero(np.diff(bins, prepend=-1))
        rows = wide.groupby(bins).mean().set_axis(wide.index[first])
        return replace(data, wide=rows, notes=(*data.notes, f"Means of {len(wide)} times are drawn."))
    keep = {0, len(wide) - 1}
    for name in wide.columns:
        values = wide[name].reset_index(drop=True)
        parts = values.groupby(bins)
        for chosen in (parts.idxmin(), parts.idxmax()):
            keep.update(int(i) for i in chosen.dropna())
        holes = parts.count()
        keep.update(int(np.searchsorted(bins, empty)) for empty in holes.index[holes == 0])
    rows = wide.iloc[sorted(keep)]
    note = f"Of {len(wide)} times, the lowest and highest of each pixel are drawn."
    return replace(data, wide=rows, notes=(*data.notes, note))


def positions(data: PlotData, story: Story) -> tuple[Any, ...]:
    """Where values stand: in the middle of the step that they stand for, as instants."""
    zone, step = story.context.window.zone, data.step
    found: list[datetime] = []
    for moment in data.wide.index:
        wall = moment.to_pydatetime()
        at = instant(wall, zone)
        found.append(at + _length(step, wall, zone) / 2 if step else at)
    return tuple(found)


def _length(step: Step, wall: datetime, zone: str) -> timedelta:
    """How long a step lasts; an hour is an hour, also where the clocks show it twice or skip the next."""
    after = step.next(wall)
    length = instant(after, zone) - instant(wall, zone)
    return length if step.whole_days else min(length, after - wall.replace(microsecond=0))


def rolling_mean(series: pd.Series[Any], days: int) -> pd.Series[Any]:
    """Mean over `days` steps: from the first full stretch on, over what is there; a gap where the day is missing."""
    mean = series.rolling(days, min_periods=days // 2 + 1).mean()
    first = series.first_valid_index()
    begin = int(series.index.searchsorted(first))  # pyright: ignore[reportArgumentType]
    mean.iloc[: begin + days - 1] = math.nan
    return mean.where(series.notna())
