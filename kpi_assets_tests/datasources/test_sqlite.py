from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from kpi_assets.contracts import Window
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.helpers import WEEK, ask, make, sqlite_file
from kpi_assets_tests.secrets import secret

PARAMETER = secret("parameter")

ROWS = (
    "create table orders (at text, day text, amount real, note text)",
    "insert into orders values ('2024-11-17 23:59:59', '2024-11-17', 1, 'before')",
    "insert into orders values ('2024-11-18 00:00:00', '2024-11-18', 2, 'first')",
    "insert into orders values ('2024-11-24 23:59:59', '2024-11-24', 4, 'last')",
    "insert into orders values ('2024-11-25 00:00:00', '2024-11-25', 8, 'after')",
    "insert into orders values (null, null, 16, 'never')",
)


@pytest.fixture
def shop(tmp_path: Path) -> str:
    return sqlite_file(tmp_path / "a shop?%20#1.db", *ROWS)


@pytest.mark.parametrize("column", ["at", "day"])
def test_the_window_is_half_open(shop: str, column: str) -> None:
    """The first midnight is in, the last is not, for columns of moments and of days."""
    found = ask(
        make("sqlite", database=shop),
        f"select note from orders where {column} >= {{from}} and {column} < {{to}}",
    )
    assert list(found["note"]) == ["first", "last"]


@pytest.mark.parametrize(
    ("form", "make_value"),
    [
        ("iso", "strftime('%Y-%m-%dT%H:%M:%S', at)"),
        ("epoch", "unixepoch(at)"),
        ("epoch_ms", "unixepoch(at) * 1000"),
    ],
)
def test_timestamp_formats(tmp_path: Path, form: str, make_value: str) -> None:
    """Columns of ISO text with T, of seconds and of milliseconds are cut at the same instants."""
    path = sqlite_file(
        tmp_path / "s.db", *ROWS, f"create table t as select {make_value} as at, note from orders"
    )
    source = make("sqlite", database=path, timestamp_format=form, timezone="UTC")
    utc = Window(WEEK.start, WEEK.end, "UTC")
    found = ask(source, "select note, at from t where at >= {from} and at < {to}", utc, parse_dates=["at"])
    assert list(found["note"]) == ["first", "last"]
    assert found["at"][0] == pd.Timestamp("2024-11-18", tz="UTC")
    before = ask(
        source, "select note from t where at >= date_sub({to}, {interval}) and at < {from} + {interval}", utc
    )
    assert list(before["note"]) == ["first", "last"]


def test_zone_of_naive_times(shop: str) -> None:
    """Bounds are told in the datasource's zone, and moments come back in the report's."""
    source = make("sqlite", database=shop, timezone="UTC")
    found = ask(source, "select at, note from orders where at >= {from} and at < {to}")
    assert list(found["note"]) == ["before", "first"]
    assert [at.isoformat() for at in found["at"]] == [
        "2024-11-18T00:59:59+01:00",
        "2024-11-18T01:00:00+01:00",
    ]


def test_old_queries_run(shop: str) -> None:
    """KPI Reporter's comparison in MySQL's words runs on SQLite too, also on a column."""
    source = make("sql", driver="sqlite", database=shop)
    text = "select count(*) as n from orders where day >= date_sub({from}, {interval}) and day < {from}"
    assert ask(source, text)["n"][0] == 1
    moved = ask(
        source,
        "select date_add(at, {interval}) as a, date_sub(day, {interval}) as d from orders where note='first'",
    )
    assert [str(moved["a"][0]), str(moved["d"][0])] == ["2024-11-25 00:00:00+01:00", "2024-11-11 00:00:00"]


def test_nothing_is_written(shop: str, tmp_path: Path) -> None:
    """Even past the guard, the connection refuses to write, to attach and to change settings."""
    source = make("sqlite", database=shop)
    raw = source.backend._connect()
    with closing(raw):
        for statement in ("delete from orders", "create table x (a)", f"attach '{tmp_path}/new.db' as n"):
            with pytest.raises(sqlite3.DatabaseError):
                raw.execute(statement)
    with pytest.raises(QueryError, match="DELETE is not a statement that reads"):
        ask(source, "delete from orders")
    assert not (tmp_path / "new.db").exists()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """A wrong path is an error that shows it, and no empty database appears there."""
    path = tmp_path / "nope.db"
    with pytest.raises(QueryError, match=f"there is no database file {path}"):
        ask(make("sqlite", database=str(path)), "select 1")
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of another kind is named."""
    path = tmp_path / "report.yaml"
    path.write_text("title: no database\n" * 100)
    with pytest.raises(QueryError, match=r"report\.yaml is not a SQLite database"):
        ask(make("sqlite", database=str(path)), "select * from t")


def test_a_locked_file(shop: str) -> None:
    """A file that another program keeps locked is waited for, then told as a passing fault."""
    with closing(sqlite3.connect(shop)) as other:
        other.execute("begin exclusive")
        with pytest.raises(RetriableError, match=r"is locked by another program, still after 0\.05 s"):
            ask(make("sqlite", database=shop, timeout=0.05), "select * from orders")
    assert len(ask(make("sqlite", database=shop), "select * from orders")) == 5


def test_a_table_dropped_between_queries(shop: str) -> None:
    """A table that goes away under an open datasource is told in SQLite's words."""
    source = make("sqlite", database=shop)
    assert len(ask(source, "select * from orders")) == 5
    sqlite_file(Path(shop), "drop table orders")
    with pytest.raises(QueryError, match="no such table: orders"):
        ask(source, "select * from orders")
    source.close()


def test_time_limit(shop: str) -> None:
    """A query that never ends is stopped, and the datasource works on."""
    source = make("sqlite", database=shop, statement_timeout=0.1)
    endless = "with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r"
    with pytest.raises(QueryError, match=r"longer than 0\.1 s.*`statement_timeout`"):
        ask(source, endless)
    assert len(ask(source, "select * from orders")) == 5
    source.close()


def test_max_rows(shop: str) -> None:
    """A longer answer than wanted is an error that says how to raise the limit; an answer of that length is not."""
    text = "select note from orders"
    assert len(ask(make("sqlite", database=shop, max_rows=5), text)) == 5
    with pytest.raises(QueryError, match=r"more than 4 rows: .* raise `max_rows` of datasource 'shop'"):
        ask(make("sqlite", database=shop, max_rows=4), text)


def test_many_threads(shop: str) -> None:
    """More threads than connections get their own answers, and all connections are given back."""
    source = make("sqlite", database=shop, concurrency=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda n: ask(source, f"select {n} as n, count(*) as c from orders")["n"][0], range(40))
        )
    assert found == list(range(40))
    assert source.backend.engine.pool.checkedin() <= 2
    source.close()


def test_names_and_values(shop: str) -> None:
    """A column called `from`, unicode, blobs and braces come through."""
    text = "select 1 as \"from\", 'ünïcode {x}' as \"Größe\", x'00ff' as b, null as n"
    found = ask(make("sqlite", database=shop), text)
    assert list(found.columns) == ["from", "Größe", "b", "n"]
    assert list(found.iloc[0]) == [1, "ünïcode {x}", b"\x00\xff", None]


def test_errors_hold_no_values(shop: str) -> None:
    """The query's own parameters do not show in an error."""
    with pytest.raises(QueryError) as caught:
        ask(
            make("sqlite", database=shop),
            "select nope from orders where note = :note",
            params={"note": PARAMETER},
        )
    assert "no such column: nope" in str(caught.value)
    assert PARAMETER not in repr(caught.value) + repr(caught.value.__cause__)


def test_file_uri(shop: str) -> None:
    """A file: URI is opened, for reading only whatever its mode says."""
    uri = f"{Path(shop).as_uri()}?mode=rwc&cache=private"
    source = make("sqlite", database=uri, uri=True)
    assert len(ask(source, "select * from orders")) == 5
    with closing(source.backend._connect()) as raw:
        raw.execute("pragma query_only = off")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            raw.execute("delete from orders")


def test_the_window_before_over_dst(tmp_path: Path) -> None:
    """A comparison with the window before counts days, over a change of the clocks too."""
    path = sqlite_file(
        tmp_path / "s.db",
        "create table t (at text)",
        "insert into t values ('2024-03-30 00:00:00'), ('2024-03-31 12:00:00')",
    )
    window = Window(date(2024, 3, 31), date(2024, 4, 1), "Europe/Berlin")
    text = "select at from t where at >= {from} - {interval} and at < {from}"
    assert [str(at) for at in ask(make("sqlite", database=path), text, window)["at"]] == [
        "2024-03-30 00:00:00+01:00"
    ]


def test_check(shop: str, tmp_path: Path) -> None:
    """`check` passes for a database that answers and raises for one that is not there."""
    make("sqlite", database=shop).check()
    with pytest.raises(QueryError, match="no database file"):
        make("sqlite", database=str(tmp_path / "x.db")).check()
