"""A line to a server on this machine that breaks after so many bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class CutLine:
    """Passes bytes on to `port` until `budget` of them were sent; then every connection dies, and none is taken."""

    def __init__(self, port: int, budget: int, when_cut: Callable[[], None], at: int = 0) -> None:
        self.when_cut = when_cut
        self.target, self.left, self.sent = port, budget, 0
        self.listener = socket.create_server(("127.0.0.1", at))
        self.port: int = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def close(self) -> None:
        for end in (self.listener, *self.open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self.threads:
            if thread is not threading.current_thread():
                thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(near)
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # the server is away
                near.close()
                continue
            self.open.append(far)
            for one, other, counted in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=self._pass_on, args=(one, other, counted), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _pass_on(self, one: socket.socket, other: socket.socket, counted: bool) -> None:
        while data := _received(one):
            if counted and not self._may(len(data)):
                break
            try:
                other.sendall(data)
            except OSError:  # that end has died
                break
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _may(self, size: int) -> bool:
        with self.lock:
            cut_before, cut = self.left < 0, self.left < size
            self.left -= size
            self.sent += size
        if cut and not cut_before:  # two connections may pass the budget together; it is cut once
            self._die()
        return not cut

    def _die(self) -> None:
        for end in (self.listener, *self.open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.when_cut()


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(2048)
    except OSError:
        return b""


@contextmanager
def line_to(
    port: int, budget: int = 1 << 40, when_cut: Callable[[], None] = lambda: None
) -> Iterator[CutLine]:
    """A line that is closed at the end. `when_cut` is called when the budget is spent."""
    line = CutLine(port, budget, when_cut)
    try:
        yield line
    finally:
        line.close()
