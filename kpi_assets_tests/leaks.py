"""Fails every test in whose run a secret got out: into a log, an error, output of a command, or a file.

Dagster's records, the ledger, editions and frames are files under the test's folder, so they are read there. `conftest`
takes the fixtures of this module over, so they hold for the whole suite.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kpi_assets.errors import KpiAssetsError
from kpi_assets_tests.secrets import LEAK

UNREAD = {".pyc", ".png", ".so"}
_told: list[tuple[str, str]] = []
"""Texts of the running test that somebody could read, each with where it was told."""


class LeakError(AssertionError):
    """Secrets were found; the message says where."""


class _Listener(logging.Handler):
    """Every record with its traceback, whatever its level."""

    def emit(self, record: logging.LogRecord) -> None:
        _told.append((f"log {record.name} ({record.levelname})", self.format(record)))


@pytest.fixture(scope="session", autouse=True)
def _listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hear logs, errors and processes for the whole session; look through everything that it left behind."""
    listener, ours = _Listener(logging.NOTSET), logging.getLogger("kpi_assets")
    logging.getLogger().addHandler(listener)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "level", logging.DEBUG)
        patch.setattr(KpiAssetsError, "__init__", _noted(KpiAssetsError.__init__))
        patch.setattr(subprocess.Popen, "communicate", _heard(subprocess.Popen.communicate))
        patch.setattr(pytest.CaptureFixture, "readouterr", _heard(pytest.CaptureFixture.readouterr))
        yield
    logging.getLogger().removeHandler(listener)
    refuse(leaks_in_files([tmp_path_factory.getbasetemp()]))


@pytest.fixture(autouse=True)
def _no_secret_gets_out(request: pytest.FixtureRequest) -> Iterator[None]:
    _told.clear()
    yield
    if request.node.get_closest_marker("leaks"):
        return
    folder = request.node.funcargs.get("tmp_path")
    refuse([*leaks_in_texts(_told), *leaks_in_files([folder] if folder else [])])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What was captured without a fixture is known only to the report."""
    outcome: Any = yield
    report = outcome.get_result()
    found = leaks_in_texts(report.sections)
    if found and report.passed and not item.get_closest_marker("leaks"):
        report.outcome = "failed"
        report.longrepr = _sentence(found)


def refuse(found: Iterable[str]) -> None:
    """Raises LeakError where anything was found."""
    listed = list(found)
    if listed:
        raise LeakError(_sentence(listed))


def leaks_in_texts(told: Iterable[tuple[str, str]]) -> list[str]:
    """Where a secret was told."""
    return [
        f"{where}: {leak}" for where, text in told for leak in _leaks(text.encode("utf-8", "surrogatepass"))
    ]


def leaks_in_files(folders: Iterable[Path]) -> list[str]:
    """The files below the folders that hold a secret, packed ones unpacked."""
    return [f"{path}: {leak}" for path in _files(folders) for leak in _leaks_of(path)]


def _sentence(found: list[str]) -> str:
    return "a secret got out:\n" + "\n".join(dict.fromkeys(found))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for root, _, names in os.walk(folder):  # not Path.walk, which Python 3.11 has not
            paths = (Path(root, name) for name in names)
            yield from (path for path in paths if path.suffix not in UNREAD and path.is_file())


def _leaks_of(path: Path) -> set[str]:
    try:
        return {leak for content in _contents(path) for leak in _leaks(content)}
    except FileNotFoundError:  # a process that still runs has tidied up
        return set()


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what is packed in them."""
    raw = path.read_bytes()
    yield raw
    unpack = next((unpack for magic, unpack in PACKED.items() if raw.startswith(magic)), None)
    if unpack:
        with suppress(sqlite3.Error, zipfile.BadZipFile, OSError, ValueError):  # broken on purpose
            yield from unpack(path)


def _members(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        yield from (archive.read(name) for name in archive.namelist())


def _packed_rows(path: Path) -> Iterator[bytes]:
    """Dagster packs its snapshots with zlib before it stores them."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        tables = [
            name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'select * from "{table}"'):
                packed = (value for value in row if isinstance(value, bytes) and value[:1] == b"\x78")
                yield from map(_unpacked, packed)


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed


def _columns(path: Path) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    for column in pq.read_table(path).columns:
        yield str(column.unique().to_pylist()).encode()


PACKED: dict[bytes, Callable[[Path], Iterator[bytes]]] = {
    b"SQLite format 3\0": _packed_rows,
    b"PAR1": _columns,
    b"PK\3\4": _members,
}
"""How a file starts, and how it is read further."""


def _leaks(content: bytes) -> set[str]:
    return {match[0].decode("utf-8", "replace") for match in LEAK.finditer(content)}


def _noted(init: Callable[..., None]) -> Callable[..., None]:
    """An error's words, when it is made."""

    def noted(self: KpiAssetsError, *args: object) -> None:
        init(self, *args)
        _told.append((f"error {type(self).__name__}", f"{self} {self!r}"))

    return noted


def _heard(ask: Callable[..., Any]) -> Callable[..., Any]:
    """What a process or a command wrote, when the test asks for it."""

    def heard(self: Any, *args: Any, **kwargs: Any) -> Any:
        said = ask(self, *args, **kwargs)
        texts = (part if isinstance(part, str) else (part or b"").decode("utf-8", "replace") for part in said)
        _told.extend((f"output {name}", text) for name, text in zip(("stdout", "stderr"), texts, strict=True))
        return said

    return heard
