"""Frames read lately, kept while their files stay as they are: editions that follow each other share most days."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from kpi_assets.contracts import FrameInfo
from kpi_assets.frames.encoded import Encoded

LARGEST = 1 << 20
"""Bytes of a frame that is worth keeping; a backfill of large ones would push each out before it is wanted again."""
ROOM = 32 << 20
"""Bytes that all kept frames may take."""
OVERHEAD = 4096
"""What Arrow and Python need for even an empty frame, about."""

Whole: TypeAlias = tuple[FrameInfo, Encoded]
Signature: TypeAlias = tuple[int, int, int]


class Recent:
    """The frames of local files, the least recently wanted given up first. Threads may share it."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._kept: OrderedDict[Path, tuple[Signature, Whole, int]] = OrderedDict()
        self._taken = 0
        self._lock = Lock()

    def read(self, path: Path, read: Callable[[Path], Whole]) -> Whole:
        """The file's frame, from memory where the file is the same as when it was read. Raises what `read` raises."""
        signature = _signature(path)  # before reading: who is overtaken by a writer reads again next time
        with self._lock:
            known = self._kept.get(path)
            if known and known[0] == signature:
                self._kept.move_to_end(path)
                return known[1]
        whole = read(path)
        self._keep(path, signature, whole)
        return whole

    def forget(self, path: Path) -> None:
        """Let go of a file's frame, since the file is written anew."""
        with self._lock:
            self._drop(path)

    def _keep(self, path: Path, signature: Signature, whole: Whole) -> None:
        size = OVERHEAD + sum(column.nbytes for column in whole[1].columns)
        with self._lock:
            self._drop(path)
            if size > LARGEST:
                return
            self._kept[path] = (signature, whole, size)
            self._taken += size
            while self._taken > self.room:
                self._drop(next(iter(self._kept)))

    def _drop(self, path: Path) -> None:
        if known := self._kept.pop(path, None):
            self._taken -= known[2]


def _signature(path: Path) -> Signature:
    """What changes when a file does: files of the store are only ever replaced by others."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
