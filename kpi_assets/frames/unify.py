"""Days of frames as one frame, with types that fit all of them.

A column has the type of those days that have values in it: a day without rows, or with nothing but gaps, does not vote.
Where gaps must be filled in, whole numbers become floats as pandas itself does (or `Int64` beyond 2**53, where floats
would round) and booleans become objects. A column that only some days have is filled with gaps in the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_object_dtype

from kpi_assets.frames.codec import assemble, decode_column
from kpi_assets.frames.content import EXACT, missing_mask
from kpi_assets.frames.encoded import Column, ColumnHead, Encoded

ColumnKey: TypeAlias = tuple[str, int]
"""A name, and which of the columns of that name it is."""

Piece: TypeAlias = tuple[ColumnHead, Column] | int
"""A day's column, or for how many rows it is missing."""


def combine(parts: Sequence[Encoded]) -> pd.DataFrame:
    """One frame of all rows, part after part, on a plain index."""
    keyed = [_by_key(part) for part in parts]
    order = list(dict.fromkeys(key for part in keyed for key in part))
    pieces: dict[ColumnKey, list[Piece]] = {
        key: [part.get(key, whole.rows) for part, whole in zip(keyed, parts, strict=True)] for key in order
    }
    rows = sum(part.rows for part in parts)
    return assemble([name for name, _ in order], [_column(pieces[key]) for key in order], rows)


def _by_key(part: Encoded) -> dict[ColumnKey, Piece]:
    seen: Counter[str] = Counter()
    found: dict[ColumnKey, Piece] = {}
    for head, column in zip(part.heads, part.columns, strict=True):
        found[head.name, seen[head.name]] = (head, column)
        seen[head.name] += 1
    return found


def _column(pieces: list[Piece]) -> pd.Series[Any]:
    present = [piece for piece in pieces if not isinstance(piece, int)]
    if len(present) == len(pieces) and len({head for head, _ in present}) == 1:
        return decode_column(present[0][0], _joined([column for _, column in present]))
    return _promoted(pieces, present)


def _joined(columns: list[Column]) -> Column:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], type=columns[0].type)


def _promoted(pieces: list[Piece], present: list[tuple[ColumnHead, Column]]) -> pd.Series[Any]:
    filled = [_has_values(piece) for piece in pieces]
    voters = _same_zone(
        [decode_column(head, column) for head, column in present if _has_values((head, column))]
    )
    if not voters:
        return _gaps(sum(map(_length, pieces)), _type_without_values(present))
    together = pd.concat(_exact(voters), ignore_index=True)
    if any(_length(piece) for piece, has in zip(pieces, filled, strict=True) if not has):
        together = _with_room_for_gaps(together)
    return _spread(pieces, filled, together)


def _spread(pieces: list[Piece], filled: list[bool], together: pd.Series[Any]) -> pd.Series[Any]:
    """The voters' values with gaps where the other pieces' rows belong."""
    parts: list[pd.Series[Any]] = []
    at = 0
    for piece, has in zip(pieces, filled, strict=True):
        length = _length(piece)
        if has:
            parts.append(together.iloc[at : at + length])
            at += length
        elif length:
            parts.append(_gaps(length, together.dtype))
    return pd.concat(parts, ignore_index=True)


def _has_values(piece: Piece) -> bool:
    return not isinstance(piece, int) and not missing_mask(piece[1]).all()


def _length(piece: Piece) -> int:
    return piece if isinstance(piece, int) else len(piece[1])


def _type_without_values(present: list[tuple[ColumnHead, Column]]) -> Any:
    """Where no day has a value, the first type that is more than `object`, able to hold gaps."""
    types = [decode_column(head, column.slice(0, 0)).dtype for head, column in present]
    telling = [dtype for dtype in types if not is_object_dtype(dtype) and dtype.kind != "b"]
    if not telling:
        return np.dtype(object)
    return np.dtype(float) if telling[0] in _WHOLE else telling[0]


_WHOLE = tuple(np.dtype(name) for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))


def _same_zone(voters: list[pd.Series[Any]]) -> list[pd.Series[Any]]:
    """Zone-aware columns in the zone of the last day; other columns as they are."""
    if not all(isinstance(series.dtype, pd.DatetimeTZDtype) for series in voters):
        return voters
    return [series.dt.tz_convert(voters[-1].dt.tz) for series in voters]


def _exact(voters: list[pd.Series[Any]]) -> list[pd.Series[Any]]:
    """Signed and unsigned whole numbers without the detour over floats that numpy would take."""
    types = {series.dtype for series in voters}
    if not types <= set(_WHOLE) or np.result_type(*map(str, types)).kind != "f":
        return voters
    fits = all(int(series.max()) <= np.iinfo(np.int64).max for series in voters)
    return [series.astype(np.int64 if fits else object) for series in voters]


def _with_room_for_gaps(series: pd.Series[Any]) -> pd.Series[Any]:
    if series.dtype == bool:
        return series.astype(object)
    if series.dtype in _WHOLE:
        exact = int(series.max()) <= EXACT and int(series.min()) >= -EXACT
        return (
            series.astype(float)
            if exact
            else series.astype("UInt64" if series.dtype.kind == "u" else "Int64")
        )
    return series


def _gaps(length: int, dtype: Any) -> pd.Series[Any]:
    return pd.Series([None] * length, dtype=dtype)
