"""A ranged answer cut into days by the column that carries the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from kpi_assets.contracts import Window

if TYPE_CHECKING:
    Days = pd.Series[Any]


class UnsplittableError(Exception):
    """The day column does not tell each row's day; the message says how many rows, never what they hold."""


def split_by_day(frame: pd.DataFrame, column: str, window: Window) -> Mapping[date, pd.DataFrame]:
    """Each day of the window with its rows, in the order they came; days without rows get empty frames.

    Raises UnsplittableError where a value is missing, is not a day, or lies outside the window.
    """
    if not len(frame):  # such an answer may have no columns at all
        return dict.fromkeys(window.days, frame)
    numbers = _day_numbers(frame, column, window.zone) - window.start.toordinal()
    outside = int(((numbers < 0) | (numbers >= window.length)).sum())
    if outside:
        raise UnsplittableError(
            f"{outside} of {len(frame)} values of '{column}' lie outside {window.start}..{window.last_day}"
        )
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(window.length + 1))
    return {
        day: frame.iloc[order[bounds[i] : bounds[i + 1]]].reset_index(drop=True)
        for i, day in enumerate(window.days)
    }


def _day_numbers(frame: pd.DataFrame, column: str, zone: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Proleptic ordinals of the rows' days in the zone."""
    places = [place for place, name in enumerate(frame.columns) if name == column]
    if len(places) != 1:
        raise UnsplittableError(f"{len(places) or 'no'} columns are called '{column}'")
    values = frame.iloc[:, places[0]]
    moments = values if values.dtype.kind == "M" else _moments_of_objects(values, column, zone)
    if moments.isna().any():
        raise UnsplittableError(
            f"{int(moments.isna().sum())} of {len(frame)} values of '{column}' are missing"
        )
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None)
    days = moments.to_numpy().astype("datetime64[D]").astype(np.int64)
    return days + date(1970, 1, 1).toordinal()


def _moments_of_objects(values: Days, column: str, zone: str) -> Days:
    """Dates, datetimes and ISO texts as naive midnights; each distinct value is read once."""
    uniques = pd.Series(pd.unique(values.astype(object)), dtype=object)
    days = {value: _day_of(value, column, zone) for value in uniques}
    return pd.Series(values.astype(object).map(days).to_numpy("datetime64[s]"))


def _day_of(value: object, column: str, zone: str) -> np.datetime64:
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(ZoneInfo(zone))
    try:
        if isinstance(value, date):
            return np.datetime64(f"{value:%Y-%m-%d}" if value is not pd.NaT else "NaT", "D")
        if isinstance(value, str):
            return np.datetime64(_day_of_text(value.strip(), zone), "D")
    except ValueError:
        pass
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return np.datetime64("NaT", "D")
    raise UnsplittableError(f"values of '{column}' ({type(value).__name__}) are not days") from None


def _day_of_text(text: str, zone: str) -> str:
    """`YYYY-MM-DD`, alone or with a time; a time with an offset is taken to the zone first."""
    day, rest = date.fromisoformat(text[:10]), text[10:]
    if not rest:
        return day.isoformat()
    moment = datetime.fromisoformat(text)
    return (moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment).date().isoformat()
