"""Wall-clock times over changes of the clock: the hour that is shown twice, and the one that is not there.

Times on an axis carry no zone. Where the clocks go back, the second of two equal wall times is one microsecond later
than it says, so that both hours keep their rows and their place.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

AGAIN = timedelta(microseconds=1)


def is_again(wall: datetime) -> bool:
    """Is it the second of two equal wall times?"""
    return wall.microsecond == 1


def walls(column: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Zone-aware moments as wall-clock times of `zone`, to the microsecond."""
    local = column.dt.tz_convert(zone)
    wall = local.dt.tz_localize(None).astype("datetime64[us]")
    near = _on_days_of_change(pd.DatetimeIndex(wall), zone)
    if not near.any():
        return wall
    first = _first_instants(pd.DatetimeIndex(wall[near]), zone)
    again = near.copy()
    again[near] = first != pd.DatetimeIndex(local[near]).tz_convert("UTC").as_unit("us")
    return wall.mask(again & wall.notna(), wall + AGAIN)


def without_again(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Each time as the clock says it."""
    return times.where(times.microsecond != 1, times - AGAIN)


def existing(times: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    """Those of the wall times that the clocks do not skip."""
    near = _on_days_of_change(times, zone)
    if not near.any():
        return times
    there = np.ones(len(times), dtype=bool)
    ambiguous = np.ones(int(near.sum()), dtype=bool)
    there[near] = times[near].tz_localize(zone, ambiguous=ambiguous, nonexistent="NaT").notna()
    return times[there]


def instants(index: pd.Index[Any], zone: str) -> pd.DatetimeIndex:
    """Wall-clock times as instants in UTC, for a time axis on which a day of 25 hours is an hour longer."""
    times = pd.DatetimeIndex(index)
    local = times.tz_localize(zone, ambiguous=times.microsecond != 1, nonexistent="shift_forward")
    return local.tz_convert("UTC")


def instant(moment: datetime, zone: str) -> datetime:
    """One wall-clock time as an instant in UTC."""
    local = moment.replace(tzinfo=ZoneInfo(zone), fold=int(is_again(moment)))
    return local.astimezone(ZoneInfo("UTC"))


def _first_instants(times: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    first = np.ones(len(times), dtype=bool)
    return (
        times.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC").as_unit("us")
    )


def _on_days_of_change(times: pd.DatetimeIndex, zone: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the wall times lie on a day that begins and ends with different offsets. Few days, many times."""
    days = times.to_numpy(dtype="datetime64[D]")
    changing = [day for day in np.unique(days[~np.isnat(days)]) if _changes(day.astype(date), ZoneInfo(zone))]
    return np.isin(days, np.array(changing, dtype="datetime64[D]"))


def _changes(day: date, zone: ZoneInfo) -> bool:
    edges = (datetime.combine(day, time()), datetime.combine(day, time()) + timedelta(days=1))
    return len({edge.replace(tzinfo=zone, fold=fold).utcoffset() for edge in edges for fold in (0, 1)}) > 1
