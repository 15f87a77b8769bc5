"""Columns of frames: found by name, and what they hold. Frames are never changed."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

from kpi_assets.errors import ViewError, suggest
from kpi_assets.style.digits import CONTEXT, to_decimal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "boolean", "date", "datetime", "duration", "text", "empty"]
Number = int | float | Decimal

INFERRED: dict[str, Kind] = {
    "integer": "number",
    "floating": "number",
    "decimal": "number",
    "mixed-integer-float": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "datetime64": "datetime",
    "timedelta": "duration",
    "timedelta64": "duration",
    "empty": "empty",
}


def names(frame: pd.DataFrame) -> list[str]:
    """The columns' names, in order."""
    return [str(name) for name in frame.columns]


def column(view: str, frame: pd.DataFrame, name: str) -> pd.Series:
    """The column called `name`; ViewError names the ones that exist."""
    for position, existing in enumerate(frame.columns):
        if str(existing) == name:
            return frame.iloc[:, position]
    existing_names = names(frame)
    hint = suggest(name, existing_names) if existing_names else "the query returns none"
    if hint.startswith("did you mean"):
        hint = f"{hint} The query returns: {', '.join(existing_names)}"
    raise ViewError(view, f"there is no column '{name}'; {hint.replace('allowed:', 'the query returns:')}")


def kind_of(series: pd.Series) -> Kind:
    """What a column holds, missing values aside; `empty` where there is nothing else."""
    from pandas.api import types

    if types.is_bool_dtype(series.dtype):
        return "boolean"
    if types.is_numeric_dtype(series.dtype) and not types.is_complex_dtype(series.dtype):
        return "number"
    if types.is_timedelta64_dtype(series.dtype):
        return "duration"
    if types.is_datetime64_any_dtype(series.dtype):
        return "date" if _midnights(series) else "datetime"
    inferred = INFERRED.get(types.infer_dtype(series, skipna=True), "text")
    return "number" if inferred == "empty" and _has_infinite_objects(series) else inferred


def number_column(view: str, frame: pd.DataFrame, name: str) -> pd.Series:
    """The column `name` if it can be counted with; ViewError says what it holds instead."""
    series = column(view, frame, name)
    kind = kind_of(series)
    if kind in {"number", "boolean", "duration", "empty"}:
        return series
    numeric = [other for other in names(frame) if kind_of(column(view, frame, other)) == "number"]
    hint = f"numeric columns: {', '.join(numeric)}" if numeric else "the query returns no numeric column"
    raise ViewError(view, f"column '{name}' holds {kind} values, not numbers; {hint}")


def total(series: pd.Series) -> object:
    """The sum of what is there, durations in seconds; None where nothing is; no finite number where a value is not."""
    import numpy as np
    from pandas.api import types

    present = series.dropna()
    if present.empty:
        return None
    if types.is_object_dtype(present.dtype):
        return _exact_total(present)
    if types.is_integer_dtype(present.dtype) and _may_overflow(present):
        return sum(int(value) for value in present)
    if types.is_timedelta64_dtype(present.dtype):
        present = present.dt.total_seconds()
    with np.errstate(all="ignore"):
        result = present.sum()
    return result.item() if hasattr(result, "item") else result


def is_infinite(value: object) -> bool:
    """Is `value` a number beyond all?"""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isinf(value)


def is_missing(value: object) -> bool:
    """Is there no value: None, NaN, NaT, NA?"""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(cast(Any, value)))


def _midnights(series: pd.Series) -> bool:
    # A zone may skip midnight itself, when its clocks go forward.
    walls = series.dropna().dt.tz_localize(None)
    return bool((walls == walls.dt.normalize()).all())


def _exact_total(present: pd.Series) -> object:
    """Of Python's own numbers: decimals of a database stay exact."""
    amounts = [to_decimal(value) for value in present]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return math.inf
    result = Decimal(0)
    for amount in known:
        result = CONTEXT.add(result, amount)
    return result


def _may_overflow(series: pd.Series) -> bool:
    largest = max(abs(int(series.max())), abs(int(series.min())))
    return largest * len(series) >= 2**63


def _has_infinite_objects(series: pd.Series) -> bool:
    return any(is_infinite(value) for value in series)
