"""A query's rows -> what a plot draws: one column of numbers per series, over time, numbers or names.

As KPI Reporter did: the time column, or else the first column, is the index; `groupby` columns split series; other columns
that are not numbers are dropped. Unlike it: gaps stay gaps, and nothing is summed, dropped or thinned without a note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from kpi_assets.errors import ViewError, suggest
from kpi_assets.views.charts.steps import Step, infer_step

if TYPE_CHECKING:
    from kpi_assets.contracts import Window

Index = Literal["time", "number", "text"]
ISO = r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?$"
OTHER = "Other"


@dataclass(frozen=True)
class PlotData:
    """`wide`: sorted index (wall-clock time of the report's zone, numbers or names) by series, floats, NaN = gap.

    `labels`: how each column of `wide` is called in print. `points` are the rows one by one (index, series, value), for
    scatters. `notes` say what was done to the rows. `step` is the rhythm of a time index.
    """

    index: Index
    wide: pd.DataFrame
    labels: Mapping[str, str]
    points: pd.DataFrame
    step: Step | None = None
    notes: tuple[str, ...] = ()
    index_name: str = ""
    numeric_index: bool = field(default=False)

    @property
    def series(self) -> list[str]:
        return [str(column) for column in self.wide.columns]

    @property
    def empty(self) -> bool:
        return bool(self.wide.empty or self.wide.isna().to_numpy().all())

    def values(self, series: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return self.wide[series].to_numpy(dtype=float)


@dataclass(frozen=True)
class Shape:
    """How rows become series; the view's arguments that matter here."""

    view: str
    time_column: str = "time"
    groupby: tuple[str, ...] = ()
    label_map: Mapping[str, str] = field(default_factory=dict)
    add_up: bool = True


def prepare(frame: pd.DataFrame, shape: Shape, zone: str) -> PlotData:
    """The frame as series. Raises ViewError where there is nothing that can be plotted."""
    missing = [column for column in shape.groupby if column not in frame.columns]
    if missing:
        raise ViewError(
            shape.view,
            f"groupby names the column '{missing[0]}', which the query does not return: "
            f"{suggest(missing[0], map(str, frame.columns))}",
        )
    if frame.shape[1] == 0:
        return _nothing(shape)
    name = _index_column(frame, shape)
    index, kind = to_index(frame[name], zone)
    rest = frame.drop(columns=[name, *shape.groupby])
    numbers, dropped = _numeric(rest, shape)
    notes = list(_notes_of(numbers))
    if dropped and not numbers.columns.empty and len(frame):
        notes.append(f"Not drawn, as they hold no numbers: {', '.join(dropped)}.")
    long = _long(frame, index, numbers, shape, notes)
    lost = int(long["x"].isna().sum()) if kind != "text" else 0
    if lost:
        long = long[long["x"].notna()]
        notes.append(f"{lost} {'row has' if lost == 1 else 'rows have'} no {name}.")
    return _assemble(long, kind, name, shape, notes)


def _nothing(shape: Shape) -> PlotData:
    empty = pd.DataFrame(
        {"x": pd.Series(dtype="datetime64[ns]"), "series": "", "value": pd.Series(dtype=float)}
    )
    return PlotData("time", pd.DataFrame(), {}, empty)


def _index_column(frame: pd.DataFrame, shape: Shape) -> str:
    if shape.time_column in frame.columns:
        return shape.time_column
    others = [column for column in frame.columns if column not in shape.groupby]
    if not others:
        raise ViewError(shape.view, "nothing to plot: every column of the query is named in groupby")
    return others[0]


def to_index(column: pd.Series[Any], zone: str) -> tuple[pd.Series[Any], Index]:
    """A column as positions: naive wall-clock times of `zone`, floats or texts; and which of the three."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return _wall(column, zone), "time"
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"}), "text"
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float), "number"
    times = _parsed(column, zone)
    if times is not None:
        return times, "time"
    numbers = _decimals(column)
    if numbers is not None:
        return numbers, "number"
    return column.map(lambda value: "" if _is_missing(value) else str(value)), "text"


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and value != value)


def _wall(column: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Wall-clock time in the report's zone, without a zone."""
    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(zone).dt.tz_localize(None)
    return column.astype("datetime64[ns]")


def _parsed(column: pd.Series[Any], zone: str) -> pd.Series[Any] | None:
    """Dates, datetimes of mixed zones, and texts in ISO form as wall-clock times; None where there is anything else."""
    present = column.dropna()
    if present.empty:
        return None
    if present.map(lambda value: isinstance(value, str)).all():
        if not present.str.match(ISO).all():
            return None
    elif not present.map(lambda value: hasattr(value, "year") and hasattr(value, "month")).all():
        return None
    return column.map(lambda value: _moment(value, zone)).astype("datetime64[ns]")


def _moment(value: object, zone: str) -> pd.Timestamp | None:
    if _is_missing(value):
        return None
    try:
        moment = pd.Timestamp(cast(Any, value))
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        return None
    if moment.tzinfo is not None:
        moment = moment.tz_convert(zone).tz_localize(None)
    return cast(pd.Timestamp, moment)


def _decimals(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Decimals and other exact numbers that drivers return as objects; never numbers written as text."""
    from decimal import Decimal

    present = column.dropna()
    if present.empty or not present.map(lambda v: isinstance(v, int | float | Decimal)).all():
        return None
    return column.map(lambda v: float("nan") if _is_missing(v) else float(v)).astype(float)


def _numeric(rest: pd.DataFrame, shape: Shape) -> tuple[pd.DataFrame, list[str]]:
    """The columns that hold numbers, as floats, and the names of the others."""
    kept: dict[str, pd.Series[Any]] = {}
    dropped: list[str] = []
    for name in rest.columns:
        column = rest[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            kept[str(name)] = column.astype("Float64").astype(float)
        elif (numbers := _decimals(column)) is not None:
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
    infinite = int(np.isinf(numbers.to_numpy(dtype=float)).sum())
    if not infinite:
        return ()
    return (
        f"{infinite} infinite {'value is' if infinite == 1 else 'values are'} drawn as {'a gap' if infinite == 1 else 'gaps'}.",
    )


def _long(
    frame: pd.DataFrame, index: pd.Series[Any], numbers: pd.DataFrame, shape: Shape, notes: list[str]
) -> pd.DataFrame:
    """One row per value: x, series, value."""
    numbers = numbers.where(np.isfinite(numbers.to_numpy(dtype=float)))
    if shape.groupby:
        if numbers.shape[1] > 1:
            extra = ", ".join(numbers.columns[1:])
            notes.append(f"Drawn is {numbers.columns[0]}; left out with groupby: {extra}.")
        names = frame[list(shape.groupby)].map(lambda v: "n/a" if _is_missing(v) or v is pd.NA else str(v))
        series = names.agg(" · ".join, axis=1) if len(frame) else pd.Series(dtype=object)
        return pd.DataFrame({"x": index, "series": series, "value": numbers.iloc[:, 0]})
    parts = [pd.DataFrame({"x": index, "series": name, "value": numbers[name]}) for name in numbers.columns]
    return pd.concat(parts, ignore_index=True)


def _assemble(long: pd.DataFrame, kind: Index, name: str, shape: Shape, notes: list[str]) -> PlotData:
    grouped = long.groupby(["x", "series"], sort=False, observed=True)["value"]
    repeated = int(len(long) - grouped.ngroups)
    if repeated:
        how = "added up" if shape.add_up else "averaged"
        notes.append(
            f"{repeated} {'row repeats' if repeated == 1 else 'rows repeat'} a {_thing(kind)} of the same series; "
            f"their values are {how}."
        )
    joined = grouped.sum(min_count=1) if shape.add_up else grouped.mean()
    wide = cast(pd.DataFrame, joined.unstack("series")) if len(long) else pd.DataFrame(index=long["x"][:0])
    order = _series_order(long, shape)
    wide = wide.reindex(columns=order)
    wide = wide.sort_index() if kind != "text" else wide.reindex(list(dict.fromkeys(long["x"])))
    wide.columns.name = None
    step = infer_step([m.to_pydatetime() for m in wide.index]) if kind == "time" else None
    labels = {column: shape.label_map.get(column, column) for column in order}
    return PlotData(kind, wide.astype(float), labels, long, step, tuple(notes), name)


def _thing(kind: Index) -> str:
    return {"time": "time", "number": "position", "text": "name"}[kind]


def _series_order(long: pd.DataFrame, shape: Shape) -> list[str]:
    """Groups in sorted order, columns in the query's."""
    names = list(dict.fromkeys(long["series"]))
    return sorted(names) if shape.groupby else names


def within(data: PlotData, start: datetime, end: datetime) -> PlotData:
    """The part of a time series inside the half-open wall-clock span; a step that overlaps the start counts as inside."""
    floor = data.step.floor(start) if data.step else start
    inside = (data.wide.index >= floor) & (data.wide.index < end)
    outside = int((~inside).sum())
    if not outside:
        return data
    points = data.points[(data.points["x"] >= floor) & (data.points["x"] < end)]
    wide = data.wide[inside]
    step = infer_step([m.to_pydatetime() for m in wide.index]) if len(wide) > 2 else data.step
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
    return replace(data, wide=wide, labels=labels, notes=(*data.notes, note))


def instants(index: pd.Index[Any], zone: str) -> pd.DatetimeIndex:
    """Wall-clock times as instants in UTC, for a time axis on which a day of 25 hours is an hour longer."""
    times = pd.DatetimeIndex(index)
    local = times.tz_localize(zone, ambiguous=np.ones(len(times), dtype=bool), nonexistent="shift_forward")
    return local.tz_convert("UTC")


def instant(moment: datetime, zone: str) -> datetime:
    """One wall-clock time as an instant in UTC."""
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def wall_window(window: Window) -> tuple[datetime, datetime]:
    """The window's ends as wall-clock times."""
    midnight = datetime.min.time()
    return datetime.combine(window.start, midnight), datetime.combine(window.end, midnight)


def day_before(moment: datetime) -> datetime:
    return moment - timedelta(days=1)
