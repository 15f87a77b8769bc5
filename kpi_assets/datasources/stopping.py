"""What servers work on for us just now, so that Ctrl-C ends it there too and not only here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock, Thread

Stop = Callable[[], object]

_running: dict[object, Stop] = {}
_lock = Lock()


@contextmanager
def stoppable(stop: Stop | None) -> Generator[None]:
    """Inside, `stop_all` calls `stop`, from another thread. None: the backend knows no way to stop a statement."""
    if stop is None:
        yield
        return
    ticket = object()
    with _lock:
        _running[ticket] = stop
    try:
        yield
    finally:
        with _lock:
            del _running[ticket]


def stop_all(patience: float) -> None:
    """Ask the servers to stop, all at once; wait up to `patience` seconds. What fails is left to its time limit."""
    with _lock:
        stops = list(_running.values())
    threads = [Thread(target=_try, args=(stop,), daemon=True) for stop in stops]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _try(stop: Stop) -> None:
    with contextlib.suppress(Exception):
        stop()
