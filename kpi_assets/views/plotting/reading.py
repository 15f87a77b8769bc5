"""A column's values as what can be drawn: moments, numbers or names."""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from kpi_assets.views.plotting.folds import AGAIN, walls

Index = Literal["time", "number", "text"]
ISO = r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?$"
OFFSET = r"(?:Z|\d[+-]\d\d:?\d\d)$"
HUGE = 1e200
"""Numbers beyond are as good as infinite."""


def to_index(column: pd.Series[Any], zone: str) -> tuple[pd.Series[Any], Index]:
    """A column as positions: naive wall-clock times of `zone`, floats or texts; and which of the three."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return _wall(column, zone), "time"
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"}), "text"
    if pd.api.types.is_numeric_dtype(column):
        return drawable(column.astype("Float64").astype(float).to_frame()).iloc[:, 0], "number"
    times = _parsed(column, zone)
    if times is not None:
        return times, "time"
    numbers = decimals(column)
    if numbers is not None:
        return drawable(numbers.to_frame()).iloc[:, 0], "number"
    return column.map(lambda value: "n/a" if is_missing(value) else str(value)).astype(object), "text"


def is_missing(value: object) -> bool:
    """Is there no value: None, NaN, NaT, NA, a Decimal that is no number?"""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return value.is_nan()
    return (
        value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    )


def _wall(column: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Wall-clock time in the report's zone, without a zone."""
    sane = column.where(column.dt.year.between(1701, 2249))
    if isinstance(sane.dtype, pd.DatetimeTZDtype):
        sane = walls(sane, zone)
    return sane.astype("datetime64[us]").astype("datetime64[ns]")


def _parsed(column: pd.Series[Any], zone: str) -> pd.Series[Any] | None:
    """Dates, datetimes of mixed zones, and texts in ISO form as wall-clock times; None where there is anything else."""
    present = column.dropna()
    if present.empty:
        return None
    if isinstance(present.iloc[0], str):
        return _parsed_texts(column, zone)
    if not present.map(lambda value: hasattr(value, "year") and hasattr(value, "month")).all():
        return None
    return column.map(lambda value: _moment(value, zone)).astype("datetime64[ns]")


def _parsed_texts(column: pd.Series[Any], zone: str) -> pd.Series[Any] | None:
    """Texts in ISO form; with offsets they are instants, without they are wall-clock times."""
    present = column.dropna()
    if not present.map(lambda value: isinstance(value, str)).all() or not present.str.match(ISO).all():
        return None
    offsets = present.str.contains(OFFSET)
    if offsets.any() and not offsets.all():
        return column.map(lambda value: _moment(value, zone)).astype("datetime64[ns]")
    times = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=bool(offsets.all()))
    return _wall(times, zone)


def _moment(value: object, zone: str) -> pd.Timestamp | None:
    if is_missing(value):
        return None
    try:
        moment = pd.Timestamp(cast(Any, value))
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        return None
    if not 1700 < moment.year < 2250:
        return None
    if moment.tzinfo is None:
        return moment.floor("us")
    local = moment.tz_convert(zone).floor("us")
    return local.tz_localize(None) + AGAIN * local.fold


def decimals(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Decimals and other exact numbers that drivers return as objects; never numbers written as text."""
    from decimal import Decimal

    present = column.dropna()
    if present.empty or not present.map(lambda v: isinstance(v, int | float | Decimal)).all():
        return None
    return column.map(lambda v: float("nan") if is_missing(v) else float(v)).astype(float)


def drawable(numbers: pd.DataFrame) -> pd.DataFrame:
    """Gaps for what is infinite, zero for what is next to nothing: neither has a place on an axis."""
    sizes = np.abs(numbers.to_numpy(dtype=float))
    return numbers.where(~(sizes > HUGE)).mask(sizes < 1 / HUGE, 0.0)
