"""Single Python values as JSON texts and back, exactly, for columns that mix types."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from kpi_assets.errors import DataError
from kpi_assets.frames.zones import zone_from_name, zone_name

TAG = "$"


def to_json(value: object) -> str:
    """The value as JSON; numpy scalars become Python's. Raises DataError for a type that has no text of its own."""
    return json.dumps(_tagged(value), separators=(",", ":"))


def from_json(text: str) -> object:
    """The value that `to_json` was given."""
    return _plain(json.loads(text))


def _tagged(value: object) -> Any:
    if isinstance(value, np.generic) and not isinstance(value, float | np.datetime64 | np.timedelta64):
        value = value.item()
    if value is None or type(value) in (str, int, float, bool):
        return value
    for tag, kinds, write, _ in _TAGS:
        if isinstance(value, kinds):
            return {TAG: tag, "v": write(value)}
    raise DataError(
        f"values of type {type(value).__name__} cannot be stored: cast the column to text or numbers in the query"
    )


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return _READERS[value[TAG]](value["v"])


def _write_moment(value: Any) -> list[Any]:
    """A datetime or time as it reads on the wall, its zone, and which of two equal hours it is."""
    return [value.replace(tzinfo=None).isoformat(), _zone(value), value.fold]


def _read_moment(kind: Any) -> Callable[[Any], Any]:
    def read(parts: list[Any]) -> Any:
        zone = zone_from_name(parts[1]) if parts[1] else None
        return kind.fromisoformat(parts[0]).replace(tzinfo=zone, fold=parts[2])

    return read


def _zone(value: Any) -> str | None:
    return zone_name(value.tzinfo) if value.tzinfo else None


def _write_timestamp(value: Any) -> list[Any]:
    return [int(value.asm8.astype("int64")), value.unit, _zone(value)]


def _read_timestamp(parts: list[Any]) -> Any:
    moment = pd.Timestamp(np.datetime64(parts[0], parts[1]))
    return moment.tz_localize("UTC").tz_convert(zone_from_name(parts[2])) if parts[2] else moment


def _write_numpy_time(value: Any) -> list[Any]:
    return [int(value.astype("int64")), np.datetime_data(value.dtype)[0]]


def _write_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _write_mapping(value: Mapping[Any, Any]) -> list[Any]:
    return [[_tagged(key), _tagged(item)] for key, item in value.items()]


def _write_list(value: Any) -> list[Any]:
    return [_tagged(item) for item in value]


def _read_list(value: list[Any]) -> list[Any]:
    return [_plain(item) for item in value]


_TAGS: tuple[tuple[str, Any, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("nat", type(pd.NaT), str, lambda _: pd.NaT),
    ("na", type(pd.NA), str, lambda _: pd.NA),
    ("timestamp", pd.Timestamp, _write_timestamp, _read_timestamp),
    (
        "pandas_delta",
        pd.Timedelta,
        lambda value: [int(value.asm8.astype("int64")), value.unit],
        lambda parts: pd.Timedelta(np.timedelta64(parts[0], parts[1])),
    ),
    ("numpy_time", np.datetime64, _write_numpy_time, lambda parts: np.datetime64(parts[0], parts[1])),
    ("numpy_delta", np.timedelta64, _write_numpy_time, lambda parts: np.timedelta64(parts[0], parts[1])),
    ("datetime", datetime, _write_moment, _read_moment(datetime)),
    ("date", date, date.isoformat, date.fromisoformat),
    ("time", time, _write_moment, _read_moment(time)),
    ("delta", timedelta, _write_timedelta, lambda parts: timedelta(*parts)),
    ("decimal", Decimal, str, Decimal),
    (
        "bytes",
        bytes | bytearray | memoryview,
        lambda value: base64.b64encode(bytes(value)).decode(),
        base64.b64decode,
    ),
    ("uuid", uuid.UUID, str, uuid.UUID),
    ("str", str, str, str),
    ("int", int, int, int),
    ("float", float, float, float),
    ("tuple", tuple, _write_list, lambda value: tuple(_read_list(value))),
    ("list", (list, np.ndarray), _write_list, _read_list),
    ("map", Mapping, _write_mapping, lambda value: {_plain(k): _plain(v) for k, v in value}),
)
"""Tag, the types it stands for, how they are written, how they are read; the first that fits is taken."""

_READERS = {tag: read for tag, _, _, read in _TAGS}
