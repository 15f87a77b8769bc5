"""Rows of Python values -> compact Arrow columns, chunk by chunk, so that a million rows fit in little memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


class TooManyRowsError(Exception):
    """The answer is longer than `max_rows`."""

    def __init__(self, max_rows: int) -> None:
        super().__init__(f"the answer has more than {max_rows} rows")


class Sink:
    """Takes an answer's rows. Not thread-safe; one per query."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self.names: list[str] = []
        self.rows = 0
        self._chunks: list[list[Any]] = []

    def start(self, names: Sequence[str]) -> None:
        """Name the columns; forgets what came before (a query that is tried again)."""
        self.names, self.rows = list(names), 0
        self._chunks = [[] for _ in names]

    def add_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows as a DB-API cursor gives them."""
        self._count(len(rows))
        for index, values in enumerate(zip(*rows, strict=True)):
            self._chunks[index].append(compact(values))

    def add_batch(self, batch: Any) -> None:
        """An Arrow record batch."""
        self._count(batch.num_rows)
        for index, column in enumerate(batch.columns):
            self._chunks[index].append(column)

    def columns(self) -> Iterator[tuple[str, Any]]:
        """Name and values (Arrow array or list) of each column; each is given out once and forgotten here."""
        for index, name in enumerate(self.names):
            chunks, self._chunks[index] = self._chunks[index], []
            yield name, _joined(chunks)

    def _count(self, rows: int) -> None:
        self.rows += rows
        if self.rows > self.max_rows:
            raise TooManyRowsError(self.max_rows)


def compact(values: Sequence[Any]) -> Any:
    """The values as an Arrow array, or as a list where Arrow has no one type for them."""
    import pyarrow as pa

    first = next((value for value in values if value is not None), None)
    prepare = _PREPARED.get(type(first))
    ready = [None if value is None else prepare(value) for value in values] if prepare else values
    try:
        return pa.array(ready)
    except OverflowError:
        return _unsigned(ready)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError):
        return list(ready)


def _unsigned(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values, pa.uint64())
    except (OverflowError, pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        return list(values)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def as_json(value: Any) -> str:
    """Nested values as JSON text: it prints, stores and compares the same everywhere."""
    return json.dumps(value, ensure_ascii=False, default=str)


_PREPARED: dict[type, Callable[[Any], Any]] = {
    Decimal: _number,
    memoryview: _bytes,
    bytearray: _bytes,
    dict: as_json,
    list: as_json,
    tuple: as_json,
    set: lambda value: as_json(sorted(value, key=str)),
}


def _joined(chunks: list[Any]) -> Any:
    import pyarrow as pa

    if not chunks:
        return pa.nulls(0)
    lists = any(isinstance(chunk, list) for chunk in chunks)
    common = None if lists else _common_type({chunk.type for chunk in chunks})
    if common is None:
        return whole([value for chunk in chunks for value in _values(chunk)])
    return pa.chunked_array([_cast(chunk, common) for chunk in chunks], common)


def whole(values: Sequence[Any]) -> Any:
    """All values of a column as an Arrow column, or as a list."""
    import pyarrow as pa

    column = compact(values)
    return column if isinstance(column, list) else pa.chunked_array([column])


def _values(chunk: Any) -> list[Any]:
    return chunk if isinstance(chunk, list) else chunk.to_pylist()


def _common_type(types: set[Any]) -> Any:
    import pyarrow as pa

    types = {kind for kind in types if not pa.types.is_null(kind)}
    if not types:
        return pa.null()
    if len(types) == 1:
        return next(iter(types))
    if all(pa.types.is_integer(kind) for kind in types):
        return None  # more than 63 bits in some chunk: floats would round them
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types):
        return pa.float64()
    if all(pa.types.is_timestamp(kind) and kind.tz for kind in types):
        return pa.timestamp("us", "UTC")
    return None


def _cast(chunk: Any, kind: Any) -> Any:
    return chunk if chunk.type == kind else chunk.cast(kind, safe=False)


def is_time(value: object) -> bool:
    """Whether a Python value is a moment or a day."""
    return isinstance(value, datetime | date) and not isinstance(value, timedelta)
