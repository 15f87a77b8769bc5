"""Ctrl-C between the steps of a run, which Dagster catches and forgets."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

STOP = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def noticed_interrupts() -> Generator[Callable[[], bool]]:
    """What tells whether the process was asked to stop since it was entered, whoever handled the signal.

    Dagster replaces the handlers while it runs, and an interrupt that arrives after the last step of a run is dropped
    with them. Python writes the number of every signal to the wakeup file (`signal.set_wakeup_fd`) all the same.
    Only Python's main thread receives signals: in another one the answer is always no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    heard, wakeup = socket.socketpair()
    with heard, wakeup:
        heard.setblocking(False)
        wakeup.setblocking(False)
        before = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: not STOP.isdisjoint(_received(heard))
        finally:
            signal.set_wakeup_fd(before)


def _received(heard: socket.socket) -> bytes:
    try:
        return heard.recv(4096)
    except BlockingIOError:
        return b""
