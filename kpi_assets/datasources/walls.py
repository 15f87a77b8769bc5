"""Wall times -> instants, many at once.

pandas asks `zoneinfo` for each value, which takes ten times as long as the query. Days on which the zone's offset does
not change are settled by one subtraction; only the few others are left to pandas.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAY = 86_400_000_000_000


def utc_of_walls(walls: Any, zone: ZoneInfo) -> Any:
    """UTC `datetime64[ns]` of naive ones; NaT stays.

    A wall time that the clocks show twice is the first of the two; one that they skip, the first instant after the gap.
    """
    import numpy as np

    numbers = walls.view("int64")
    there = ~np.isnat(walls)
    if not there.any():
        return walls
    days, place = np.unique(np.where(there, numbers // _DAY, numbers[there][0] // _DAY), return_inverse=True)
    offset = np.array([_offset_of_day(int(day), zone) for day in days], dtype="timedelta64[ns]")[place]
    changing = there & np.isnat(offset)
    utc = np.where(there & ~changing, walls - offset, np.datetime64("NaT", "ns"))
    if changing.any():
        utc[changing] = _by_pandas(walls[changing], zone)
    return utc


def _offset_of_day(number: int, zone: ZoneInfo) -> Any:
    """The offset of a day counted from 1970; NaT where it changes during the day or at its edges."""
    import numpy as np

    day = date(1970, 1, 1) + timedelta(days=number)
    edges = (
        datetime(day.year, day.month, day.day),
        datetime(day.year, day.month, day.day) + timedelta(days=1),
    )
    found = {edge.replace(tzinfo=zone, fold=fold).utcoffset() for edge in edges for fold in (0, 1)}
    offset = found.pop()
    return np.timedelta64("NaT" if found or offset is None else offset, "ns")


def _by_pandas(walls: Any, zone: ZoneInfo) -> Any:
    import numpy as np
    import pandas as pd

    first = np.ones(len(walls), dtype=bool)
    local = pd.DatetimeIndex(walls).tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy()
