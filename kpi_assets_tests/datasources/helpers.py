"""Datasources for tests, made as a run makes them."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from kpi_assets.contracts import Datasource, Query, Window
from kpi_assets.registry import datasource_class

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")


def make(plugin: str, **args: Any) -> Any:
    """A datasource called `shop`."""
    cls = datasource_class(plugin)
    return cls("shop", cls.Args(**args))


def ask(source: Datasource, text: str, window: Window = WEEK, **query_args: Any) -> pd.DataFrame:
    """The frame of a query called `q`."""
    return source.query(Query("q", "shop", text, query_args), window)


def sqlite_file(path: Path, *statements: str) -> str:
    """A database file made by the statements."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return str(path)


def peak_megabytes() -> int:
    """Peak memory of this process alone: `ru_maxrss` would begin with that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


@contextmanager
def babbling(words: bytes = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") -> Iterator[int]:
    """The port of a server that says the same to everybody, and listens to nobody."""

    def talk() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
