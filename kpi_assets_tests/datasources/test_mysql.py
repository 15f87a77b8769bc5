"""Against a real MariaDB server."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.mysql import GRACE
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.secrets import secret
from kpi_assets_tests.servers import Database

WRONG = secret("very secret")

mariadb_server = pytest.mark.mariadb

TRIALS = (
    "create table trials (started_at datetime, stamp timestamp null, day varchar(10), "
    "converted int, fee decimal(8, 2))"
)
STARTED = [
    "2024-11-10 08:00:00",
    "2024-11-17 23:59:59",
    "2024-11-18 00:00:00",
    "2024-11-18 09:00:00",
    "2024-11-24 23:59:59",
]


def login(database: Database, plugin: str = "mysql", **args: Any) -> Any:
    given = {"host": database.host, "port": database.port, "user": database.user, "passwd": database.password}
    return make(plugin, **{**given, "db": database.database, **args})


@pytest.fixture
def shop(mariadb: Database) -> Database:
    mariadb.execute(TRIALS)
    for n, at in enumerate([*STARTED, "2024-11-25 00:00:00"]):
        zone = "set statement time_zone = '+01:00' for"
        mariadb.execute(f"{zone} insert into trials values ('{at}', '{at}', '{at[:10]}', {n % 2}, 1.5)")
    return mariadb


FUNNEL = """
select date_format(started_at, '%%Y-%%m-%%d') as day, count(*) as trials, sum(converted) as converted
from {db}.trials
where started_at >= {from} and started_at < {to}
group by day(started_at)
"""


@mariadb_server
@pytest.mark.parametrize("plugin", ["mysql", "sql"])
def test_an_old_report(shop: Database, plugin: str) -> None:
    """A query in KPI Reporter's words, doubled percent signs and all, gives the right days and numbers."""
    source = login(shop, plugin)
    found = ask(source, FUNNEL.replace("{db}", shop.database), parse_dates={"day": "%Y-%m-%d"})
    source.close()
    assert [str(day.date()) for day in found["day"]] == ["2024-11-18", "2024-11-24"]
    assert (list(found["trials"]), list(found["converted"])) == ([2, 1], [1.0, 0.0])
    assert str(found["day"].dtype) == "datetime64[ns]"


@mariadb_server
def test_the_window_before(shop: Database) -> None:
    """KPI Reporter's comparison query counts the window before, of the window's own length."""
    source = login(shop)
    text = "select count(*) as n from trials where started_at >= date_sub({from}, {interval}) and started_at < {from}"
    assert ask(source, text)["n"][0] == 1
    longer = Window(date(2024, 11, 18), date(2024, 11, 28), "Europe/Berlin")
    assert ask(source, text, longer)["n"][0] == 2
    source.close()


@mariadb_server
@pytest.mark.parametrize("column", ["started_at", "stamp", "day"])
def test_the_window_is_half_open(shop: Database, column: str) -> None:
    """DATETIME, TIMESTAMP and days kept as text are cut at the report's midnights."""
    source = login(shop)
    found = ask(source, f"select started_at from trials where {column} >= {{from}} and {column} < {{to}}")
    source.close()
    assert [at.strftime("%Y-%m-%d %H:%M:%S") for at in found["started_at"]] == STARTED[2:]


@mariadb_server
def test_types(shop: Database) -> None:
    """Tokens are timestamps, money is float, a single percent sign is literal."""
    source = login(shop)
    found = ask(
        source,
        "select {from} as f, sum(fee) as s, 'ab' like 'a%' as l, x'00ff' as b, time('10:00') as t from trials",
    )
    assert [str(kind) for kind in found.dtypes[:3]] == ["datetime64[ns, Europe/Berlin]", "float64", "int64"]
    assert list(found.iloc[0][1:4]) == [9.0, 1, b"\x00\xff"]
    source.close()


@mariadb_server
def test_the_server_refuses_to_write(shop: Database) -> None:
    """A function that writes, which no guard sees, is refused by the server."""
    shop.execute("create function sneak() returns int begin delete from trials; return 1; end")
    source = login(shop)
    with pytest.raises(QueryError, match="READ ONLY transaction"):
        ask(source, "select sneak()")
    assert ask(source, "select count(*) as n from trials")["n"][0] == 6
    source.close()


@mariadb_server
def test_time_limit(shop: Database) -> None:
    """The server stops a statement that takes too long, and the datasource works on."""
    source = login(shop, statement_timeout=0.2, concurrency=1)
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"):
        ask(source, "select count(*) from seq_1_to_1000000 a, seq_1_to_1000000 b where a.seq % 7 = b.seq % 5")
    assert ask(source, "select 1 as n")["n"][0] == 1
    source.close()


@mariadb_server
def test_wrong_password_is_not_told(shop: Database) -> None:
    """A login that fails is no passing fault; neither password nor URL shows."""
    url = f"mysql://{shop.user}:{quote(WRONG)}@127.0.0.1:{shop.port}/{shop.database}"
    for source in (login(shop, passwd=WRONG, retry_for=5), make("sql", url=url, retry_for=5)):
        with pytest.raises(QueryError, match="Access denied") as caught:
            ask(source, "select 1")
        assert "very" not in repr(caught.value) + repr(source.args)
        source.close()


def test_a_server_that_is_down_is_tried_again() -> None:
    """A refused connection is tried until the deadline, then told as a passing fault."""
    source = make("mysql", host="127.0.0.1", port=1, user="x", retry_for=0.3)
    with pytest.raises(RetriableError, match=r"datasource 'shop': 127\.0\.0\.1:1 is away"):
        ask(source, "select 1")


@mariadb_server
def test_a_lost_connection_is_opened_again(shop: Database) -> None:
    """A connection that the server closed between queries is replaced without the user's noticing."""
    source = login(shop, concurrency=1)
    number = ask(source, "select connection_id() as id")["id"][0]
    shop.execute(f"kill {number}")
    assert ask(source, "select connection_id() as id")["id"][0] != number
    source.close()


@mariadb_server
def test_a_table_dropped_between_queries(shop: Database) -> None:
    """The server's words are told, without values."""
    source = login(shop)
    assert len(ask(source, "select * from trials")) == 6
    shop.execute("drop table trials")
    with pytest.raises(QueryError, match="trials' doesn't exist"):
        ask(source, "select * from trials where day = %s", params=[WRONG])
    with pytest.raises(QueryError, match="syntax") as caught:
        ask(source, "select from where %s", params=[WRONG])
    assert WRONG not in str(caught.value)
    source.close()


@mariadb_server
def test_max_rows(shop: Database) -> None:
    """A long answer ends at the limit without being read to its end, and the datasource works on."""
    source = login(shop, max_rows=5000, concurrency=1)
    with pytest.raises(QueryError, match="more than 5000 rows"):
        ask(source, "select * from seq_1_to_1000000000")
    assert len(ask(source, "select * from seq_1_to_5000")) == 5000
    source.close()


def test_familiar_arguments() -> None:
    """`passwd`, `db` and `driver` mean what they meant; the rest of PyMySQL's arguments says what to do instead."""
    source = make("sql", driver="mysql", host="h", user="u", passwd="p", db="d", port=3307)
    assert source.backend.connect_args["password"] == "p"
    assert source.backend.connect_args["database"] == "d"
    assert "cursorclass" in type(source.args).ignored_keys
    found = type(source).analyse(
        Query("q", "shop", "select ts from t where ts >= {from} and ts < {to}"), source.args
    )
    assert found.grain == "day"


@mariadb_server
def test_a_server_without_zone_tables_is_warned_about(
    shop: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the clock changes inside the window and the server knows no zones, the log says what to load; else not."""
    converted = ask(login(shop), "select convert_tz('2024-01-01', 'UTC', 'Europe/Berlin') as at")
    knows_zones = bool(converted["at"].notna().all())
    source = login(shop, timezone="Europe/Berlin")
    text = "select count(*) as n from trials where stamp >= {from} and stamp < {to}"
    ask(source, text, window=Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin"))
    assert "mysql_tzinfo_to_sql" not in caplog.text
    ask(source, text, window=Window(date(2024, 10, 21), date(2024, 10, 28), "Europe/Berlin"))
    assert ("mysql_tzinfo_to_sql" in caplog.text) == (not knows_zones)


@mariadb_server
def test_an_answer_that_does_not_come_through_is_not_waited_for(mariadb: Database) -> None:
    """Where the network goes after the question, the client gives up soon after the time that a statement may take."""
    source = login(mariadb, statement_timeout=60)
    ask(source, "select 1 as a")
    held = source.backend.engine.raw_connection()
    source.close()
    assert held.driver_connection._read_timeout == 60 + GRACE
