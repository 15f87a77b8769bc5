"""What a frame says, as a hash: the same values give the same hash however they were fetched.

A day that is fetched alone may come as integers, and within a week (where another day has a gap) as floats; an empty
day has whatever types the driver made up. So the hash is of names, order and values, not of pandas' types: whole floats
count as integers, NaN as missing, and a column without values has no type.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from kpi_assets.frames.encoded import Column, ColumnHead, Encoded

compute: Any = pyarrow.compute

EXACT = 2**53
"""Up to here every integer is a float64."""

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def content_hash(encoded: Encoded) -> str:
    """SHA-256 over the names and values of a frame, in order."""
    digest = sha256(f"{encoded.rows}\n".encode())
    for head, column in zip(encoded.heads, encoded.columns, strict=True):
        digest.update(repr(head.name).encode() + b"\0")
        digest.update(_column_hash(head, column))
    return digest.hexdigest()


def missing_mask(column: Column) -> np.ndarray[Any, Any]:
    """Which values are missing; NaN is, as everywhere in pandas."""
    return compute.is_null(column, nan_is_null=pa.types.is_floating(column.type)).to_numpy()


def _column_hash(head: ColumnHead, column: Column) -> bytes:
    missing = missing_mask(column)
    digest = sha256(np.packbits(missing).tobytes())
    if not missing.all():
        values = (
            column.filter(pa.array(~missing)).combine_chunks() if missing.any() else column.combine_chunks()
        )
        kind, parts = _canonical(head, values)
        digest.update(kind.encode())
        for part in parts:
            digest.update(part)
    return digest.digest()


def _canonical(head: ColumnHead, values: Any) -> tuple[str, list[bytes]]:
    """A kind that tells text from numbers from moments, and the values' bytes."""
    type_: Any = values.type
    if pa.types.is_boolean(type_):
        return "boolean", [np.packbits(values.to_numpy(zero_copy_only=False)).tobytes()]
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return _numbers(values.to_numpy(zero_copy_only=False))
    if pa.types.is_timestamp(type_):
        zoned = head.coding == "zoned" or type_.tz is not None
        return "instant" if zoned else "moment", _ticks(values, type_.unit)
    if pa.types.is_duration(type_):
        return "duration", _ticks(values, type_.unit)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_large_binary(type_):
        return "text" if head.coding in ("string", "arrow") else head.coding, _texts(values)
    return str(type_), [repr(values.to_pylist()).encode()]


def _numbers(values: np.ndarray[Any, Any]) -> tuple[str, list[bytes]]:
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        if not (np.isfinite(values) & (np.abs(values) <= EXACT) & (values == np.round(values))).all():
            return "number", [b"f", values.tobytes()]
    elif values.dtype == np.uint64 and (values > np.iinfo(np.int64).max).any():
        return "number", [b"u", values.tobytes()]
    return "number", [b"i", values.astype(np.int64).tobytes()]


def _ticks(values: Any, unit: str) -> list[bytes]:
    """Ticks in the coarsest unit that holds them exactly, so that a driver's choice of unit does not matter."""
    ticks = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
    for coarser, factor in (
        ("s", _PER_SECOND[unit]),
        ("ms", _PER_SECOND[unit] // 1_000),
        ("us", _PER_SECOND[unit] // 1_000_000),
    ):
        if factor > 1 and not (ticks % factor).any():
            return [coarser.encode(), (ticks // factor).tobytes()]
    return [unit.encode(), ticks.tobytes()]


def _texts(values: Any) -> list[bytes]:
    """Lengths and the bytes of all texts; a slice's buffer holds more than its own."""
    lengths = compute.binary_length(values).cast(pa.int64()).to_numpy(zero_copy_only=False)
    wide = pa.large_string() if pa.types.is_string(values.type) else values.type
    array = values.cast(wide)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    return [lengths.tobytes(), memoryview(data)[offsets[0] : offsets[-1]].tobytes() if data else b""]
