"""Against a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from kpi_assets.contracts import Window
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.secrets import secret
from kpi_assets_tests.servers import Database

WRONG = secret("very secret")

pytestmark = pytest.mark.postgres

ORDERS = (
    "create table orders (at timestamp, paid timestamptz, day date, amount numeric(10, 2), note text)",
    """insert into orders select at, at at time zone 'Europe/Berlin', at::date, n * 1.5, 'n' || n from
    (values (timestamp '2024-11-17 23:59:59', 1), ('2024-11-18 00:00', 2),
    ('2024-11-24 23:59:59', 3), ('2024-11-25', 4))
    as v (at, n)""",
)


def login(database: Database, **args: Any) -> Any:
    given = {"host": database.host, "port": database.port, "user": database.user, "passwd": database.password}
    return make("postgresql", **{**given, "db": database.database, **args})


@pytest.fixture
def shop(postgres: Database) -> Database:
    postgres.execute(*ORDERS)
    return postgres


@pytest.mark.parametrize("column", ["at", "paid", "day"])
@pytest.mark.parametrize("server_zone", ["UTC", "America/New_York"])
def test_the_window_is_half_open(shop: Database, column: str, server_zone: str) -> None:
    """Moments, instants and days are cut at the report's midnights, whatever zone the server is in."""
    shop.execute(f"alter role current_user in database {shop.database} set timezone = '{server_zone}'")
    source = login(shop)
    found = ask(
        source,
        f"select note, {column} as c from orders where {column} >= {{from}} and {column} < {{to}} order by 1",
    )
    source.close()
    assert list(found["note"]) == ["n2", "n3"]
    assert found["c"][0].date() == date(2024, 11, 18)


def test_a_midnight_that_comes_twice(shop: Database) -> None:
    """Where midnight comes twice, the day starts with the first."""
    shop.execute(
        "insert into orders (paid, note) values "
        "('2024-11-03 04:30:00+00', 'first'), ('2024-11-03 03:59:00+00', 'before')"
    )
    window = Window(date(2024, 11, 3), date(2024, 11, 4), "America/Havana")
    source = login(shop)
    assert list(
        ask(source, "select note from orders where paid >= {from} and paid < {to}", window)["note"]
    ) == ["first"]
    source.close()


def test_types(shop: Database) -> None:
    """Money is float, JSON is text, percent signs and casts are what they are, rows may be none."""
    source = login(shop)
    text = """select sum(amount) as s, count(*) as n, '{"a": 1}'::jsonb as j, '50%'::text as p, 'ab' like 'a%' as l,
    null::int as nothing from orders where at >= {from} - {interval}"""
    found = ask(source, text).iloc[0]
    assert list(found[:5]) == [15.0, 4, '{"a": 1}', "50%", True]
    assert ask(source, "select at from orders where false").shape == (0, 1)
    source.close()


def test_the_server_refuses_to_write(shop: Database) -> None:
    """A function that writes, which no guard sees, is refused by the server."""
    shop.execute("create function sneak() returns int language sql as 'delete from orders returning 1'")
    source = login(shop)
    with pytest.raises(QueryError, match="read-only transaction"):
        ask(source, "select sneak()")
    assert ask(source, "select count(*) as n from orders")["n"][0] == 4
    source.close()


def test_time_limit(shop: Database) -> None:
    """The server stops a statement that takes too long, and the connection works on."""
    source = login(shop, statement_timeout=0.2, concurrency=1)
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"):
        ask(source, "select pg_sleep(30)::text")
    assert ask(source, "select 1 as n")["n"][0] == 1
    source.close()


def test_wrong_password_is_not_told(shop: Database) -> None:
    """A login that fails is no passing fault; neither password nor URL shows."""
    url = f"postgresql://nobody:{quote(WRONG)}@127.0.0.1:{shop.port}/no_such_database"
    for source in (
        login(shop, db="no_such_database", passwd=WRONG, retry_for=5),
        make("sql", url=url, retry_for=5),
    ):
        with pytest.raises(QueryError, match=r"does not exist|password") as caught:
            ask(source, "select 1")
        assert "very" not in repr(caught.value) + repr(source.args)
        source.close()


def test_a_server_that_is_down_is_tried_again() -> None:
    """A refused connection is tried until the deadline, then told as a passing fault."""
    source = make("postgresql", host="127.0.0.1", port=1, user="x", database="x", retry_for=0.3)
    with pytest.raises(RetriableError, match=r"datasource 'shop': .*port 1 failed"):
        ask(source, "select 1")


def test_a_lost_connection_is_opened_again(shop: Database) -> None:
    """A connection that the server closed between queries is replaced without the user's noticing."""
    source = login(shop, concurrency=1)
    pid = ask(source, "select pg_backend_pid() as pid")["pid"][0]
    shop.execute(f"select pg_terminate_backend({pid})")
    assert ask(source, "select pg_backend_pid() as pid")["pid"][0] != pid
    source.close()


def test_a_table_dropped_between_queries(shop: Database) -> None:
    """The server's words are told, without the statement and its values."""
    source = login(shop)
    assert len(ask(source, "select * from orders")) == 4
    shop.execute("drop table orders")
    with pytest.raises(QueryError, match='relation "orders" does not exist') as caught:
        ask(source, "select * from orders where note = %s", params=[WRONG])
    assert WRONG not in str(caught.value)
    assert "LINE" not in str(caught.value)
    source.close()


def test_max_rows_and_threads(shop: Database) -> None:
    """Long answers end at the limit, and connections thrown away for it are replaced."""
    source = login(shop, max_rows=5000, concurrency=2)
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(ask, source, f"select * from generate_series(1, {n})")
            for n in (5000, 10**7, 5000, 10**7)
        ]
        lengths = [len(jobs[i].result()) for i in (0, 2)]
        for i in (1, 3):
            with pytest.raises(QueryError, match="more than 5000 rows"):
                jobs[i].result()
    assert lengths == [5000, 5000]
    source.close()


def test_check(shop: Database) -> None:
    """`check` logs in."""
    source = login(shop)
    source.check()
    source.close()
