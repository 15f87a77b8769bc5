"""A folder on a host that SFTP reaches."""

from __future__ import annotations

import errno
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kpi_assets.contracts import File
from kpi_assets.outputs.remote.ssh import CLOSED, HostError

if TYPE_CHECKING:
    import paramiko

TEMPORARY = ".tmp-"
FORGOTTEN = 3600
"""Seconds after which an unfinished name belongs to a process that died."""


@dataclass(frozen=True)
class Owner:
    """To whom published files are given; None leaves it."""

    user: int | None = None
    group: int | None = None


@dataclass(frozen=True)
class HostFolder:
    """A `Place` over SFTP. Everything is uploaded under a temporary name, then renamed."""

    sftp: paramiko.SFTPClient
    root: str
    owner: Owner = Owner()

    def check(self) -> None:
        """Look whether the folder, or the nearest one above it, is a folder. Raises HostError."""
        for path in _upwards(self.root):
            found = self.look(path)
            if found is not None:
                if not stat.S_ISDIR(found.st_mode or 0):
                    raise HostError(f"{path} on the host is a file: choose another `remote_path`")
                return

    def look(self, path: str) -> Any:
        """A path's attributes; None where there is nothing. The path is the host's, not this folder's."""
        with _about(path):
            try:
                return self.sftp.stat(path)
            except FileNotFoundError:
                return None

    def names(self) -> frozenset[str]:
        with _about(self.root):
            try:
                found = self.sftp.listdir(self.root)
            except FileNotFoundError:
                return frozenset()
            return frozenset(name for name in found if not name.startswith(TEMPORARY))

    def read(self, path: str) -> bytes | None:
        with _about(self._at(path)):
            try:
                with self.sftp.open(self._at(path), "rb") as handle:
                    handle.prefetch()
                    return handle.read()
            except FileNotFoundError:
                return None

    def has(self, path: str) -> bool:
        return self.look(self._at(path)) is not None

    def write(self, file: File, *, lasting: bool = False) -> None:
        del lasting
        folder, _, name = self._at(file.path).rpartition("/")
        self._make(folder)
        self._upload(file.content, f"{folder}/{_aside()}", f"{folder}/{name}")

    def write_folder(self, name: str, files: Sequence[File]) -> None:
        """A new folder appears whole; in one that is there each file is replaced, then what is left over removed."""
        if not self.has(name):
            self._make(self.root)
            aside = _aside()
            for file in files:
                self.write(File(f"{aside}/{file.path}", file.media_type, file.content))
            with _about(self._at(name)):
                self.sftp.rename(self._at(aside), self._at(name))
            return
        for file in files:
            self.write(File(f"{name}/{file.path}", file.media_type, file.content))
        self._drop_others(name, {file.path for file in files})

    def sweep(self, folders: Sequence[str], like: str) -> None:
        """Remove unfinished names that are much older than the file `like`, as the host's own clock tells."""
        now = self.look(self._at(like))
        for folder in ("", *folders):
            for found in self._entries(folder):
                path = f"{folder}/{found.filename}".lstrip("/")
                old = now is not None and (now.st_mtime or 0) - (found.st_mtime or 0) > FORGOTTEN
                if found.filename.startswith(TEMPORARY) and old:
                    self._remove(path, found)

    def _upload(self, content: bytes, aside: str, target: str) -> None:
        with _about(target):
            try:
                self.sftp.putfo(BytesIO(content), aside, file_size=len(content))
                self._give(aside)
                self._rename(aside, target)
            except OSError:
                self._forget(aside)
                raise

    def _rename(self, aside: str, target: str) -> None:
        """Over what is there, at once; a server without that extension shows no file for a moment."""
        try:
            self.sftp.posix_rename(aside, target)
        except OSError as error:
            if error.errno is not None or "nsupported" not in str(error):
                raise
            if self.look(target) is not None:
                self.sftp.remove(target)
            self.sftp.rename(aside, target)

    def _forget(self, aside: str) -> None:
        """Clear away after a failure, as far as that is possible."""
        try:
            self.sftp.remove(aside)
        except (OSError, EOFError):
            return

    def _give(self, path: str) -> None:
        if self.owner == Owner():
            return
        now = self.sftp.stat(path)
        user = now.st_uid if self.owner.user is None else self.owner.user
        group = now.st_gid if self.owner.group is None else self.owner.group
        try:
            self.sftp.chown(path, user or 0, group or 0)
        except PermissionError:
            raise HostError(
                "this user may not give files away: leave out `remote_path_owner` and `remote_path_group`, or log in "
                "as their owner"
            ) from None

    def _make(self, folder: str) -> None:
        """The folder and those above it. Another process may make them at the same time."""
        missing = list(_until_there(self, folder))
        for path in reversed(missing):
            with _about(path):
                try:
                    self.sftp.mkdir(path)
                except OSError:
                    if self.look(path) is None:
                        raise
                else:
                    self._give(path)

    def _drop_others(self, folder: str, keep: set[str], below: str = "") -> None:
        for found in self._entries(folder + below):
            path = f"{below}/{found.filename}".lstrip("/")
            if stat.S_ISDIR(found.st_mode or 0):
                self._drop_others(folder, keep, f"/{path}")
            elif path not in keep and not found.filename.startswith(TEMPORARY):
                self._remove(f"{folder}/{path}", found)

    def _remove(self, path: str, found: Any) -> None:
        if stat.S_ISDIR(found.st_mode or 0):
            for inner in self._entries(path):
                self._remove(f"{path}/{inner.filename}", inner)
            self.sftp.rmdir(self._at(path))
        else:
            self.sftp.remove(self._at(path))

    def _entries(self, folder: str) -> list[Any]:
        try:
            return list(self.sftp.listdir_attr(self._at(folder)))
        except FileNotFoundError:
            return []

    def _at(self, path: str) -> str:
        return f"{self.root.rstrip('/')}/{path}".rstrip("/") or "/"


def owner_on(sftp: paramiko.SFTPClient, user: str | None, group: str | None) -> Owner:
    """The numbers of a user and a group on the host. Raises HostError for a name that it does not know."""
    return Owner(
        _number(sftp, "/etc/passwd", user, "remote_path_owner"),
        _number(sftp, "/etc/group", group, "remote_path_group"),
    )


def _number(sftp: paramiko.SFTPClient, file: str, name: str | None, key: str) -> int | None:
    if name is None or name.isdecimal():
        return None if name is None else int(name)
    with _about(file), sftp.open(file, "rb") as handle:
        lines = [line.split(":") for line in handle.read().decode("utf-8", "replace").splitlines()]
    numbers = [line[2] for line in lines if len(line) > 2 and line[0] == name and line[2].isdecimal()]
    if not numbers:
        raise HostError(f"{file} on the host has no '{name}': correct `{key}`, or give its number")
    return int(numbers[0])


def _until_there(place: HostFolder, folder: str) -> Iterator[str]:
    """The folder and those above it that are not there, from below."""
    for path in _upwards(folder):
        if place.look(path) is not None:
            return
        yield path


def _upwards(path: str) -> Iterator[str]:
    while path not in ("", "/", "."):
        yield path
        path = path.rpartition("/")[0]


def _aside() -> str:
    return f"{TEMPORARY}{uuid4().hex}"


@contextmanager
def _about(path: str) -> Generator[None]:
    """Say what the host has against a file; a missing one, and the line's own errors, pass."""
    try:
        yield
    except (FileNotFoundError, ConnectionError, TimeoutError):
        raise
    except OSError as error:
        if str(error) == CLOSED:
            raise
        raise HostError(_reason(error, path)) from None


def _reason(error: OSError, path: str) -> str:
    if error.errno == errno.EACCES:
        return f"this user may not use {path}: allow it on the host, or choose another `remote_path`"
    words = " ".join(str(error).split())
    return f"the host refused {path} ({words}): look whether its disk or quota is full, or something is in the way"
