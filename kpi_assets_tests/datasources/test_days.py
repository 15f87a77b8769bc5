"""Whatever is judged `day` gives the same rows by days as in one piece: generated queries on generated data."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
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
    min_size=12,
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


def queries(days: list[str], formats: dict[str, str], aliases: int) -> list[str]:
    """Queries of a small grammar, right and wrong ones. Hypothesis' own choices would repeat a few shapes."""
    rng = Random(20241027)
    return sorted({query(rng, days, formats, aliases) for _ in range(220)})


def query(rng: Random, days: list[str], formats: dict[str, str], aliases: int) -> str:
    day = rng.choice(days + SHARED_DAYS[:3] * 4)
    for name, form in formats.items():
        day = day.replace(f"{{{name}}}", form)
    cut, source = rng.choice(CUTS[:5] * 4 + CUTS), rng.choice(SOURCES)
    shape = rng.choice(["rows"] * 3 + ["groups"] * 6 + ["total"] + ["distinct"] * 3)
    tail = ""
    if shape == "groups":
        values = rng.sample(VALUES, rng.randint(1, 2))
        more = rng.choice([[], [], ["plan"]])
        outputs = [f"{day} as day", *more, *values]
        keys = [rng.choice(["1"] * 5 + [day] * 4 + ["day"] * aliases), *more]
        tail = f" group by {', '.join(keys)}" + rng.choice(["", "", " having count(*) > 1"])
    elif shape == "total":
        outputs = [rng.choice(VALUES)]
    else:
        outputs = rng.sample(OUTPUTS[:6], rng.randint(1, 3))
        outputs = [output.replace("{day}", day) for output in outputs]
        outputs += rng.choice([[]] * 7 + [WINDOWED[:1], WINDOWED[1:]])
    outputs = [
        output if " as " in output else f"{output} as c{number}" for number, output in enumerate(outputs)
    ]
    if shape != "groups" and rng.random() < 0.5:
        outputs.append("ts as moment")
    tail += rng.choice([""] * 8 + [" order by 1"] * 3 + [" order by 1 desc", " limit 3", " limit 2 offset 1"])
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
        self.grains: dict[str, str] = {}
        self.refused: set[str] = set()
        self.cut: set[str] = set()

    def grain(self, source: Datasource, text: str) -> str:
        if text not in self.grains:
            self.grains[text] = type(source).analyse(Query("q", "shop", text), source.args).grain
            self.count[self.grains[text]] += 1
        return self.grains[text]

    def check(self, source: Datasource, text: str) -> None:
        if self.grain(source, text) != "day":
            return
        try:
            whole = records(frame_of(source, text, WINDOW))
        except QueryError:  # `group by day` is the column, says the server
            self.refused.add(text)
            return
        days = [frame_of(source, text, Window.of_day(day, WINDOW.zone)) for day in WINDOW.days]
        pieces = [row for frame in days for row in records(frame)]
        assert Counter(pieces) == Counter(whole), text
        if "order by" in text:
            assert [row[0] for row in pieces] == [row[0] for row in whole], text
        if sum(len(frame) > 0 for frame in days) > 1:
            self.cut.add(text)

    def assert_telling(self) -> None:
        """The generator made queries of both kinds, and most of those that were cut had something to cut."""
        assert self.count["window"] >= 50, self.count
        assert len(self.cut) >= 40, self.count
        assert len(self.refused) <= len(self.cut) / 4, self.refused


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

    texts = queries(SHARED_DAYS + SQLITE_DAYS * 2, formats, aliases=4)

    @settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(rows)
    def run(data: list[tuple[Any, ...]]) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("delete from t")
            written = [(*(m.isoformat(" ") if m else None for m in row[:2]), *row[2:]) for row in data]
            connection.executemany("insert into t values (?, ?, ?, ?, ?)", written)
        for text in texts:
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

    texts = queries(SHARED_DAYS + DUCKDB_DAYS, formats, aliases=1)

    @settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(rows)
    def run(data: list[tuple[Any, ...]]) -> None:
        connection.execute("delete from t").fetchall()
        places = ", ".join(["(?, ?, ?, ?, ?)"] * len(data))
        connection.execute(
            f"insert into t values {places}", [value for row in data for value in row]
        ).fetchall()
        for text in texts:
            verdicts.check(source, text)

    run()
    source.close()
    verdicts.assert_telling()
