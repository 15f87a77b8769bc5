"""The past of a key figure: one value per window or step, oldest first, None where there is none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Window
from kpi_assets.errors import ViewError
from kpi_assets.style.digits import to_decimal
from kpi_assets.views.columns import column, names, number_column
from kpi_assets.views.figures.args import SparklineArgs, StatArgs
from kpi_assets.views.figures.reading import Reading, read

if TYPE_CHECKING:
    import pandas as pd

History = tuple[float | None, ...]


def past_windows(view: str, args: StatArgs, earlier: Sequence[pd.DataFrame], current: Reading) -> History:
    """The figure of each window, from the frames of the earlier ones (oldest first); the current one last."""
    readings = [read(view, frame, args.column, empty_is_zero=args.empty_is_zero) for frame in earlier]
    return tuple(reading.number for reading in (*readings, current))


def past_steps(view: str, past: SparklineArgs, frame: pd.DataFrame, window: Window) -> History:
    """The values by steps counted back from the window's end; days before the first whole step are left out."""
    starts = step_starts(past, window)
    count = len(starts)
    if count < 2:
        raise ViewError(view, f"a sparkline of {past.days} days has less than two steps of one {past.step}")
    columns = names(frame)
    if frame.empty or len(columns) < 2:
        return (None,) * count
    days = days_of_column(view, frame, past.time_column or columns[0], window.zone)
    values = number_column(view, frame, past.column or columns[1])
    bins: list[list[float]] = [[] for _ in range(count)]
    for day, value in zip(days, values, strict=True):
        number = to_decimal(value)
        at = -1 if day is None or day > window.last_day else bisect_right(starts, day) - 1
        if number is not None and at >= 0:
            bins[at].append(float(number))
    return tuple(_together(values, past.aggregate) for values in bins)


def step_starts(past: SparklineArgs, window: Window) -> list[date]:
    """The first days of the whole steps within `past.days` of the window's end, oldest first.

    Windows to date leave days between them; those count to the one before.
    """
    first = window.end - timedelta(days=past.days)
    step = {"day": Window.of_day(window.last_day, window.zone), "week": _week(window)}.get(past.step, window)
    starts: list[date] = []
    while step.start >= first:
        starts.append(step.start)
        step = step.back(1)
    return starts[::-1]


def _week(window: Window) -> Window:
    return Window.ending(window.last_day, 7, window.zone)


def days_of_column(view: str, frame: pd.DataFrame, name: str, zone: str) -> list[date | None]:
    """The column's days in `zone`; ViewError where it holds no days."""
    import pandas as pd

    series = column(view, frame, name)
    try:
        # Texts are read by one rule, never by guessing: 03/04 is a day in March to some, and one in April to others.
        form = "ISO8601" if pd.api.types.infer_dtype(series, skipna=True) == "string" else None
        times: Any = pd.to_datetime(series, utc=False, format=form)
    except (ValueError, TypeError):
        raise ViewError(view, f"column '{name}' holds no days or times that can be read") from None
    if pd.api.types.is_numeric_dtype(series.dtype):
        raise ViewError(
            view,
            f"column '{name}' holds numbers, not days: name it in `query_args: {{parse_dates: [{name}]}}`",
        )
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise ViewError(view, f"column '{name}' holds no days or times that can be read")
    if times.dt.tz is not None:
        times = times.dt.tz_convert(zone)
    return [None if pd.isna(moment) else moment.date() for moment in times]


def _together(values: list[float], how: str) -> float | None:
    if not values:
        return None
    if how == "last":
        return values[-1]
    return sum(values) / len(values) if how == "mean" else sum(values)
