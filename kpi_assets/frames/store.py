"""The frame store: one Parquet file per (report, query, fingerprint, slot), under a folder or any fsspec URL.

A slot is a day (`2024-11-24.parquet`) or, for queries that run over whole windows, a span by its last day and length
(`2024-11-24+7d.parquet`). Files are written whole or not at all. A file that cannot be read counts as missing: it is
put aside as `*.damaged`, logged, and healed by the next fetch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kpi_assets.contracts import FrameInfo, Window
from kpi_assets.files import Root, folder, names_in, safe_name, told_of, write_whole
from kpi_assets.frames.recent import Recent
from kpi_assets.logs import inherited, logger

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.frames.encoded import Encoded

log = logger("kpi_assets.frames")

SUFFIX = ".parquet"
DAMAGED = ".damaged"
_SLOT = re.compile(r"(\d{4}-\d\d-\d\d)(?:\+(\d+)d)?\.parquet")

T = TypeVar("T")


@dataclass(frozen=True)
class FrameKey:
    """Whose frames: after an edit of the query its fingerprint differs, so old and new rows never mix."""

    report: str
    query: str
    fingerprint: str


@dataclass(frozen=True)
class StoredFrame:
    """What is known of a stored frame without reading its rows. `columns` are (name, pandas type)."""

    info: FrameInfo
    columns: tuple[tuple[str, str], ...]


def day_slot(day: date) -> str:
    """The slot of one day's rows."""
    return day.isoformat()


def span_slot(span: Window) -> str:
    """The slot of the rows of a query that ran over a whole span."""
    return f"{span.key}+{span.length}d"


class FrameStore:
    """Keeps frames. Holds no state but its root and what it read lately: share it between threads, not processes."""

    def __init__(self, root: Root) -> None:
        self.root = folder(root)
        self.recent = Recent()

    def present_days(self, key: FrameKey) -> frozenset[date]:
        """The days that are stored. A day without rows is stored as an empty frame, and is present."""
        return frozenset(date.fromisoformat(slot) for slot in self.present_slots(key) if "+" not in slot)

    def present_slots(self, key: FrameKey) -> frozenset[str]:
        """Every stored day and span."""
        names = names_in(self._folder(key))
        return frozenset(name.removesuffix(SUFFIX) for name in names if _SLOT.fullmatch(name))

    def heads(self, key: FrameKey, slots: Iterable[str]) -> dict[str, StoredFrame]:
        """What is known of those of the slots that are stored and readable, without reading rows."""
        return self._each(key, sorted(slots), self._read_head)

    def read(self, key: FrameKey, slots: Sequence[str]) -> tuple[pd.DataFrame, dict[str, FrameInfo]]:
        """The rows of those of the slots that are stored, in the order given, as one frame."""
        from kpi_assets.frames.unify import combine

        found = self._each(key, slots, self._read_whole)
        return combine([encoded for _, encoded in found.values()]), {
            slot: info for slot, (info, _) in found.items()
        }

    def read_days(self, key: FrameKey, window: Window) -> tuple[pd.DataFrame, dict[date, FrameInfo]]:
        """The rows of the window's days, day after day; days that are not stored are not in the infos."""
        frame, infos = self.read(key, [day_slot(day) for day in window.days])
        return frame, {date.fromisoformat(slot): info for slot, info in infos.items()}

    def read_span(self, key: FrameKey, span: Window) -> tuple[pd.DataFrame, FrameInfo] | None:
        """The rows that were fetched for exactly this span, or None."""
        frame, infos = self.read(key, [span_slot(span)])
        return (frame, infos[span_slot(span)]) if infos else None

    def write_day(
        self, key: FrameKey, day: date, frame: pd.DataFrame, *, seconds: float, fetched_at: datetime
    ) -> FrameInfo:
        """Store one day's rows in place of what was there."""
        return self.write(key, day_slot(day), frame, seconds=seconds, fetched_at=fetched_at).info

    def write_span(
        self, key: FrameKey, span: Window, frame: pd.DataFrame, *, seconds: float, fetched_at: datetime
    ) -> FrameInfo:
        """Store the rows of a whole span in place of what was there."""
        return self.write(key, span_slot(span), frame, seconds=seconds, fetched_at=fetched_at).info

    def write(
        self, key: FrameKey, slot: str, frame: pd.DataFrame, *, seconds: float, fetched_at: datetime
    ) -> StoredFrame:
        """Store a slot's rows. Raises DataError for frames that cannot be kept exactly, InputError for a full disk."""
        from kpi_assets.frames.codec import encode
        from kpi_assets.frames.content import content_hash
        from kpi_assets.frames.parquet import to_parquet

        encoded = encode(frame)
        info = FrameInfo(encoded.rows, seconds, fetched_at, content_hash(encoded))
        path = self._path(key, slot)
        self.recent.forget(path)
        write_whole(path, to_parquet(encoded, info))
        return StoredFrame(info, tuple((head.name, head.dtype) for head in encoded.heads))

    def digest(self, key: FrameKey, slots: Sequence[str]) -> str:
        """A hash over the slots' files: where it is the same, so are the frames, to when they were fetched.

        "" where a file is missing or unreadable, or lies where reading it once more is dear.
        """
        place, whole = self._folder(key), sha256()
        if not isinstance(place, Path):
            return ""
        try:
            for slot in slots:
                with (place / f"{slot}{SUFFIX}").open("rb") as file:
                    whole.update(f"{slot}\0{file_digest(file, 'sha256').hexdigest()}\0".encode())
        except OSError:
            return ""
        return whole.hexdigest()

    def _folder(self, key: FrameKey) -> Any:
        report, query = safe_name(key.report, "the report"), safe_name(key.query, "the query")
        return self.root / report / query / safe_name(key.fingerprint, "the fingerprint")

    def _path(self, key: FrameKey, slot: str) -> Any:
        return self._folder(key) / f"{slot}{SUFFIX}"

    def _each(self, key: FrameKey, slots: Sequence[str], read: Callable[[Any], T]) -> dict[str, T]:
        """Read many slots, side by side where each costs a round trip; what is missing or damaged is left out."""
        place = self._folder(key)

        def one(slot: str) -> T | None:
            return self._guarded(place / f"{slot}{SUFFIX}", read)

        with told_of(place, doing="read"):
            if isinstance(place, Path) or len(slots) < 2:
                results = [one(slot) for slot in slots]
            else:
                with ThreadPoolExecutor(max_workers=min(16, len(slots))) as pool:
                    results = list(pool.map(inherited(one), slots))
        return {slot: result for slot, result in zip(slots, results, strict=True) if result is not None}

    def _guarded(self, path: Any, read: Callable[[Any], T]) -> T | None:
        from kpi_assets.frames.parquet import DamagedFileError

        try:
            return read(path)
        except FileNotFoundError:
            return None
        except DamagedFileError as error:
            log.warning("%s cannot be read (%s): put aside, and fetched again by the next run", path, error)
            _put_aside(path)
            return None

    def _read_head(self, path: Any) -> StoredFrame:
        from kpi_assets.frames.parquet import read_head

        info, heads = read_head(path)
        return StoredFrame(info, tuple((head.name, head.dtype) for head in heads))

    def _read_whole(self, path: Any) -> tuple[FrameInfo, Encoded]:
        from kpi_assets.frames.parquet import read_whole

        return self.recent.read(path, read_whole) if isinstance(path, Path) else read_whole(path)


def _put_aside(path: Any) -> None:
    """Best effort: a store that we may only read keeps its damaged file, which goes on counting as missing."""
    try:
        if isinstance(path, Path):
            path.replace(path.with_name(path.name + DAMAGED))
        else:
            path.fs.mv(path.path, path.path + DAMAGED)
    except OSError as error:
        log.debug("%s cannot be put aside: %s", path, error)
