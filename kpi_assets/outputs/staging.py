"""A folder that others read while we write: everything is written aside first, then put in place by renames.

One writer at a time (`locked`). A process that dies leaves only names that start with `.tmp-` or `.old-`, which the
next writer clears away or puts back.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

TEMPORARY, REPLACED = ".tmp-", ".old-"
AT_FDCWD, RENAME_EXCHANGE = -100, 2


class Staging:
    """Things written aside in one folder; `commit` puts them in place, leaving the `with` block drops the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: list[tuple[Path, Path]] = []

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        for temporary, _target in self._waiting:
            remove(temporary)
        self._waiting.clear()

    def tree(self, name: str, files: Mapping[str, bytes]) -> None:
        """A folder of files, replacing the whole folder of that name."""
        temporary = self._aside(name)
        for path, content in files.items():
            target = temporary / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def file(self, name: str, content: bytes) -> None:
        """One file; `name` may lie in a folder below."""
        self._aside(name).write_bytes(content)

    def commit(self) -> None:
        """Put everything in place, in the order in which it was written."""
        while self._waiting:
            temporary, target = self._waiting[0]
            target.parent.mkdir(parents=True, exist_ok=True)
            put_in_place(temporary, target)
            self._waiting.pop(0)

    def _aside(self, name: str) -> Path:
        temporary = self.folder / f"{TEMPORARY}{uuid4().hex}"
        self._waiting.append((temporary, self.folder / name))
        return temporary


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Be the only writer in `folder`, which is made if need be; what a dead writer left is cleared away first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _recover(folder)
        yield


def put_in_place(new: Path, target: Path) -> None:
    """Give `new` the name `target`. Readers see the old or the new one; what was there is removed."""
    if not target.is_dir() or target.is_symlink():
        if new.is_dir() and (target.exists() or target.is_symlink()):
            target.unlink()
        new.replace(target)
    elif _exchange(new, target):
        remove(new)
    else:
        _replace_in_two_steps(new, target)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; nothing where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _replace_in_two_steps(new: Path, target: Path) -> None:
    """For file systems that cannot exchange two names: for a moment there is none, and `_recover` knows the old one."""
    old = target.with_name(REPLACED + target.name)
    remove(old)
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names at once (Linux); False where system or file system cannot."""
    function = _renameat2()
    if function is None:
        return False
    result = function(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    if result == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}:
        return False
    raise OSError(code, os.strerror(code), str(other))


@cache
def _renameat2() -> Any:
    """The C library's function, None where there is none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def _recover(folder: Path) -> None:
    for path in folder.glob(f"{REPLACED}*"):
        target = path.with_name(path.name.removeprefix(REPLACED))
        if target.exists():
            remove(path)
        else:
            path.rename(target)
    for path in folder.glob(f"{TEMPORARY}*"):
        remove(path)
