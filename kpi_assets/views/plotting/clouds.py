"""A story as points."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from kpi_assets.views.charts.scatter import Cloud
from kpi_assets.views.charts.strands import Strand
from kpi_assets.views.composing import header_of
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.folds import instant, instants
from kpi_assets.views.plotting.story import Story
from kpi_assets.views.plotting.timelines import MOST_SERIES, nothing_sentence

MOST_POINTS = 2000
CELLS = ((320, 120), (160, 80), (100, 50), (60, 30))
"""Ever coarser grids into which more points than that are thinned: one per cell and series stays."""


def cloud_of(story: Story) -> tuple[Cloud, PlotData]:
    """The points, thinned where they would cover each other anyway."""
    data = story.data
    points = data.points.dropna(subset=["value"])
    names: tuple[str, ...] = ()
    zone = story.context.window.zone
    if data.index == "time":
        x: Any = instants(pd.Index(points["x"]), zone)
        start: Any = instant(story.start, zone)
        end: Any = instant(story.end, zone)
        at = (x - pd.Timestamp(start)) / pd.Timedelta(seconds=1)
    elif data.index == "number":
        at = points["x"].to_numpy(dtype=float)
        start, end = (float(at.min()), float(at.max())) if len(at) else (0.0, 1.0)
    else:
        names = tuple(str(name) for name in data.wide.index)
        place = {name: i for i, name in enumerate(names)}
        at = points["x"].map(place).to_numpy(dtype=float)
        start, end = 0.0, float(max(len(names) - 1, 1))
    points = points.assign(at=np.asarray(at, dtype=float))
    kept = _thinned(points)
    if len(kept) < len(points):
        numbers = story.look.numbers
        note = f"{numbers.number(len(points))} points lie on {numbers.number(len(kept))} places."
        data = replace(data, notes=(*data.notes, note))
    strands = tuple(
        _strand(story, kept[kept["series"] == name], name, rank, start=start)
        for rank, name in enumerate(data.series)
    )
    title = header_of(data.index_name) if data.index == "number" else ""
    empty = nothing_sentence(story) if data.empty else ""
    return Cloud(strands, start, end, names, title, empty), data


def _strand(story: Story, own: pd.DataFrame, name: str, rank: int, *, start: Any) -> Strand:
    color = story.look.color(rank, name) if rank < MOST_SERIES else story.look.light.context
    if story.data.index == "time":
        xs: tuple[Any, ...] = tuple(start + timedelta(seconds=round(float(s), 3)) for s in own["at"])
    else:
        xs = tuple(float(v) for v in own["at"])
    return Strand(name, story.data.labels[name], color, xs, tuple(float(v) for v in own["value"]))


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """One point per cell of a grid and series, where there are very many."""
    kept = points
    for across, up in CELLS:
        if len(kept) <= MOST_POINTS:
            break
        at, value = _cell(points["at"], across), _cell(points["value"], up)
        kept = points[~pd.DataFrame({"series": points["series"], "at": at, "value": value}).duplicated()]
    return kept


def _cell(values: pd.Series[Any], count: int) -> pd.Series[Any]:
    low, high = values.min(), values.max()
    return ((values - low) / ((high - low) or 1) * count).astype(int)
