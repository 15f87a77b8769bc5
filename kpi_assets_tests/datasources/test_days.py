"""Whatever is judged `day` gives the same rows by days as in one piece: generated queries on generated data."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Datasource, Query, Window
from kpi_assets.errors import QueryError
from kpi_assets_tests.datasources.helpers import make

# Four days around the change of the clocks in autumn.
WINDOW = Window(date(2024, 10, 25), date(2024, 10, 29), "Europe/Berlin")
START = datetime(2024, 10, 24)
PLANS = ["free", "pro", None]

edges = st.integers(0, 5).map(lambda day: START + timedelta(days=day))
moments = st.one_of(
    st.integers(0, 6 * 24 * 4).map(lambda quarter: START + timedelta(minutes=15 * quarter)),
    edges,
    edges.map(lambda edge: edge - timedelta(seconds=1)),
    st.sampled_from([None, datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 3)]),
)
# `day` is a weekday's name, so that `group by day` may mean the column.
rows = st.lists(
    st.tuples(moments, moments, st.sampled_from(PLANS), st.integers(0, 3), st.sampled_from(["Mon", "Tue"])),
    min_size=8,
    max_size=25,
)

CUTS = [
    "ts >= {from} and ts < {to}",
    "ts >= {from} and ts < {to} and n > 0",
    "ts >= {from} and ts < {to} and plan in (select plan from plans)",
    "{to} > ts and ({from} <= ts)",
    "t.ts >= {from} and t.ts < {to}",
    "ts between {from} and {to}",
    "ts > {from} and ts <= {to}",
    "ts >= {from} and ts <= {to}",
    "(ts >= {from} and ts < {to}) or n = 3",
    "ts >= {from} and other < {to}",
    "ts < {to}",
    "not (ts >= {from} and ts < {to})",
    "ts >= {from} and ts < {to} and n < (select count(*) from t where other < {to})",
]
SHARED_DAYS = [
    "date(ts)",
    "strftime({ymd})",
    "ts",
    "strftime({month})",
    "other",
    "date(other)",
    "plan",
    "n",
    "day",
]
SQLITE_DAYS = ["substr(ts, 1, 10)", "substr(ts, 1, 7)", "cast(ts as date)", "date(ts, '+6 hours')"]
DUCKDB_DAYS = [
    "ts::date",
    "cast(ts as date)",
    "date_trunc('day', ts)",
    "date_trunc('week', ts)",
    "day(ts)",
    "hour(ts)",
]
VALUES = ["count(*)", "sum(n)", "min(n)", "count(distinct plan)", "avg(n)", "max(ts)"]
OUTPUTS = ["ts", "plan", "n", "t.n + 1", "coalesce(plan, '-')", "{day}", "*"]
WINDOWED = ["row_number() over (order by ts, n, plan, other)", "sum(n) over ()"]
SOURCES = ["t", "t left join plans p using (plan)", "(select * from t where n < 3) t", "t"]


@st.composite
def queries(draw: st.DrawFn, days: list[str], formats: dict[str, str]) -> str:
    day = draw(st.sampled_from(days + SHARED_DAYS[:3] * 4))
    for name, form in formats.items():
        day = day.replace(f"{{{name}}}", form)
    cut, source = draw(st.sampled_from(CUTS[:5] * 4 + CUTS)), draw(st.sampled_from(SOURCES))
    shape = draw(st.sampled_from(["rows"] * 4 + ["groups"] * 6 + ["total", "distinct"]))
    tail = ""
    if shape == "groups":
        values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True))
        more = draw(st.sampled_from([[], [], ["plan"]]))
        outputs = [f"{day} as day", *more, *values]
        keys = [draw(st.sampled_from(["1"] * 5 + [day] * 4 + ["day"])), *more]
        tail = f" group by {', '.join(keys)}" + draw(st.sampled_from(["", "", " having count(*) > 1"]))
    elif shape == "total":
        outputs = [draw(st.sampled_from(VALUES))]
    else:
        outputs = draw(st.lists(st.sampled_from(OUTPUTS[:6]), min_size=1, max_size=3, unique=True))
        outputs = [output.replace("{day}", day) for output in outputs]
        outputs += draw(st.sampled_from([[]] * 7 + [WINDOWED[:1], WINDOWED[1:]]))
    outputs = [
        output if " as " in output else f"{output} as c{number}" for number, output in enumerate(outputs)
    ]
    if shape != "groups" and draw(st.booleans()):
        outputs.append("ts as moment")
    tail += draw(
        st.sampled_from(
            [""] * 8 + [" order by 1"] * 3 + [" order by 1 desc", " limit 3", " limit 2 offset 1"]
        )
    )
    distinct = "distinct " if shape == "distinct" else ""
    return f"select {distinct}{', '.join(outputs)} from {source} where {cut}{tail}"


def records(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [
        tuple("null" if pd.isna(value) else str(value) for value in row)
        for row in frame.itertuples(index=False)
    ]


def frame_of(source: Datasource, text: str, window: Window) -> pd.DataFrame:
    return source.query(Query("q", "shop", text), window).astype(object)


class Verdicts:
    """Counts what was judged, and checks every `day`."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def check(self, source: Datasource, text: str) -> None:
        found = type(source).analyse(Query("q", "shop", text), source.args)
        self.count[found.grain] += 1
        if found.grain != "day":
            return
        try:
            whole = records(frame_of(source, text, WINDOW))
        except QueryError:  # `group by day` is the column, says the server
            self.count["refused"] += 1
            return
        days = [frame_of(source, text, Window.of_day(day, WINDOW.zone)) for day in WINDOW.days]
        pieces = [row for frame in days for row in records(frame)]
        assert Counter(pieces) == Counter(whole), text
        if "order by" in text:
            assert [row[0] for row in pieces] == [row[0] for row in whole], text
        self.count["with rows on several days"] += sum(len(frame) > 0 for frame in days) > 1

    def assert_telling(self) -> None:
        """The generator made queries of both kinds, and most of those that were cut had something to cut."""
        assert self.count["window"] >= 25, self.count
        assert self.count["with rows on several days"] >= 20, self.count
        assert self.count["refused"] <= self.count["day"] / 4, self.count


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_ASSETS_ANALYSIS_CACHE", "")


TABLES = (
    "create table t (ts {time}, other {time}, plan text, n integer, day text)",
    "create table plans (plan text, price integer)",
    "insert into plans values ('free', 0), ('pro', 9), ('pro', 10)",
)


def test_days_on_sqlite(tmp_path: Path) -> None:
    """On SQLite, the days of every query judged `day`, one after the other, are the rows of the whole."""
    path, verdicts = tmp_path / "t.db", Verdicts()
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in TABLES:
            connection.execute(statement.format(time="text"))
    source = make("sqlite", database=str(path))
    formats = {"ymd": "'%Y-%m-%d', ts", "month": "'%Y-%m', ts"}

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(queries(SHARED_DAYS + SQLITE_DAYS, formats), rows)
    def run(text: str, data: list[tuple[Any, ...]]) -> None:
        if "day as day" in text:
            return
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("delete from t")
            written = [(*(m.isoformat(" ") if m else None for m in row[:2]), *row[2:]) for row in data]
            connection.executemany("insert into t values (?, ?, ?, ?, ?)", written)
        verdicts.check(source, text)

    run()
    source.close()
    verdicts.assert_telling()


def test_days_on_duckdb(tmp_path: Path) -> None:
    """On DuckDB, the days of every query judged `day`, one after the other, are the rows of the whole."""
    verdicts, source = Verdicts(), make("duckdb")
    connection: duckdb.DuckDBPyConnection = source.backend._connection()
    for statement in TABLES:
        connection.execute(statement.format(time="timestamp"))
    formats = {"ymd": "ts, '%Y-%m-%d'", "month": "ts, '%Y-%m'"}

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(queries(SHARED_DAYS + DUCKDB_DAYS, formats), rows)
    def run(text: str, data: list[tuple[Any, ...]]) -> None:
        connection.execute("delete from t").fetchall()
        places = ", ".join(["(?, ?, ?, ?, ?)"] * len(data))
        connection.execute(
            f"insert into t values {places}", [value for row in data for value in row]
        ).fetchall()
        verdicts.check(source, text)

    run()
    source.close()
    verdicts.assert_telling()
