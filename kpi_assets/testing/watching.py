"""Sees what code does to files, the network, databases and processes, by Python's own audit events."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
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

    Python's own reading of modules and time zones does not count. Libraries that open things without Python's knowing
    (written in C, without audit events) are not seen.
    """
    _install()
    before = getattr(_watched, "now", None)
    found: list[str] = []
    _watched.now = (events, found)
    try:
        yield found
    finally:
        _watched.now = before


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
