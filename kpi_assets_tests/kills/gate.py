"""A line to a server on this machine that holds everything at a given point, so that somebody can be killed there."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

Where = Literal["nowhere", "refuse", "accept", "up", "down"]


@dataclass(frozen=True)
class Stop:
    """Where to hold: before anybody can connect, when somebody has, or after so many bytes up or down."""

    where: Where = "nowhere"
    after: int = 0


@dataclass
class Line:
    """One connection: the client's end and the server's."""

    near: socket.socket
    far: socket.socket
    released: threading.Event = field(default_factory=threading.Event)
    cut: bool = False


class Gate:
    """Passes bytes to `target` and back until it comes upon its stop: there nothing moves until `open` or `drop`.

    `reached` is set when it holds something. `passed` counts what went up and down.
    """

    def __init__(self, target: int, stop: Stop = Stop()) -> None:
        self.target, self.stop = target, stop
        self.passed = {"up": 0, "down": 0}
        self.reached = threading.Event()
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._listening = False
        if stop.where != "refuse":
            self._listen()

    def hold_answers(self) -> None:
        """From now on nothing comes back."""
        with self._lock:
            self.stop = Stop("down", self.passed["down"])
        self.reached.set()

    def open(self) -> None:
        """Let everything pass from now on, also what was held."""
        self._release(cut=False)

    def drop(self) -> None:
        """The client is dead: what was held is lost, what was passed on arrives. Returns when the lines are closed."""
        self._release(cut=True)
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(10)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for line in self._lines:
                _shut(line)
        self.drop()

    def _release(self, *, cut: bool) -> None:
        with self._lock:
            self.stop = Stop()
            lines, self._lines = self._lines, []
            for line in lines:
                line.cut = cut
                line.released.set()
        self._listen()

    def _listen(self) -> None:
        if not self._listening and self._listener.fileno() >= 0:
            self._listening = True
            self._listener.listen()
            threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            line = Line(near, socket.create_connection(("127.0.0.1", self.target)))
            up = threading.Thread(target=self._carry, args=(line,), daemon=True)
            with self._lock:
                self._lines.append(line)
                up.start()
                self._threads.append(up)
                if self.stop.where == "accept":
                    self.reached.set()

    def _carry(self, line: Line) -> None:
        down = threading.Thread(target=self._pump, args=(line, "down"), daemon=True)
        down.start()
        self._pump(line, "up")
        down.join()
        line.near.close()
        line.far.close()

    def _pump(self, line: Line, way: Literal["up", "down"]) -> None:
        source, target = (line.near, line.far) if way == "up" else (line.far, line.near)
        try:
            while data := source.recv(65536):
                now = self._may(way, len(data))
                target.sendall(data[:now])
                if now < len(data):
                    self.reached.set()
                    line.released.wait()
                    if line.cut:
                        break
                    target.sendall(data[now:])
        except OSError:
            _shut(line)
        if line.cut:
            _shut(line)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _may(self, way: Literal["up", "down"], size: int) -> int:
        """How many of so many bytes may pass now."""
        with self._lock:
            held = self.stop.where in (way, "accept")
            room = max(0, self.stop.after - self.passed[way]) if held else size
            now = min(size, room)
            self.passed[way] += now
            return now


def _shut(line: Line) -> None:
    for end in (line.near, line.far):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
