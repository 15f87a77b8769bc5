"""Trino, ClickHouse, BigQuery and Snowflake by URL: their own drivers, against servers that speak their protocols."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.api import Api, Reply, serving
from kpi_assets_tests.datasources.bigquery_peer import BigQuery, bigquery
from kpi_assets_tests.datasources.clickhouse_peer import ClickHouse, clickhouse
from kpi_assets_tests.datasources.duck import SALES, Duck
from kpi_assets_tests.datasources.ga4_peer import key_file
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.datasources.snowflake_peer import Snowflake, snowflake
from kpi_assets_tests.datasources.trino_peer import Trino, trino

HOUSES = ("trino", "clickhouse", "bigquery", "snowflake")
PEERS: dict[str, Callable[[Duck], Any]] = {
    "trino": Trino,
    "clickhouse": ClickHouse,
    "bigquery": BigQuery,
    "snowflake": Snowflake,
}
ALL = """select id, moment, day, amount, who, `from`, ratio from sales
where moment >= {from} and moment < {to} order by id"""
SLOW: dict[str, Any] = {
    "trino": {
        "message": "Query exceeded",
        "errorName": "EXCEEDED_TIME_LIMIT",
        "errorType": "INSUFFICIENT_RESOURCES",
    },
    "clickhouse": (159, "Timeout exceeded: elapsed 300.1 seconds, maximum: 300 (TIMEOUT_EXCEEDED)"),
    "bigquery": (400, "stopped", "Job timed out after 300.0 sec"),
    "snowflake": ("000630", "57014", "Statement reached its statement or warehouse timeout of 300 second(s)"),
}
BUSY: dict[str, Any] = {
    "trino": {
        "message": "Too many queued queries",
        "errorName": "QUERY_QUEUE_FULL",
        "errorType": "INSUFFICIENT_RESOURCES",
    },
    "clickhouse": (202, "Too many simultaneous queries. Maximum: 100. (TOO_MANY_SIMULTANEOUS_QUERIES)"),
    "bigquery": (503, "backendError", "Error encountered during execution. Retrying may solve the problem."),
}


@dataclass
class House:
    """A warehouse on loopback. `make` opens a datasource on it, `args` over the right ones."""

    name: str
    peer: Any
    api: Api
    url: str

    def make(self, **args: Any) -> Any:
        own = {"connect_args": {"protocol": "http"}} if self.name == "snowflake" else {}
        return make("sql", **{"url": self.url, "retry_for": 0, **own, **args})

    def text(self, query: str) -> str:
        """BigQuery quotes names in its own way."""
        return query if self.name == "bigquery" else query.replace("`", '"')


def url_of(name: str, address: str, folder: Path) -> str:
    place = address.removeprefix("http://")
    return {
        "trino": f"trino://u@{place}/memory/default",
        "clickhouse": f"clickhouse://u:word@{place}/default",
        "bigquery": f"bigquery://quillmoor/shop?credentials_path={key_file(folder, address)}",
        "snowflake": f"snowflake://u:word@{place}/db/public?account=acc",
    }[name]


def lead_google(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Google's client goes where its emulator would be; its thread that asks for a region goes nowhere."""
    from google.auth.credentials import CredentialsWithRegionalAccessBoundary

    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
    monkeypatch.setattr(
        CredentialsWithRegionalAccessBoundary,
        "_maybe_start_regional_access_boundary_refresh",
        lambda *_: None,
    )


@contextmanager
def opened(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    peer = PEERS[name](Duck(*SALES))
    lead = {"trino": trino, "clickhouse": clickhouse, "snowflake": snowflake}
    with bigquery(peer, folder) if name == "bigquery" else lead[name](peer) as found:
        api = found[0] if isinstance(found, tuple) else found
        lead_google(monkeypatch, api.url)
        yield House(name, peer, api, url_of(name, api.url, folder))


@pytest.fixture(params=HOUSES)
def house(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with opened(request.param, tmp_path, monkeypatch) as found:
        yield found


def test_rows_of_the_window(house: House) -> None:
    """Instants are cut at the report's midnights; numbers, days, gaps, unicode and a column `from` come through."""
    source = house.make()
    frame = ask(source, house.text(ALL))
    assert frame["id"].tolist() == [2, 3]
    assert frame["moment"].iloc[0] == pd.Timestamp("2024-11-18", tz="Europe/Berlin")
    assert frame["day"].tolist() == [pd.Timestamp("2024-11-18"), pd.Timestamp("2024-11-24")]
    assert frame["amount"].tolist() == [3.0, 4.5]
    assert frame["who"].tolist() == ["Zoë ☃", None]
    assert frame["from"].tolist() == ["x", "x"]
    source.close()


@pytest.mark.parametrize("name", ["trino", "snowflake"])
@pytest.mark.parametrize("column", ["sold_at", "moment", "day"])
def test_sessions_are_in_the_reports_zone(
    name: str, column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wall times, instants and days are cut alike, since a bound without zone is one of the session's."""
    with opened(name, tmp_path, monkeypatch) as house:
        text = f"select id from sales where {column} >= {{from}} and {column} < {{to}} order by id"
        assert ask(house.make(), text)["id"].tolist() == [2, 3]


def test_bigquery_asks_other_columns_by_casts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound is a TIMESTAMP, which functions turn into the day of the report."""
    with opened("bigquery", tmp_path, monkeypatch) as house:
        text = (
            "select id from sales where day >= cast({from} as date) and day < cast({to} as date) order by id"
        )
        assert ask(house.make(), text)["id"].tolist() == [2, 3]


@pytest.mark.parametrize("name", ["trino", "snowflake"])
def test_a_midnight_that_comes_twice(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the bound says which of the two it is."""
    with opened(name, tmp_path, monkeypatch) as house:
        window = Window(date(2024, 11, 3), date(2024, 11, 4), "America/Havana")
        ask(house.make(), "select 1 as a where {from} < {to}", window)
        said = str(house.peer.statements)
        first = datetime(2024, 11, 3, 4, tzinfo=UTC)
        assert ("2024-11-03 04:00:00.000000 UTC" in said) or (f"{first.timestamp():.0f}000000000" in said)


def test_no_rows(house: House) -> None:
    """An empty answer has its columns."""
    frame = ask(house.make(), house.text(ALL.replace("order", "and id > 99 order")))
    assert len(frame) == 0
    assert list(frame) == ["id", "moment", "day", "amount", "who", "from", "ratio"]


def test_own_parameters(house: House) -> None:
    """Text, numbers and truth are bound beside the window, whatever signs they hold."""
    text = "select id from sales where who = :who and id < :most and {from} < {to}"
    frame = ask(house.make(), text, params={"who": "Zoë ☃", "most": 3})
    assert frame["id"].tolist() == [2]
    assert ask(house.make(), text, params={"who": "it's ? %s {x}", "most": 3}).empty


def test_too_many_rows(house: House) -> None:
    """An answer beyond `max_rows` is an error, long before its last page."""
    house.peer.page = house.peer.block = 5_000
    source = house.make(max_rows=20_000)
    with pytest.raises(QueryError, match="more than 20000 rows: aggregate"):
        ask(source, "select i from range(60000) as t (i)")
    if house.name == "trino":
        assert len(house.peer.cancelled) == 1
    if house.name == "bigquery":
        assert len(house.peer.pages) < 11


def test_a_query_that_takes_too_long(house: House) -> None:
    """The server stops it, and the error names the argument."""
    source = house.make()
    house.peer.error = SLOW[house.name]
    with pytest.raises(
        QueryError, match=r"took longer than 300 s .* `statement_timeout` of datasource 'shop'"
    ):
        ask(source, house.text(ALL))


def test_the_limit_is_told_to_the_server(house: House) -> None:
    """Each statement runs under `statement_timeout`."""
    ask(house.make(statement_timeout=42.5), "select 1 as a")
    told = {
        "trino": lambda peer: "SET SESSION query_max_execution_time = '42.500s'" in peer.statements,
        "clickhouse": lambda peer: (
            peer.asked[-1].params["max_execution_time"] == "43" and peer.asked[-1].params["readonly"] == "2"
        ),
        "bigquery": lambda peer: peer.queries[-1]["jobTimeoutMs"] == "42500",
        "snowflake": lambda peer: any(
            "statement_timeout_in_seconds = 43" in text for text, _ in peer.statements
        ),
    }
    assert told[house.name](house.peer)


@pytest.mark.parametrize("name", sorted(BUSY))
def test_a_busy_server(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes is worth another run."""
    with opened(name, tmp_path, monkeypatch) as house:
        house.peer.error = BUSY[name]
        with pytest.raises(RetriableError, match="datasource 'shop'"):
            ask(house.make(), house.text(ALL))


@pytest.mark.parametrize("name", HOUSES)
def test_a_server_that_is_down(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection passes, and the datasource is named."""
    dead = "http://127.0.0.1:9"
    lead_google(monkeypatch, dead)
    more = {"protocol": "http", "login_timeout": 1} if name == "snowflake" else {}
    source = make("sql", url=url_of(name, dead, tmp_path), retry_for=0, connect_args=more)
    with pytest.raises(RetriableError, match="datasource 'shop'"):
        ask(source, "select 1 as a")


@pytest.mark.parametrize("name", ["clickhouse", "snowflake"])
def test_a_wrong_password(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No passing fault; the password does not show."""
    with opened(name, tmp_path, monkeypatch) as house:
        with pytest.raises(QueryError, match=r"(?i)password") as caught:
            ask(house.make(url=house.url.replace("u:word", "u:hush-hush")), "select 1 as a")
        assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["trino", "bigquery"])
def test_a_login_that_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """401 is no passing fault."""

    def answer(asked: Any) -> Any:
        if asked.path == "/token":
            return {"access_token": "t", "expires_in": 3599, "token_type": "Bearer"}
        return Reply({"error": {"code": 401, "message": "Unauthorized", "errors": []}}, 401)

    with serving(answer) as api:
        lead_google(monkeypatch, api.url)
        with pytest.raises(QueryError, match=r"401|Unauthorized"):
            ask(make("sql", url=url_of(name, api.url, tmp_path), retry_for=0), "select 1 as a")


@pytest.mark.parametrize("body", ["<html>proxy</html>", "{}"])
@pytest.mark.parametrize("name", ["trino", "clickhouse", "bigquery"])
def test_a_server_of_another_kind(
    name: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is not the protocol's is an error of the query, not a crash, and is not asked for again."""

    def answer(asked: Any) -> Any:
        if asked.path == "/token":
            return {"access_token": "t", "expires_in": 3599, "token_type": "Bearer"}
        return body

    with serving(answer) as api:
        lead_google(monkeypatch, api.url)
        with pytest.raises(QueryError, match="datasource 'shop'"):
            ask(make("sql", url=url_of(name, api.url, tmp_path), retry_for=30), "select 1 as a")


def test_a_wrong_statement(house: House) -> None:
    """The server's words, with query and datasource."""
    with pytest.raises(QueryError, match=r"query 'q' on datasource 'shop': .*nowhere"):
        ask(house.make(), "select * from nowhere")


def test_login_is_checked(house: House) -> None:
    """`check` asks for a row."""
    house.make().check()


@pytest.mark.parametrize("name", HOUSES)
def test_the_package_that_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arguments say at plan time what to install."""
    package = {"clickhouse": "clickhouse_connect", "bigquery": "sqlalchemy_bigquery"}.get(name, name)
    for module in [key for key in sys.modules if key.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValidationError, match=rf"{name} needs .* pip install 'kpi-assets\[{name}\]'"):
        make("sql", url=f"{name}://u@h/d")


@pytest.mark.parametrize(
    ("url", "grain"),
    [
        ("bigquery://p/d", "day"),
        ("trino://u@h/c", "window"),
        ("clickhouse://h/d", "window"),
        ("snowflake://u@a/d", "window"),
    ],
)
def test_which_queries_are_cut_by_days(url: str, grain: str) -> None:
    """Rows are; sums by `date(...)` only where that function goes by the session's zone for every column."""
    source = make("sql", url=url)
    bounds = "from t where ts >= {from} and ts < {to}"
    rows = Query("q", "shop", f"select ts, a {bounds}")
    sums = Query("q", "shop", f"select date(ts), sum(a) {bounds} group by date(ts)")
    assert type(source).analyse(rows, source.args).grain == "day"
    assert type(source).analyse(sums, source.args).grain == grain


def test_names_in_another_case_are_other_names_on_clickhouse() -> None:
    """A window over two columns is not cut by days."""
    query = Query("q", "shop", "select a from t where TS >= {from} and ts < {to}")
    for url, grain in (("clickhouse://h/d", "window"), ("trino://u@h/c", "day")):
        source = make("sql", url=url)
        assert type(source).analyse(query, source.args).grain == grain
