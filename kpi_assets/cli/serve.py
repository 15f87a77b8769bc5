"""Serves stored editions over HTTP, because browsers refuse `file://` links from the UI."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from kpi_assets.errors import InputError


class EditionHandler(SimpleHTTPRequestHandler):
    """Read-only, no directory listings above the editions, no log lines."""

    def log_message(self, format: str, *args: Any) -> None:
        del format, args

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()


@contextmanager
def serve_editions(home: Path, host: str, port: int) -> Generator[str]:
    """The address under which `<home>/editions` is served while the block runs.

    Raises InputError when the port is taken.
    """
    folder = home / "editions"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        server = ThreadingHTTPServer((host, port), partial(EditionHandler, directory=str(folder)))
    except OSError as error:
        raise InputError(f"port {port} on {host} cannot be used for editions: {error.strerror}") from error
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
