"""The watch over secrets itself: it finds what got out, wherever that is."""

from __future__ import annotations

import base64
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pandas as pd
import pytest

from kpi_assets.contracts import Receipt
from kpi_assets.ledger import Held
from kpi_assets.ledger.store import open_ledger
from kpi_assets_tests.leaks import LeakError, leaks_in_files, leaks_in_texts, refuse
from kpi_assets_tests.ledger.worlds import MAIL, START
from kpi_assets_tests.secrets import secret

SECRET = secret("told")
pytest_plugins = ["pytester"]


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table snapshots (body blob)")
        connection.execute("insert into snapshots values (?)", [zlib.compress(SECRET.encode())])


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", f"a,b\n1,{SECRET}\n" * 9)


FILES: dict[str, Callable[[Path], object]] = {
    "plain": lambda path: path.write_text(f'{{"token": "{SECRET}"}}'),
    "base64, at the first place of three": lambda path: path.write_bytes(base64.b64encode(SECRET.encode())),
    "base64, at the second": lambda path: path.write_bytes(base64.b64encode(b"a" + SECRET.encode())),
    "base64, at the third": lambda path: path.write_bytes(base64.b64encode(b"ab" + SECRET.encode() + b"cd")),
    "packed in SQLite": _sqlite,
    "packed in an archive": _zip,
    "packed in Parquet": lambda path: pd.DataFrame({"a": [SECRET]}).to_parquet(path, compression="gzip"),
}


@pytest.mark.parametrize("how", FILES)
def test_a_secret_in_a_file_is_found(how: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """However a file holds it, the file's name and the secret's are told."""
    folder = tmp_path_factory.mktemp("leaky")
    FILES[how](folder / "deep")
    (found,) = {leak.rpartition(": ")[0] for leak in leaks_in_files([folder])}
    (folder / "deep").unlink()
    assert found == str(folder / "deep")
    assert leaks_in_files([folder]) == []


def test_a_secret_in_the_ledger_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A receipt with a secret makes the ledger's file one that leaks."""
    home = tmp_path_factory.mktemp("leaky")
    ledger = open_ledger(home, {})
    held = ledger.claim(MAIL, now=START)
    assert isinstance(held, Held)
    ledger.arrived(held, Receipt("board", "smtp", "notify", SECRET, "0" * 64), now=START)
    assert any("ledger.db" in leak for leak in leaks_in_files([home]))
    rmtree(home)


def test_the_message_says_where() -> None:
    """A text that holds a secret is named with the secret; one without is not."""
    told = [("log a", f"x {SECRET} y"), ("log b", "nothing")]
    with pytest.raises(LeakError, match=f"^a secret got out:\nlog a: {SECRET}$"):
        refuse(leaks_in_texts(told))
    refuse(leaks_in_texts(told[1:]))


LEAKY = """
import logging, subprocess, sys
from kpi_assets.errors import InputError
from kpi_assets_tests.secrets import secret

def test_quiet():
    assert secret("zero")

def test_log():
    logging.getLogger("kpi_assets.x").debug("token %s", secret("one"))

def test_error():
    try:
        raise InputError(secret("two"))
    except InputError:
        pass

def test_print():
    print(secret("three"))

def test_read_output(capsys):
    print(secret("four"))
    capsys.readouterr()

def test_process():
    subprocess.run([sys.executable, "-c", f"print('{secret('five')}')"], capture_output=True)

def test_file(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ledger.db").write_text(secret("six"))

def test_file_that_stays(tmp_path_factory):
    (tmp_path_factory.mktemp("x") / "home").write_text(secret("seven"))
"""


@pytest.mark.leaks
def test_a_test_that_leaks_fails(pytester: pytest.Pytester) -> None:
    """Logs at any level, swallowed errors, printed and read output, processes and files: each fails its own test."""
    pytester.makeconftest(
        "from kpi_assets_tests.leaks import _listening, _no_secret_gets_out, pytest_runtest_makereport"
    )
    pytester.makepyfile(LEAKY)
    result = pytester.inline_run("-q", "-p", "no:cacheprovider", f"--basetemp={pytester.path / 'inner'}")
    failed = {report.nodeid.rpartition("::")[2] for report in result.getreports() if report.failed}
    passed = {report.nodeid.rpartition("::")[2] for report in result.getreports() if report.passed}
    rmtree(pytester.path)
    ways = ("log", "error", "print", "read_output", "process", "file", "file_that_stays")
    assert failed == {f"test_{way}" for way in ways}
    assert "test_quiet" in passed - failed
