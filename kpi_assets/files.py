"""Files that are whole or not there: written under a temporary name, then renamed. Local folders and fsspec URLs.

Names that end in `.tmp` are unfinished; whoever lists a folder passes over them.
"""

from __future__ import annotations

import os
import re
import unicodedata
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kpi_assets.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

Root: TypeAlias = "UPath | Path | str"

TEMPORARY = ".tmp"
WHOLE_PUTS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})
"""Object stores: an object appears only when its upload is complete, and a rename would be a copy."""

_FORBIDDEN = re.compile(r'[\x00-\x1f/\\:*?"<>|]')


def folder(root: Root) -> Any:
    """The folder at a local path (a `pathlib.Path`) or at any URL that universal-pathlib knows (a `UPath`)."""
    if isinstance(root, Path):
        return root
    if isinstance(root, str) and "://" not in root:
        return Path(root)
    from upath import UPath

    path = UPath(root)
    return Path(path.path) if path.protocol in ("", "file", "local") else path


def safe_name(name: str, what: str) -> str:
    """`name`, if it can be one level of a path anywhere. Raises InputError for `../../etc` and the like."""
    if not name or name.startswith(".") or name.endswith((TEMPORARY, " ", ".")) or _FORBIDDEN.search(name):
        raise InputError(
            f"{what} {name!r} cannot name a folder: use letters, digits, '-', '_' and spaces, no path separators"
        )
    if len(name.encode("utf-8", "surrogatepass")) > 200:
        raise InputError(f"{what} '{name[:40]}...' is too long to name a folder: use at most 200 bytes")
    return unicodedata.normalize("NFC", name)


def write_whole(path: Any, content: bytes) -> None:
    """Write a file so that readers see all of it or what was there before. Raises InputError naming the folder."""
    with told_of(path.parent):
        if isinstance(path, Path):
            _write_local(path, content)
        else:
            _write_remote(path, content)


def names_in(path: Any) -> list[str]:
    """The names of the finished files and folders in a folder, sorted; none where there is no such folder."""
    with told_of(path, doing="read"):
        try:
            names = (
                [entry.name for entry in os.scandir(path)] if isinstance(path, Path) else _remote_names(path)
            )
        except (FileNotFoundError, NotADirectoryError):
            return []
    return sorted(name for name in names if not name.endswith(TEMPORARY) and not name.startswith("."))


def temporary_name(name: str) -> str:
    """A name beside `name` that no other process uses and no listing shows."""
    return f".{name[:80]}.{uuid.uuid4().hex}{TEMPORARY}"


@contextmanager
def told_of(path: Any, *, doing: str = "written") -> Generator[None]:
    """Turn an OSError into an InputError that names the folder and what to do; a missing file stays one."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{path} cannot be {doing}: {reason}; give it room and rights, or set KPI_ASSETS_HOME to another folder"
        ) from error


def _write_local(path: Path, content: bytes) -> None:
    temporary = path.with_name(temporary_name(path.name))
    try:
        try:
            temporary.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_remote(path: Any, content: bytes) -> None:
    files, target = path.fs, path.path
    if path.protocol in WHOLE_PUTS:
        files.pipe_file(target, content)
        return
    temporary = path.parent / temporary_name(path.name)
    files.makedirs(path.parent.path, exist_ok=True)
    try:
        files.pipe_file(temporary.path, content)
        files.mv(temporary.path, target)
    except BaseException:
        if files.exists(temporary.path):
            files.rm_file(temporary.path)
        raise


def _remote_names(path: Any) -> list[str]:
    path.fs.invalidate_cache(path.path)
    return [str(name).rstrip("/").rsplit("/", 1)[-1] for name in path.fs.ls(path.path, detail=False)]
