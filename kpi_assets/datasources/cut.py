"""Cuts a frame to the window by its time column, so that asking for days gives the rows of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Window
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)


class CutError(ValueError):
    """The frame has no such column, or it does not hold time; the message says which."""


def cut(
    frame: pd.DataFrame, column: str, window: Window, advice: str = "name its format in parse_dates"
) -> pd.DataFrame:
    """The rows of `[start, end)`, day after day, within a day in their old order; a plain RangeIndex.

    Days in order make the frames of days, one after the other, the frame of the whole. Rows without a time belong to
    no day and are left out, with a warning. Raises CutError, with `advice` where the column holds something else.
    """
    import pandas as pd

    times = _times(frame, column, window, advice)
    missing = int(times.isna().sum())
    if missing:
        log.warning("column '%s': %d rows without a time are left out", column, missing)
    aware = times.dt.tz is not None
    start: Any = window.starts_at if aware else window.start
    end: Any = window.ends_at if aware else window.end
    inside = frame[(times >= pd.Timestamp(start)) & (times < pd.Timestamp(end))]
    local = times[inside.index]
    days = (local.dt.tz_localize(None) if aware else local).dt.normalize()
    return inside.loc[days.sort_values(kind="stable").index].reset_index(drop=True)


def _times(frame: pd.DataFrame, column: str, window: Window, advice: str) -> pd.Series[Any]:
    """The column as time, in the window's zone if it is aware. A frame without rows has no types to speak of."""
    import pandas as pd

    if column not in frame.columns:
        names = ", ".join(map(str, frame.columns)) or "none"
        raise CutError(f"time_column: no column '{column}'; the columns are {names}")
    times = frame[column]
    if times.isna().all():
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    if not pd.api.types.is_datetime64_any_dtype(times):
        raise CutError(f"time_column: column '{column}' does not hold time ({times.dtype}): {advice}")
    return times if times.dt.tz is None else times.dt.tz_convert(window.zone)
