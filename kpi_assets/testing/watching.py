"""Sees what code does to files, the network, databases and processes, by Python's own audit events."""

from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

NETWORK = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "urllib.Request",
    "smtplib.connect",
    "http.client.connect",
)
PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
)
DATABASES = ("sqlite3.connect",)
FILES = (
    "open",
    "os.listdir",
    "os.scandir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.truncate",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
)
OUTSIDE = frozenset({*NETWORK, *PROCESSES, *DATABASES})
EVERYTHING = OUTSIDE | frozenset(FILES)

_HARMLESS = ("zoneinfo", "tzdata", "/dev/null", "/dev/urandom", "/etc/localtime")
_watched = threading.local()


@contextmanager
def watched(events: frozenset[str] = EVERYTHING) -> Generator[list[str]]:
    """What this thread does within the block, one phrase each.

    Python's own reading of modules and time zones does not count. Of libraries that open things without Python's
    knowing (written in C, such as databases' clients) what is still open at the end is seen, where there is `/proc`.
    """
    _install()
    before, there = getattr(_watched, "now", None), _open(events)
    found: list[str] = []
    _watched.now = (events, found)
    try:
        yield found
    finally:
        _watched.now = before
        if not found:
            found += [f"left open: {what}" for handle, what in _open(events).items() if handle not in there]


def _open(events: frozenset[str]) -> dict[tuple[int, str], str]:
    """Connections and, where those matter, files that this process has open: what each is, by number and name."""
    there: dict[tuple[int, str], str] = {}
    files = events.issuperset(FILES)
    handles = Path("/proc/self/fd")
    for handle in handles.iterdir() if handles.exists() else ():
        with suppress(OSError):  # closed meanwhile; the folder itself is one of them
            what, kind = str(handle.readlink()), handle.stat().st_mode
            counts = stat.S_ISSOCK(kind) or (files and stat.S_ISREG(kind))
            if counts and not any(part in what for part in _HARMLESS):
                there[int(handle.name), what] = "a connection" if stat.S_ISSOCK(kind) else what
    return there


@cache
def _install() -> None:
    """An audit hook cannot be taken away again: one for the whole process."""
    sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    now = getattr(_watched, "now", None)
    if now is None or event not in now[0]:
        return
    _watched.now = None  # what is done here is not looked at
    try:
        what = str(args[0]) if args and isinstance(args[0], str | bytes) else ""
        if event.startswith("socket.") and len(args) > 1:
            what = str(args[1])
        if not any(part in what for part in _HARMLESS) and not _importing():
            now[1].append(f"{event} {what}".strip())
    finally:
        _watched.now = now


def _importing() -> bool:
    """Is a module being loaded at the moment?"""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
