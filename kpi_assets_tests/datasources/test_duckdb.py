from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from kpi_assets.contracts import Window
from kpi_assets.errors import QueryError
from kpi_assets_tests.datasources.helpers import ask, make


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = str(tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(
            "create table orders (sold timestamp, day date, paid timestamptz, amount decimal(10, 2))"
        )
        connection.execute("set TimeZone = 'Europe/Berlin'")
        for at, amount in (
            ("2024-11-17 23:59:59", 1),
            ("2024-11-18 00:00:00", 2),
            ("2024-11-25 00:00:00", 4),
        ):
            connection.execute(
                "insert into orders select $1, $1::timestamp::date, $1::timestamptz, $2", [at, amount]
            )
    return path


@pytest.mark.parametrize("column", ["sold", "day", "paid"])
def test_the_window_is_half_open(shop: str, column: str) -> None:
    """Moments, days and instants are cut at the report's midnights."""
    source = make("duckdb", database=shop)
    found = ask(
        source, f"select amount, {column} as c from orders where {column} >= {{from}} and {column} < {{to}}"
    )
    assert list(found["amount"]) == [2.0]
    assert found["c"][0].date() == date(2024, 11, 18)
    source.close()


def test_types(shop: str) -> None:
    """Sums of integers stay integers, money becomes floats, nested values become JSON text."""
    source = make("duckdb", database=shop)
    found = ask(
        source,
        "select sum(1) as n, sum(amount) as s, [1, 2] as l, {'a': 1} as r, interval 36 hour as i from orders",
    )
    assert list(found.iloc[0]) == [3, 7.0, "[1, 2]", '{"a": 1}', "129600 seconds"]
    assert [str(kind) for kind in found.dtypes[:2]] == ["int64", "float64"]
    source.close()


def test_the_file_is_opened_for_reading(shop: str) -> None:
    """The database itself refuses to write."""
    source = make("duckdb", database=shop)
    with pytest.raises(duckdb.Error, match="read-only"):
        source.backend._connection().execute("delete from orders")
    source.close()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """A wrong path is an error that shows it, and no empty database appears there."""
    path = tmp_path / "nope.duckdb"
    with pytest.raises(QueryError, match=f"there is no database file {path}"):
        ask(make("duckdb", database=str(path)), "select 1")
    assert not path.exists()


def test_refused(shop: str) -> None:
    """What DuckDB refuses is told in its words, without the statement."""
    source = make("duckdb", database=shop)
    with pytest.raises(QueryError, match="nope") as caught:
        ask(source, "select nope from orders where amount > ?", params=[123456])
    assert "LINE" not in str(caught.value)
    assert "123456" not in str(caught.value)
    with pytest.raises(QueryError, match="called 'a'"):
        ask(source, "select 1 as a, 2 as a")
    assert len(ask(source, "select * from orders")) == 3
    source.close()


def test_time_limit() -> None:
    """A query that takes too long is interrupted, and the datasource works on."""
    source = make("duckdb", statement_timeout=0.2)
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"):
        ask(source, "select count(*) from range(100000000) a, range(1000) b where a.range % 7 = b.range % 5")
    assert ask(source, "select 1 as n")["n"][0] == 1
    source.close()


def test_max_rows() -> None:
    """An answer that is too long ends at the limit, not in memory."""
    source = make("duckdb", max_rows=10_000)
    with pytest.raises(QueryError, match="more than 10000 rows"):
        ask(source, "select * from range(1000000000)")
    source.close()


def test_parquet_files(tmp_path: Path) -> None:
    """Without a database, files are read."""
    path = tmp_path / "t.parquet"
    duckdb.execute(f"copy (select 7 as n) to '{path}'").fetchall()
    source = make("duckdb")
    assert ask(source, f"select n from '{path}'")["n"][0] == 7
    source.close()


def test_interval() -> None:
    """`{interval}` is the window's length, over a change of the clocks too."""
    source = make("duckdb")
    window = Window(date(2024, 3, 30), date(2024, 4, 1), "Europe/Berlin")
    found = ask(
        source,
        "select {from} + {interval} = {to} as a, {from} - {interval} as b, {to}::date - {from}::date as n",
        window,
    )
    assert (found["a"][0], str(found["b"][0]), found["n"][0]) == (True, "2024-03-28 00:00:00+01:00", 2)
    source.close()
