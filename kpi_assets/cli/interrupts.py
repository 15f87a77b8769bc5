"""Ctrl-C counts, whatever becomes of the exception that it raises.

Python raises KeyboardInterrupt wherever the main thread happens to be: in a callback that cannot raise it is lost, and
Dagster, which takes the signal over while it runs, forgets one that arrives between its steps. Python writes the number
of every signal to the wakeup file (`signal.set_wakeup_fd`) all the same; a thread reads it.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from threading import Event, Thread

PATIENCE = 10.0
"""Seconds for a command to end in its own way; then the process is ended."""

_asked = Event()


def asked() -> bool:
    """Has somebody pressed Ctrl-C, or asked the process politely to end, since `watch`?"""
    return _asked.is_set()


def watch(leave: Callable[[], object], patience: float = PATIENCE) -> None:
    """From now on Ctrl-C ends the process: `leave` is called `patience` seconds after it, unless it has ended before.

    To be called in the main thread. What is called runs in a thread of its own.
    """
    heard, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    Thread(target=_wait, args=(heard, wakeup, leave, patience), name="interrupts", daemon=True).start()


def stop_watching() -> None:
    """For commands that take their time to end what they started."""
    signal.set_wakeup_fd(-1)


def _wait(heard: socket.socket, wakeup: socket.socket, leave: Callable[[], object], patience: float) -> None:
    """`wakeup` is only held open."""
    del wakeup
    while not {signal.SIGINT, signal.SIGTERM} & set(heard.recv(64)):
        pass
    _asked.set()
    time.sleep(patience)
    leave()
