"""A query's rows -> what a plot draws: one column of numbers per series, over time, numbers or names.

As KPI Reporter did: the time column, or else the first column, is the index; `groupby` columns split series; other
columns that are not numbers are dropped. Unlike it: gaps stay gaps, and nothing is summed, dropped or
thinned without a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kpi_assets.errors import ViewError, suggest
from kpi_assets.views.charts.steps import Step, infer_step
from kpi_assets.views.plotting.folds import without_again
from kpi_assets.views.plotting.reading import HUGE, Index, decimals, drawable, to_index

if TYPE_CHECKING:
    from kpi_assets.contracts import Window

OTHER = "Other"


@dataclass(frozen=True)
class PlotData:
    """`wide`: sorted index (wall-clock time of the report's zone, numbers or names) by series, floats, NaN = gap.

    `labels`: how each column of `wide` is called in print. `points` are the rows one by one (index, series, value), for
    scatters. `notes` say what was done to the rows. `step` is the rhythm of a time index. `other` names the series that
    holds the sum of those left out, `other_row` says that the last row does. `zone` is that of a time index.
    """

    index: Index
    wide: pd.DataFrame
    labels: Mapping[str, str]
    points: pd.DataFrame
    step: Step | None = None
    notes: tuple[str, ...] = ()
    index_name: str = ""
    other: str = ""
    other_row: bool = False
    zone: str = "UTC"

    @cached_property
    def series(self) -> list[str]:
        return [str(column) for column in self.wide.columns]

    def is_other(self, series: str) -> bool:
        """Is this the sum of series that are not shown?"""
        return bool(self.other) and series == self.other

    @cached_property
    def empty(self) -> bool:
        return bool(self.wide.empty or self.wide.isna().to_numpy().all())

    def values(self, series: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return self.wide[series].to_numpy(dtype=float)


@dataclass(frozen=True)
class Shape:
    """How rows become series; the view's arguments that matter here. `zeros`: a series without a row at a time is 0."""

    view: str
    time_column: str = "time"
    groupby: tuple[str, ...] = ()
    label_map: Mapping[str, str] = field(default_factory=dict)
    add_up: bool = True
    points: bool = False
    zeros: bool = False


def prepare(frame: pd.DataFrame, shape: Shape, zone: str) -> PlotData:
    """The frame as series. Raises ViewError where there is nothing that can be plotted."""
    if frame.shape[1] == 0:
        return _nothing()
    frame = _named_once(frame)
    missing = [column for column in shape.groupby if column not in frame.columns]
    if missing:
        raise ViewError(
            shape.view,
            f"groupby names the column '{missing[0]}', which the query does not return: "
            f"{suggest(missing[0], map(str, frame.columns))}",
        )
    name = _index_column(frame, shape)
    index, kind = to_index(frame[name], zone)
    rest = frame.drop(columns=[name, *shape.groupby])
    numbers, dropped = _numeric(rest, shape)
    notes = list(_notes_of(numbers))
    if dropped and not numbers.columns.empty and len(frame):
        notes.append(f"Not drawn, as they hold no numbers: {', '.join(dropped)}.")
    numbers = drawable(numbers)
    if kind != "text" and (lost := int(index.isna().sum())):
        notes.append(f"{lost} {'row has' if lost == 1 else 'rows have'} no {name}.")
        frame, numbers, index = frame[index.notna()], numbers[index.notna()], index[index.notna()]
    how = _Kind(kind, name, shape, notes)
    made = _grouped(frame, index, numbers, how) if shape.groupby else _by_column(index, numbers, how)
    return replace(made, zone=zone)


def _named_once(frame: pd.DataFrame) -> pd.DataFrame:
    """Column names as texts; a name that stands there again gets its number."""
    names: list[str] = []
    for column in frame.columns:
        name, count = str(column), 2
        while name in names:
            name, count = f"{column} ({count})", count + 1
        names.append(name)
    return frame.set_axis(names, axis=1)


def _nothing() -> PlotData:
    return PlotData("time", pd.DataFrame(), {}, pd.DataFrame({"x": [], "series": [], "value": []}))


def _index_column(frame: pd.DataFrame, shape: Shape) -> str:
    if shape.time_column in frame.columns:
        return shape.time_column
    others = [column for column in frame.columns if column not in shape.groupby]
    if not others:
        raise ViewError(shape.view, "nothing to plot: every column of the query is named in groupby")
    return others[0]


def _numeric(rest: pd.DataFrame, shape: Shape) -> tuple[pd.DataFrame, list[str]]:
    """The columns that hold numbers, as floats, and the names of the others."""
    kept: dict[str, pd.Series[Any]] = {}
    dropped: list[str] = []
    for name in rest.columns:
        column = rest[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            kept[str(name)] = column.astype("Float64").astype(float)
        elif (numbers := decimals(column)) is not None:
            kept[str(name)] = numbers
        elif column.isna().all() and not isinstance(column.dtype, pd.DatetimeTZDtype):
            kept[str(name)] = pd.Series(np.nan, index=column.index, dtype=float)
        else:
            dropped.append(str(name))
    if not kept:
        held = ", ".join(f"'{name}' ({rest[name].dtype})" for name in rest.columns)
        raise ViewError(
            shape.view,
            "nothing to plot: beside the index"
            + (" and groupby columns" if shape.groupby else "")
            + (f" the query returns only columns without numbers: {held}" if held else " there is no column")
            + "; select a number, e.g. count(*)",
        )
    return pd.DataFrame(kept, index=rest.index), dropped


def _notes_of(numbers: pd.DataFrame) -> Sequence[str]:
    infinite = int((np.abs(numbers.to_numpy(dtype=float)) > HUGE).sum())
    if not infinite:
        return ()
    values, gaps = ("value is", "a gap") if infinite == 1 else ("values are", "gaps")
    return (f"{infinite} infinite {values} drawn as {gaps}.",)


@dataclass(frozen=True)
class _Kind:
    """What both ways of shaping need: the index's kind and name, the view's wishes, and the notes so far."""

    index: Index
    name: str
    shape: Shape
    notes: list[str]

    def finish(self, wide: pd.DataFrame, points: pd.DataFrame, order: list[str]) -> PlotData:
        wide = wide.reindex(columns=order)
        wide.columns.name = None
        if self.index != "text" and not wide.index.is_monotonic_increasing:
            wide = wide.sort_index()
        step = infer_step(without_again(pd.DatetimeIndex(wide.index))) if self.index == "time" else None
        labels = {column: self.shape.label_map.get(column, column) for column in order}
        return PlotData(self.index, wide.astype(float), labels, points, step, tuple(self.notes), self.name)

    def tell_repeated(self, count: int) -> None:
        if count and not self.shape.points:
            how = "added up" if self.shape.add_up else "averaged"
            rows = "row repeats" if count == 1 else "rows repeat"
            self.notes.append(
                f"{count} {rows} a {_thing(self.index)} of the same series; their values are {how}."
            )


def _by_column(index: pd.Series[Any], numbers: pd.DataFrame, kind: _Kind) -> PlotData:
    """One series per column of numbers."""
    order = [str(column) for column in numbers.columns]
    wide = numbers.set_axis(pd.Index(index), axis=0)
    parts = [pd.DataFrame({"x": index, "series": name, "value": numbers[name]}) for name in order]
    points = pd.concat(parts, ignore_index=True) if kind.shape.points else pd.DataFrame()
    if not wide.index.is_unique:
        kind.tell_repeated(len(wide) - wide.index.nunique())
        same = wide.groupby(level=0, sort=False)
        wide = same.sum(min_count=1) if kind.shape.add_up else same.mean()
    return kind.finish(wide, points, order)


def _grouped(frame: pd.DataFrame, index: pd.Series[Any], numbers: pd.DataFrame, kind: _Kind) -> PlotData:
    """One series per value of the groupby columns, of the first column of numbers."""
    if numbers.shape[1] > 1:
        extra = ", ".join(numbers.columns[1:])
        kind.notes.append(f"Drawn is {numbers.columns[0]}; left out with groupby: {extra}.")
    points = pd.DataFrame({"x": index, "series": _names(frame, kind.shape), "value": numbers.iloc[:, 0]})
    order = _series_order(points, kind.shape)
    if points.empty:
        return kind.finish(pd.DataFrame(index=pd.Index(index)), points, order)
    same = points.groupby(["x", "series"], sort=False, observed=True)["value"]
    joined = same.sum(min_count=1) if kind.shape.add_up else same.mean()
    kind.tell_repeated(len(points) - len(joined))
    absent: Any = 0.0 if kind.shape.zeros and kind.index == "time" else None
    wide = joined.unstack("series", fill_value=absent)
    if kind.index == "text":
        wide = wide.reindex(list(dict.fromkeys(points["x"])))
    return kind.finish(wide, points, order)


def _names(frame: pd.DataFrame, shape: Shape) -> pd.Series[Any]:
    """The series that each row belongs to; each distinct value is worded once."""
    parts: list[pd.Series[Any]] = []
    for column in shape.groupby:
        known = {value: str(value) for value in frame[column].dropna().unique()}
        parts.append(frame[column].map(known).astype(object).fillna("n/a"))
    name = parts[0]
    for part in parts[1:]:
        name = name + " · " + part
    return name


def _thing(kind: Index) -> str:
    return {"time": "time", "number": "position", "text": "name"}[kind]


def _series_order(points: pd.DataFrame, shape: Shape) -> list[str]:
    """Groups in the order of `label_map`, the others sorted."""
    names = set(points["series"].unique())
    mapped = [name for name in shape.label_map if name in names]
    return [*mapped, *sorted(names - set(mapped))]


def within(data: PlotData, start: datetime, end: datetime) -> PlotData:
    """The part of a time series inside the half-open wall-clock span; a step that overlaps the start counts."""
    floor = data.step.floor(start) if data.step else start
    inside = (data.wide.index >= floor) & (data.wide.index < end)
    outside = int((~inside).sum())
    if not outside:
        return data
    points = data.points
    if not points.empty:
        points = points[(points["x"] >= floor) & (points["x"] < end)]
    wide = data.wide[inside]
    step = infer_step(without_again(pd.DatetimeIndex(wide.index))) if len(wide) > 2 else data.step
    return replace(data, wide=wide, points=points, step=step)


def with_other(data: PlotData, most: int) -> PlotData:
    """At most `most` series: the largest by sum stay, in order; the rest are added up as "Other", last."""
    if len(data.series) <= most:
        return data
    totals = data.wide.abs().sum().sort_values(ascending=False, kind="stable")
    top = set(totals.index[: most - 1])
    kept = [column for column in data.series if column in top]
    rest = [column for column in data.series if column not in top]
    wide = data.wide[kept].copy()
    other = OTHER if OTHER not in kept else f"{OTHER} ({len(rest)})"
    wide[other] = data.wide[rest].sum(axis=1, min_count=1)
    names = ", ".join(data.labels[column] for column in rest[:12]) + (" …" if len(rest) > 12 else "")
    note = f"{OTHER}: {names}."
    labels = {**{column: data.labels[column] for column in kept}, other: other}
    return replace(data, wide=wide, labels=labels, other=other, notes=(*data.notes, note))


def wall_window(window: Window) -> tuple[datetime, datetime]:
    """The window's ends as wall-clock times."""
    midnight = datetime.min.time()
    return datetime.combine(window.start, midnight), datetime.combine(window.end, midnight)
