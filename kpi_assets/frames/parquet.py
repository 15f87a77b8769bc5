"""One encoded frame as the bytes of a Parquet file, and back; the same frame and info give the same bytes."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kpi_assets.contracts import FrameInfo
from kpi_assets.frames.encoded import ColumnHead, Encoded

METADATA = b"kpi_assets"
CHECKSUM = b"kpi_assets.crc32"
"""Parquet guards its pages, but not what is noted beside them."""
VERSION = 1


class DamagedFileError(Exception):
    """The file is not one of ours, or not all of it is there."""


def to_parquet(encoded: Encoded, info: FrameInfo) -> bytes:
    """The file's content. Columns have their own names where Parquet can tell them apart, else their places too."""
    note = json.dumps(_note(encoded, info), sort_keys=True).encode()
    names = _file_names([head.name for head in encoded.heads])
    fields = [pa.field(name, column.type) for name, column in zip(names, encoded.columns, strict=True)]
    schema = pa.schema(fields, metadata={METADATA: note, CHECKSUM: _checksum(note)})
    sink = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(list(encoded.columns), schema=schema),
        sink,
        compression="zstd",
        write_page_checksum=True,
        store_schema=True,
    )
    return sink.getvalue()


def read_head(path: Any) -> tuple[FrameInfo, tuple[ColumnHead, ...]]:
    """Info and columns from the file's footer alone. Raises DamagedFileError, FileNotFoundError."""
    return _reading(path, lambda file: _parsed(file.schema_arrow.metadata))


def read_whole(path: Any) -> tuple[FrameInfo, Encoded]:
    """Info and rows. Raises DamagedFileError (checksums are compared), FileNotFoundError."""

    def read(file: pq.ParquetFile) -> tuple[FrameInfo, Encoded]:
        info, heads = _parsed(file.schema_arrow.metadata)
        columns = tuple(file.read(use_threads=False).columns) if heads else ()
        if any(len(column) != info.rows for column in columns) or len(columns) != len(heads):
            raise DamagedFileError("rows are missing")
        return info, Encoded(heads, columns, info.rows)

    return _reading(path, read)


def _reading(path: Any, read: Any) -> Any:
    try:
        with _opened(path) as handle, pq.ParquetFile(handle, page_checksum_verification=True) as file:
            return read(file)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise DamagedFileError(_first_line(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DamagedFileError(_first_line(error)) from error  # Arrow's word for a corrupt page


def _opened(path: Any) -> Any:
    """The file for Arrow to read; local ones without the detour over Python."""
    return pa.OSFile(str(path)) if isinstance(path, Path) else path.open("rb")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _note(encoded: Encoded, info: FrameInfo) -> dict[str, Any]:
    return {
        "version": VERSION,
        "rows": info.rows,
        "seconds": info.seconds,
        "fetched_at": info.fetched_at.astimezone(UTC).isoformat(),
        "content_hash": info.content_hash,
        "columns": [[head.name, head.dtype, head.coding] for head in encoded.heads],
    }


def _parsed(metadata: Mapping[bytes, bytes] | None) -> tuple[FrameInfo, tuple[ColumnHead, ...]]:
    text = (metadata or {})[METADATA]
    if _checksum(text) != (metadata or {})[CHECKSUM]:
        raise DamagedFileError("its notes are not what was written")
    note = json.loads(text)
    if note["version"] != VERSION:
        raise DamagedFileError(f"it was written by another version (layout {note['version']})")
    heads = tuple(ColumnHead(*column) for column in note["columns"])
    fetched_at = datetime.fromisoformat(note["fetched_at"])
    return FrameInfo(note["rows"], note["seconds"], fetched_at, note["content_hash"]), heads


def _checksum(note: bytes) -> bytes:
    return b"%08x" % zlib.crc32(note)


def _file_names(names: list[str]) -> list[str]:
    """The columns' names for other readers of the file; ours come from the note, whatever these are."""
    if len(set(names)) == len(names) and all(name and name.isprintable() for name in names):
        return names
    return [f"{place}_{name}" if name.isprintable() else str(place) for place, name in enumerate(names)]
