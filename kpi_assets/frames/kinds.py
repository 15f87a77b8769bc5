"""Which values of a column are of a contract's type, row by row; missing values are asked of `nullable` alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd


def missing(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return column.isna().to_numpy(bool)


def _all_or(column: pd.Series[Any], whole: bool, one: Callable[[Any], bool]) -> np.ndarray[Any, Any]:
    """True for every row where the column's own type says so, else value by value in object columns."""
    if whole:
        return np.ones(len(column), dtype=bool)
    if column.dtype.kind != "O":
        return np.zeros(len(column), dtype=bool)
    return np.array([one(value) for value in column], dtype=bool)


def _texts(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return _all_or(column, isinstance(column.dtype, pd.StringDtype), lambda value: isinstance(value, str))


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    return _all_or(column, numeric, _is_number)


def _whole_numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Integers, also where gaps made floats of them."""
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy(float, na_value=np.nan)
        return np.isfinite(values) & (values == np.round(values))
    return _all_or(
        column,
        pd.api.types.is_integer_dtype(column.dtype),
        lambda value: _is_number(value) and value == value // 1,
    )


def _flags(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """True and False, and the 0 and 1 that SQLite and MySQL keep them as."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column.isin([0, 1]).to_numpy(bool)
    return _all_or(
        column,
        pd.api.types.is_bool_dtype(column.dtype) and column.dtype.kind != "O",
        lambda value: value in (0, 1),
    )


def _moments(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return _all_or(column, column.dtype.kind == "M", lambda value: isinstance(value, datetime))


def _days(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Dates, and moments at midnight."""
    if column.dtype.kind == "M":
        walls = column.dt.tz_localize(None)  # a zone may skip midnight itself, when its clocks go forward
        return (walls == walls.dt.normalize()).to_numpy(bool)
    return _all_or(column, False, lambda value: isinstance(value, date) and is_midnight(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool)


def is_midnight(value: date) -> bool:
    return not isinstance(value, datetime) or (value.hour, value.minute, value.second, value.microsecond) == (
        0,
        0,
        0,
        0,
    )


TYPES: Mapping[str, Callable[[pd.Series[Any]], np.ndarray[Any, Any]]] = {
    "string": _texts,
    "integer": _whole_numbers,
    "float": _numbers,
    "number": _numbers,
    "boolean": _flags,
    "date": _days,
    "datetime": _moments,
}
