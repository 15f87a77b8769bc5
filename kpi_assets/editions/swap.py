"""A folder that takes another's place, so that nothing of the old one stays and no crash leaves a mixture.

The old folder is kept aside until the new one is declared complete (`committed` says so by what it reads on disk). Who
finds an old folder aside knows that a process died in the middle, and finishes its work or takes it back.
"""

from __future__ import annotations

import errno
import fcntl
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from kpi_assets.errors import DataError
from kpi_assets.files import told_of

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the folder alone, against threads and processes; where it may only be read, there is nobody to wait for."""
    try:
        handle = (folder / LOCK).open("ab")
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        yield
        return
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def swap(target: Path, files: Mapping[str, bytes], commit: Callable[[], None]) -> None:
    """Put a folder of these files in the target's place, call `commit`, and drop what was there before.

    Call it with the lock held and after `recover`.
    """
    fresh, old = _fresh(target), _old(target)
    with told_of(target):
        shutil.rmtree(fresh, ignore_errors=True)
        _write(fresh, files)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        commit()
        shutil.rmtree(old, ignore_errors=True)


def recover(target: Path, committed: Callable[[], bool]) -> None:
    """Undo or finish a swap that a dead process left in the middle."""
    fresh, old = _fresh(target), _old(target)
    if old.exists():
        if not (target.exists() and committed()):
            shutil.rmtree(target, ignore_errors=True)
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    if fresh.exists():
        shutil.rmtree(fresh, ignore_errors=True)


def interrupted(target: Path) -> bool:
    """Did a process die in the middle of a swap?"""
    return _old(target).exists()


def checked_path(path: str) -> PurePosixPath:
    """A relative path that stays inside its folder. Raises DataError."""
    pure = PurePosixPath(path)
    if (
        not path
        or pure.is_absolute()
        or ".." in pure.parts
        or "\\" in path
        or "\0" in path
        or str(pure) != path
    ):
        raise DataError(f"a document's file may not be called {path!r}: use a relative path without '..'")
    return pure


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for path, content in files.items():
        target = folder / checked_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _fresh(target: Path) -> Path:
    return target.with_name(f".{target.name}.new.tmp")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old.tmp")
