"""A strict receiver of webhooks on this machine: what it answers is said beforehand, what it got is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """An answer. Status 0: read the request, then close the line without a word; -1: keep silent."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    method: str
    path: str
    headers: Any
    body: bytes


class HookPeer:
    """Answers as told, one after the other; then 204."""

    def __init__(self) -> None:
        self.answers: list[Say] = []
        self.got: list[Got] = []
        self.on_taken: Callable[[], None] = lambda: None
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"peer": self}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Takes whole requests only."""

    protocol_version = "HTTP/1.1"
    peer: HookPeer

    def do_POST(self) -> None:
        if int(self.headers.get("Content-Length", "0")) > 0:
            self.do_HEAD()
        else:
            self.send_error(411)

    def do_HEAD(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.close_connection = True
        body = self.rfile.read(length)
        if len(body) < length:  # the line broke
            return
        self.peer.got.append(Got(self.command, self.path, self.headers, body))
        self.peer.on_taken()
        answer = self.peer.answers.pop(0) if self.peer.answers else Say(204)
        if answer.status < 0:
            self.peer.closing.wait(20)
        if answer.status > 0:
            self._say(answer)

    def _say(self, answer: Say) -> None:
        body = b"" if self.command == "HEAD" else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `got`."""


@contextmanager
def hook_peer() -> Iterator[HookPeer]:
    """A running receiver."""
    peer = HookPeer()
    thread = threading.Thread(target=peer.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer
    finally:
        peer.closing.set()
        peer.server.shutdown()
        thread.join()
        peer.server.server_close()
