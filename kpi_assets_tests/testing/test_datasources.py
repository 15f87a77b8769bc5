"""The datasources that come with the package keep the rules that strangers are held to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from kpi_assets.datasources.dataframe import DataframeDatasource, forget_frame, register_frame
from kpi_assets.datasources.duckdb import DuckDbDatasource
from kpi_assets.datasources.file import FileDatasource
from kpi_assets.datasources.http import HttpDatasource
from kpi_assets.datasources.jenkins import JenkinsDatasource
from kpi_assets.datasources.mysql import MySqlDatasource
from kpi_assets.datasources.postgresql import PostgresqlDatasource
from kpi_assets.datasources.prometheus import PrometheusDatasource
from kpi_assets.datasources.sqlite import SqliteDatasource
from kpi_assets.testing import DatasourceSuite, FakeDatasource
from kpi_assets_tests.datasources.api import Asked, Reply, serving
from kpi_assets_tests.datasources.helpers import sqlite_file
from kpi_assets_tests.datasources.jenkins_peer import TOKEN as PASSWORD
from kpi_assets_tests.datasources.jenkins_peer import USER, build, jenkins, job
from kpi_assets_tests.secrets import secret
from kpi_assets_tests.servers import Database

MOMENTS = [
    f"2024-11-{day:02d} {hour}" for day in range(10, 27) for hour in ("00:00:00", "09:30:00", "23:59:59")
]
ROWS = "select placed_at, n from orders where placed_at >= {from} and placed_at < {to}"
NOBODY = "http://127.0.0.1:9"
TOKEN = secret("conformance")


def orders() -> pd.DataFrame:
    """Three moments a day, the first and the last instant of it among them, and a number that tells them apart."""
    return pd.DataFrame(
        {"placed_at": pd.to_datetime(MOMENTS).tz_localize("Europe/Berlin"), "n": range(len(MOMENTS))}
    )


class SqlSuite(DatasourceSuite):
    """A table of orders, asked for its rows."""

    query = ROWS
    time_column = "placed_at"
    refused = "select nothing from nowhere where placed_at >= {from}"


class TestSqlite(SqlSuite):
    """SQLite, with moments as text."""

    plugin = SqliteDatasource

    @pytest.fixture
    def args(self, tmp_path: Path) -> Mapping[str, Any]:
        rows = ", ".join(f"('{moment}', {n})" for n, moment in enumerate(MOMENTS))
        statements = ("create table orders (placed_at text, n integer)", f"insert into orders values {rows}")
        return {"database": sqlite_file(tmp_path / "shop.db", *statements)}

    @pytest.fixture
    def dead(self, tmp_path: Path) -> Mapping[str, Any]:
        return {"database": str(tmp_path / "gone.db"), "retry_for": 0}


class TestDuckDb(SqlSuite):
    """DuckDB."""

    plugin = DuckDbDatasource

    @pytest.fixture
    def args(self, tmp_path: Path) -> Mapping[str, Any]:
        place = str(tmp_path / "shop.duckdb")
        with duckdb.connect(place) as connection:
            frame = orders().assign(placed_at=lambda rows: rows["placed_at"].dt.tz_localize(None))
            connection.register("made", frame)
            connection.execute("create table orders as select * from made")
        return {"database": place, "retry_for": 0}


class ServerSuite(SqlSuite):
    """A server that is logged in to; nobody listens where `dead` leads."""

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": 9,
            "user": "me",
            "password": TOKEN,
            "database": "shop",
            "retry_for": 0,
        }


@pytest.mark.postgres
class TestPostgresql(ServerSuite):
    """PostgreSQL, with a password that must not show."""

    plugin = PostgresqlDatasource

    @pytest.fixture
    def args(self, postgres: Database) -> Mapping[str, Any]:
        return filled(postgres)


@pytest.mark.mariadb
class TestMySql(ServerSuite):
    """MariaDB, with a password that must not show."""

    plugin = MySqlDatasource

    @pytest.fixture
    def args(self, mariadb: Database) -> Mapping[str, Any]:
        return filled(mariadb)


def filled(database: Database) -> Mapping[str, Any]:
    """The arguments of a database that holds the orders."""
    kind = "timestamp" if database.dialect == "postgresql" else "datetime"
    rows = ", ".join(f"('{moment}', {n})" for n, moment in enumerate(MOMENTS))
    database.execute(
        f"create table orders (placed_at {kind}, n integer)", f"insert into orders values {rows}"
    )
    named = ("host", "port", "user", "password", "database")
    return {**{name: getattr(database, name) for name in named}, "retry_for": 0}


class TestFile(DatasourceSuite):
    """A CSV file, cut by its time column."""

    plugin = FileDatasource
    query = ""
    time_column = "placed_at"
    refused = "select nothing from nowhere"

    @pytest.fixture
    def args(self, tmp_path: Path) -> Mapping[str, Any]:
        orders().to_csv(tmp_path / "orders.csv", index=False)
        options = {"storage_options": {"secret": TOKEN}}
        return {"path": str(tmp_path / "orders.csv"), "time_column": "placed_at", "retry_for": 0, **options}

    @pytest.fixture
    def dead(self, tmp_path: Path) -> Mapping[str, Any]:
        return {"path": str(tmp_path / "gone.csv"), "time_column": "placed_at", "retry_for": 0}


class TestDataframe(DatasourceSuite):
    """A frame registered by Python."""

    plugin = DataframeDatasource
    query = "conformance.orders"
    time_column = "placed_at"
    refused = "no such frame"

    @pytest.fixture
    def args(self) -> Iterator[Mapping[str, Any]]:
        register_frame("conformance.orders", orders())
        yield {"time_column": "placed_at"}
        forget_frame("conformance.orders")


class TestHttp(DatasourceSuite):
    """A JSON API that wants a token and cuts by `since` and `until`."""

    plugin = HttpDatasource
    query = "/orders"
    query_args = {"params": {"since": "{from}", "until": "{to}"}, "time_column": "placed_at"}
    time_column = "placed_at"
    refused = "/nowhere"

    @pytest.fixture
    def args(self) -> Iterator[Mapping[str, Any]]:
        with serving(answered) as api:
            yield {"base_url": api.url, "bearer_token": TOKEN, "retry_for": 0}

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {"base_url": NOBODY, "bearer_token": TOKEN, "retry_for": 0}


def answered(asked: Asked) -> Reply:
    """The orders of the span, to those who know the token; strangers are told which token they sent."""
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return Reply(f"who is {asked.headers.get('authorization')}?", 401)
    if asked.path != "/orders":
        return Reply(f"nothing here for {asked.headers['authorization']}", 404)
    since, until = (datetime.fromisoformat(asked.params[name]) for name in ("since", "until"))
    frame = orders()
    found = frame[(frame["placed_at"] >= since) & (frame["placed_at"] < until)]
    return Reply(json.loads(found.to_json(orient="records", date_format="iso")))


@pytest.mark.prometheus
class TestPrometheus(DatasourceSuite):
    """A real Prometheus."""

    plugin = PrometheusDatasource
    query = "node_cpu_seconds_total"
    time_column = "time"
    refused = "sum(("

    @pytest.fixture
    def args(self, prometheus: str) -> Mapping[str, Any]:
        return {"host": prometheus, "bearer_token": TOKEN, "retry_for": 0}

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {"host": NOBODY, "bearer_token": TOKEN, "retry_for": 0}


class TestJenkins(DatasourceSuite):
    """A Jenkins with builds in two weeks."""

    plugin = JenkinsDatasource
    query = "get_job_info shop"
    refused = "get_job_info gone"

    @pytest.fixture
    def args(self) -> Iterator[Mapping[str, Any]]:
        builds = [build(number, "SUCCESS", day=10 + number) for number in (12, 11, 3, 2)]
        with jenkins(job("shop", builds)) as (address, _):
            yield {"host": address, "user": USER, "api_token": PASSWORD, "retry_for": 0}

    @pytest.fixture
    def dead(self) -> Mapping[str, Any]:
        return {"host": NOBODY, "user": USER, "api_token": TOKEN, "retry_for": 0}


class TestFake(DatasourceSuite):
    """The fake that is handed out behaves as a datasource must."""

    plugin = FakeDatasource
    query = "orders"
    time_column = "placed_at"
    refused = "no such text"

    def make(self, args: Mapping[str, Any]) -> FakeDatasource:
        def cut(window: Any) -> pd.DataFrame:
            frame = orders()
            inside = (frame["placed_at"] >= window.starts_at) & (frame["placed_at"] < window.ends_at)
            return frame[inside].reset_index(drop=True)

        return FakeDatasource({"orders": cut})


@pytest.fixture(autouse=True)
def _no_analysis_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an analysis opens something must not depend on an earlier test's cache."""
    monkeypatch.setenv("KPI_ASSETS_ANALYSIS_CACHE", "")
