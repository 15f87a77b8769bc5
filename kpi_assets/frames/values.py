"""What a frame says in one value or one hash, for conditions. Missing values are NULL, NaN and NaT."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from kpi_assets.errors import DataError, suggest

Aggregate = Literal["last", "first", "max", "min", "sum", "mean"]


def value_in(frame: pd.DataFrame, column: str, agg: Aggregate) -> Any:
    """The column's value; None where there is no row, or no value.

    `first` and `last` are of the first and last row, also where that is missing. The others leave missing values out,
    and none of nothing is a number: a sum without values is None, not 0. Raises DataError for a column that is not
    there, and for one whose values are no numbers where a number is to be made of them.
    """
    if not len(frame):
        return None
    series = column_of(frame, column)
    if agg in ("first", "last"):
        value = series.iloc[0 if agg == "first" else -1]
        return None if pd.api.types.is_scalar(value) and pd.isna(value) else value
    numbers = [as_number(value, column) for value in series.dropna()]
    return _finite_or_none(_AGGREGATES[agg](numbers)) if numbers else None


def column_of(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """The only column of that name. Raises DataError."""
    names = [str(existing) for existing in frame.columns]
    if names.count(name) != 1:
        reason = f"is there {names.count(name)} times" if name in names else suggest(name, names)
        raise DataError(f"column '{name}': {reason}" if name in names else f"no column '{name}': {reason}")
    return frame.iloc[:, names.index(name)]


def as_number(value: Any, column: str) -> float | int:
    """The value as a number, truth as 1 or 0. Raises DataError for anything else."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating | Decimal):
        return float(value)
    raise DataError(f"column '{column}' holds values that are no numbers")


def rows_hash(frame: pd.DataFrame, column: str | None = None) -> str:
    """A hash of the rows, or of one column's values, that is the same in any order of rows."""
    from kpi_assets.frames.codec import encode
    from kpi_assets.frames.content import content_hash

    part = column_of(frame, column).to_frame() if column and len(frame) else frame
    order = np.argsort(_row_hashes(part), kind="stable")
    return content_hash(encode(part.iloc[order].reset_index(drop=True)))


def _row_hashes(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """By which rows are put in an order; lists and dicts go by their text."""
    try:
        return pd.util.hash_pandas_object(frame, index=False).to_numpy()
    except TypeError:
        return pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy()


def _mean(numbers: list[float | int]) -> float:
    return math.fsum(numbers) / len(numbers)


_AGGREGATES: dict[str, Any] = {"max": max, "min": min, "sum": sum, "mean": _mean}


def _finite_or_none(value: float | int) -> float | int | None:
    """Infinities of both signs add up to nothing that could be compared."""
    return None if isinstance(value, float) and math.isnan(value) else value
