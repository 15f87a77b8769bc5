"""Frames as Arrow tables and back, exactly: pandas' types, time zones, None beside NaN, Decimals and bytes survive.

Each column is stored in the Arrow type nearest to its values, and its pandas type and coding are written down beside it
(`ColumnHead`). What is not kept: categories become their values (days with different categories must fit together),
sparse columns become dense, and zones of pytz or dateutil come back as `zoneinfo`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_object_dtype

from kpi_assets.errors import DataError
from kpi_assets.frames.encoded import Coding, Column, ColumnHead, Encoded
from kpi_assets.frames.objects import from_json, to_json
from kpi_assets.frames.zones import zone_from_name, zone_name

_OBJECT_CODINGS: dict[type, tuple[Coding, Any]] = {
    str: ("text", pa.large_string()),
    bytes: ("bytes", pa.large_binary()),
    Decimal: ("decimal", pa.large_string()),
    date: ("date", pa.date32()),
    int: ("scalar", pa.int64()),
    float: ("scalar", pa.float64()),
    bool: ("scalar", pa.bool_()),
}


def encode(frame: pd.DataFrame) -> Encoded:
    """A frame in Arrow. Raises DataError for an index with a meaning, names that are not text, or exotic types."""
    _check_index(frame)
    encoded = [_encode_column(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    return Encoded(tuple(head for head, _ in encoded), tuple(array for _, array in encoded), len(frame))


def decode(encoded: Encoded) -> pd.DataFrame:
    """The frame that `encode` was given."""
    pairs = zip(encoded.heads, encoded.columns, strict=True)
    series = [decode_column(head, column) for head, column in pairs]
    return assemble([head.name for head in encoded.heads], series, encoded.rows)


def assemble(names: Sequence[str], series: Sequence[pd.Series[Any]], rows: int) -> pd.DataFrame:
    """A frame of columns whose names may repeat, with a plain index even where there is no column."""
    if not series:
        return pd.DataFrame(index=pd.RangeIndex(rows), columns=pd.Index([], dtype=object))
    frame = pd.concat(dict(enumerate(series)), axis=1, copy=False)
    frame.columns = pd.Index(list(names), dtype=object)
    return frame


def _check_index(frame: pd.DataFrame) -> None:
    index = frame.index
    if isinstance(index, pd.MultiIndex) or index.name is not None or not _counts(index):
        raise DataError(
            f"a frame must have a plain index, not '{index.name or type(index).__name__}': "
            "the datasource should call reset_index()"
        )


def _counts(index: pd.Index[Any]) -> bool:
    return index.dtype.kind in "iu" or len(index) == 0


def _encode_column(name: object, series: pd.Series[Any]) -> tuple[ColumnHead, Column]:
    if not isinstance(name, str):
        raise DataError(f"a frame's column is called {name!r}: column names must be text")
    series = _without_categories(series)
    try:
        dtype, coding, array = _encode_values(series)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise DataError(
            f"column '{name}' of type {series.dtype} cannot be stored: {type(error).__name__}; "
            "cast it to numbers, text or timestamps in the query"
        ) from error
    column = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return ColumnHead(str(name), dtype, coding), column


def _without_categories(series: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        categories = pd.Series(series.dtype.categories)
        values = categories.reindex(series.cat.codes).reset_index(drop=True)
        return (
            values.astype(object).mask(values.isna(), other=cast(Any, None))
            if values.dtype == object
            else values
        )
    if isinstance(series.dtype, pd.SparseDtype):
        return series.sparse.to_dense()
    return series


def _encode_values(series: pd.Series[Any]) -> tuple[str, Coding, Any]:
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        instants = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return f"{dtype.unit}|{zone_name(dtype.tz)}", "zoned", pa.array(instants)
    if isinstance(dtype, pd.StringDtype):
        missing = "nan" if isinstance(dtype.na_value, float) else "NA"
        return (
            f"{dtype.storage}|{missing}",
            "string",
            pa.array(series.to_numpy(object), pa.large_string(), from_pandas=True),
        )
    if isinstance(dtype, pd.ArrowDtype):
        return str(dtype.pyarrow_dtype), "arrow", pa.array(series)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return _encode_masked(series)
    if is_object_dtype(dtype):
        return "object", *_encode_objects(series.to_numpy())
    return str(dtype), "plain", pa.array(series.to_numpy(), from_pandas=False)


def _encode_masked(series: pd.Series[Any]) -> tuple[str, Coding, Any]:
    if not str(series.dtype).startswith(("Int", "UInt", "Float", "boolean")):
        raise TypeError(f"no coding for {series.dtype}")
    return str(series.dtype), "masked", pa.array(series)


def _encode_objects(values: np.ndarray[Any, Any]) -> tuple[Coding, Any]:
    """Objects of one type in their own Arrow type; a mixture as one JSON text per value."""
    types = set(map(type, values)) - {type(None)}
    kind = types.pop() if len(types) == 1 else (None if types else str)
    if kind in _OBJECT_CODINGS:
        coding, arrow = _OBJECT_CODINGS[kind]
        plain = [None if value is None else str(value) for value in values] if kind is Decimal else values
        try:
            return coding, pa.array(plain, arrow, from_pandas=False)
        except (pa.ArrowException, OverflowError, UnicodeError):
            pass  # an integer beyond 64 bits, a lone surrogate, a year that Arrow does not know: JSON takes them
    texts = [None if value is None else to_json(value) for value in values]
    return "json", pa.array(texts, pa.large_string())


def decode_column(head: ColumnHead, column: Column) -> pd.Series[Any]:
    """A column as pandas knows it."""
    return _DECODERS[head.coding](head.dtype, column)


def _plain(dtype: str, column: Column) -> pd.Series[Any]:
    return pd.Series(column.to_numpy()).astype(np.dtype(dtype), copy=False)


def _zoned(dtype: str, column: Column) -> pd.Series[Any]:
    unit, zone = dtype.split("|", 1)
    instants = pd.Series(column.to_numpy()).astype(np.dtype(f"datetime64[{unit}]"), copy=False)
    return instants.dt.tz_localize("UTC").dt.tz_convert(zone_from_name(zone))


def _string(dtype: str, column: Column) -> pd.Series[Any]:
    storage, missing = dtype.split("|", 1)
    na_value: Any = np.nan if missing == "nan" else pd.NA
    return pd.Series(column.to_numpy(), dtype=object).astype(pd.StringDtype(storage, na_value))  # pyright: ignore


def _masked(dtype: str, column: Column) -> pd.Series[Any]:
    parsed: Any = pd.api.types.pandas_dtype(dtype)
    return pd.Series(parsed.__from_arrow__(column))


def _arrow(dtype: str, column: Column) -> pd.Series[Any]:
    if str(column.type) != dtype:  # Parquet knows no seconds
        column = column.cast(pa.type_for_alias(dtype))
    return pd.Series(pd.arrays.ArrowExtensionArray(column))  # pyright: ignore[reportCallIssue, reportArgumentType]


def _objects(_dtype: str, column: Column) -> pd.Series[Any]:
    return _object_series(column.to_pylist())


def _decimals(_dtype: str, column: Column) -> pd.Series[Any]:
    return _object_series([None if text is None else Decimal(text) for text in column.to_pylist()])


def _json(_dtype: str, column: Column) -> pd.Series[Any]:
    return _object_series([None if text is None else from_json(text) for text in column.to_pylist()])


def _text(_dtype: str, column: Column) -> pd.Series[Any]:
    return pd.Series(column.to_numpy(), dtype=object)


def _object_series(values: list[Any]) -> pd.Series[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return pd.Series(array, dtype=object)


_DECODERS: dict[Coding, Any] = {
    "plain": _plain,
    "zoned": _zoned,
    "string": _string,
    "masked": _masked,
    "arrow": _arrow,
    "text": _text,
    "bytes": _objects,
    "decimal": _decimals,
    "date": _objects,
    "scalar": _objects,
    "json": _json,
}
