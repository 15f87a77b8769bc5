"""Checks of the frames that datasources answer with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Window

if TYPE_CHECKING:
    import pandas as pd


def frame_problems(frame: Any, window: Window) -> list[str]:
    """What is wrong with the form of an answer: one sentence each."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        return [f"the answer is {type(frame).__name__}, not a pandas DataFrame"]
    problems: list[str] = []
    if not isinstance(frame.index, pd.RangeIndex) or frame.index.start != 0 or frame.index.step != 1:
        problems.append("the index must be a plain RangeIndex; what it holds belongs into a column")
    names: list[Any] = list(frame.columns)
    if not all(isinstance(name, str) for name in names):
        problems.append("all columns must be named by text")
    if len(set(names)) < len(names):
        problems.append("two columns have one name")
    for position, name in enumerate(names):
        problems += [f"column '{name}' {fault}" for fault in _time_faults(frame.iloc[:, position], window)]
    return problems


def window_problems(frame: pd.DataFrame, column: str, window: Window) -> list[str]:
    """Whether rows lie outside `[from, to)`, told by the column that carries their moment or day."""
    if column not in frame.columns:
        return [f"there is no column '{column}': it has {', '.join(map(str, frame.columns)) or 'none'}"]
    outside = [
        value for value in frame[column].dropna() if not (found := _inside(value, window)) or found == "?"
    ]
    if not outside:
        return []
    if _inside(outside[0], window) == "?":
        return [
            f"column '{column}' holds {type(outside[0]).__name__}, by which no row can be placed in the window"
        ]
    last = "is the window's end, which is not included" if _at_end(outside[0], window) else "lies outside"
    return [
        f"{len(outside)} of {len(frame)} rows are not in [{window.start}, {window.end}): {column} {outside[0]} {last}"
    ]


def rows_of(frame: pd.DataFrame) -> list[str]:
    """The rows as texts, in an order that depends on nothing but them."""
    columns = sorted(map(str, frame.columns))
    return sorted(map(repr, frame[columns].itertuples(index=False, name=None)))


def _time_faults(values: pd.Series[Any], window: Window) -> Iterator[str]:
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        if str(values.dtype.tz) != window.zone:
            yield f"is in {values.dtype.tz}, not in the window's zone {window.zone}: use .dt.tz_convert"
    elif pd.api.types.is_datetime64_any_dtype(values):
        kept = values.dropna()
        if not (kept == kept.dt.normalize()).all():
            yield "holds moments without a time zone: use .dt.tz_localize, then .dt.tz_convert(window.zone)"
    elif values.dtype == object:
        naive = [value for value in values if isinstance(value, datetime) and value.tzinfo is None]
        if naive:
            yield "holds moments without a time zone as objects: make it a zone-aware datetime column"


def _inside(value: Any, window: Window) -> bool | str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return window.starts_at <= value < window.ends_at
    if isinstance(value, datetime):
        return window.start <= value.date() < window.end
    return window.start <= value < window.end if isinstance(value, date) else "?"


def _at_end(value: Any, window: Window) -> bool:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value == window.ends_at
    return (value.date() if isinstance(value, datetime) else value) == window.end
