from __future__ import annotations

import pytest

from kpi_assets.contracts import QueryAnalysis
from kpi_assets.datasources.analysis import Reading, analyse_sql
from kpi_assets.datasources.dialects import DUCKDB, GENERIC, MYSQL, POSTGRESQL, SQLITE, Dialect

CUT = "where ts >= {from} and ts < {to}"
ALL = [SQLITE, MYSQL, POSTGRESQL, DUCKDB]


def analysed(text: str, dialect: Dialect = SQLITE, *, same_zone: bool = True) -> QueryAnalysis:
    times = "text" if dialect is SQLITE else "native"
    return analyse_sql(text.replace("CUT", CUT), Reading(dialect, same_zone=same_zone, times=times))


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("text", "day_column"),
    [
        ("select ts, amount from t CUT", "ts"),
        ("select amount from t CUT", None),
        ("select * from t CUT", "ts"),
        ("select t.*, u.x from t join u on u.id = t.id where t.ts >= {from} and t.ts < {to}", None),
        ("select ts, amount from t where {to} > ts and {from} <= ts and (amount > 3 or plan = 'pro')", "ts"),
        ("select date(ts) as day, count(*) as n from t CUT group by date(ts)", "day"),
        ("select date(ts) as day, count(*) as n from t CUT group by 1 order by 1, 2 desc", "day"),
        (
            "select date(ts) as day, plan, sum(amount) as s from t CUT group by 1, 2 having sum(amount) > 3",
            "day",
        ),
        ("select ts, count(distinct who) as n from t CUT group by ts", "ts"),
        ("select distinct date(ts) as d, plan from t CUT order by d", "d"),
        ("select a.ts, b.x from a left join b on b.id = a.id where a.ts >= {from} and a.ts < {to}", "ts"),
        ("select ts from t CUT and who in (select id from users where plan = 'pro')", "ts"),
        ("with a as (select ts, sum(x) as x from u group by ts) select ts, x from a CUT", "ts"),
        (
            "select d.ts from (select who, max(ts) as ts from t group by who) d where d.ts >= {from} and d.ts < {to}",
            "ts",
        ),
        (
            "select ts, case when amount < 0 then 'refund' else 'sale' end as kind from t CUT order by ts",
            "ts",
        ),
    ],
)
def test_proven(dialect: Dialect, text: str, day_column: str | None) -> None:
    """These cannot change by being cut into days, and the output that carries the day is known."""
    found = analysed(text, dialect)
    assert (found.grain, found.day_column) == ("day", day_column), found.reason


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select count(*) from t CUT", "aggregates over the whole window"),
        ("select max(ts) from t CUT having count(*) > 1", "aggregates over the whole window"),
        ("select plan, count(*) from t CUT group by plan", "reach over several days"),
        ("select day(ts) as d, count(*) from t CUT group by day(ts)", ""),
        ("select ts from t where ts between {from} and {to}", "not cut by"),
        ("select ts from t where ts > {from} and ts < {to}", "not cut by"),
        ("select ts from t where ts >= {from} and ts <= {to}", "not cut by"),
        ("select ts from t where ts >= {from} or ts < {to}", "not cut by"),
        ("select ts from t where not (ts >= {from} and ts < {to})", "not cut by"),
        ("select ts from t where ts >= {from} and paid < {to}", "not cut by"),
        ("select ts from t where ts >= {from}", "used in other ways"),
        ("select ts from t", "does not use"),
        ("select ts, {to} as until from t CUT", "used in other ways"),
        ("select ts from t where ts >= date_sub({from}, {interval}) and ts < {from}", ""),
        ("select ts from t CUT limit 10", "LIMIT"),
        ("select ts from t CUT order by ts desc", "ORDER BY"),
        ("select ts, amount from t CUT order by amount", "ORDER BY"),
        ("select distinct plan from t CUT", "DISTINCT"),
        ("select ts, sum(amount) over (order by ts) from t CUT", "window function"),
        ("select ts from t CUT union all select ts from u", "not a single SELECT"),
        ("select ts from t CUT and ts > current_date", ""),
        ("select ts from t CUT and amount > rand()", ""),
        ("select ts, my_function(amount) from t CUT", "my_function"),
        ("select date(ts) as day, plan, count(*) from t CUT group by date(ts)", "not determined"),
        ("select date(ts) as day, (select count(t.amount)) from t CUT group by 1", "subquery"),
        ("with a as (select * from t CUT) select count(*) from a", "used in other ways"),
        ("select ts from t join u on u.ts >= {from} and u.ts < {to}", "used in other ways"),
        ("select created as ts from t CUT", "stands for a column and for an output"),
        ("select ts from t natural join u CUT", "join"),
        ("select ts from t, (select who from u limit 1) v CUT", "LIMIT"),
        ("with recursive a as (select 1) select ts from t CUT", "RECURSIVE"),
        ("select string_agg(plan, ',') from t CUT group by date(ts)", ""),
    ],
)
def test_not_proven(dialect: Dialect, text: str, reason: str) -> None:
    """Whatever might look over the edge of a day stays whole, and the reason is said."""
    found = analysed(text, dialect)
    assert (found.grain, found.day_column) == ("window", None)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("dialect", "text", "grain"),
    [
        (
            SQLITE,
            "select strftime('%Y-%m-%d', ts) as d, count(*) from t CUT group by strftime('%Y-%m-%d', ts)",
            "day",
        ),
        (SQLITE, "select substr(ts, 1, 10) as d, count(*) from t CUT group by 1", "day"),
        (SQLITE, "select substr(ts, 1, 7) as d, count(*) from t CUT group by 1", "window"),
        (SQLITE, "select strftime('%W', ts) as d, count(*) from t CUT group by 1", "window"),
        (SQLITE, "select cast(ts as date) as d, count(*) from t CUT group by 1", "window"),
        (SQLITE, "select date(ts, 'localtime') as d, count(*) from t CUT group by 1", "window"),
        (SQLITE, "select date(ts, '+1 day') as d, count(*) from t CUT group by 1", "window"),
        (SQLITE, "select ts from t CUT and paid < datetime('now')", "window"),
        (SQLITE, "select date(ts) as d, max(a, b) from t CUT group by 1", "window"),
        (MYSQL, "select date_format(ts, '%%Y-%%m-%%d') as d, count(*) from t CUT group by date(ts)", "day"),
        (MYSQL, "select date_format(ts, '%Y-%m-%d %H') as d, count(*) from t CUT group by 1", "day"),
        (MYSQL, "select date_format(ts, '%%Y-%%m-%%d') as d, count(*) from t CUT group by day(ts)", "window"),
        (MYSQL, "select date_format(ts, '%m-%d') as d, count(*) from t CUT group by 1", "window"),
        (MYSQL, "select date(ts), count(*) from t CUT group by date(ts) with rollup", "window"),
        (MYSQL, "select ts from t CUT and d < utc_date", "window"),
        (MYSQL, "select ts from t CUT /*! limit 5 */", "window"),
        (POSTGRESQL, "select date_trunc('day', ts) as d, count(*) from t CUT group by 1", "day"),
        (POSTGRESQL, "select date_trunc('hour', ts) as d, count(*) from t CUT group by 1", "day"),
        (POSTGRESQL, "select date_trunc('week', ts) as d, count(*) from t CUT group by 1", "window"),
        (POSTGRESQL, "select date_trunc('day', ts, 'UTC') as d, count(*) from t CUT group by 1", "window"),
        (POSTGRESQL, "select (ts at time zone 'UTC')::date as d, count(*) from t CUT group by 1", "window"),
        (POSTGRESQL, "select ts::date as d, count(*) filter (where x) from t CUT group by ts::date", "day"),
        (POSTGRESQL, "select to_char(ts, 'YYYY-MM-DD') as d, count(*) from t CUT group by 1", "day"),
        (POSTGRESQL, "select ts from t CUT and x < 'now'::timestamp", "window"),
        (POSTGRESQL, "select ts from t CUT and x < ' today 12:00'::timestamp", "window"),
        (POSTGRESQL, "select distinct on (who) ts, who from t CUT", "window"),
        (POSTGRESQL, 'select ts from t where "TS" >= {from} and ts < {to}', "window"),
        (DUCKDB, "select cast(ts as date) as d, sum(x) from t CUT group by all", "window"),
        (DUCKDB, "select ts from t positional join u CUT", "window"),
        (DUCKDB, "select ts from t asof join u on t.a >= u.a where t.ts >= {from} and t.ts < {to}", "window"),
        (DUCKDB, "select ts from t CUT using sample 10", "window"),
        (GENERIC, "select ts from t CUT", "window"),
    ],
)
def test_dialects(dialect: Dialect, text: str, grain: str) -> None:
    """What tells a day is read by the rules of each dialect."""
    found = analysed(text, dialect)
    assert found.grain == grain, found.reason


@pytest.mark.parametrize(
    ("dialect", "grain"), [(SQLITE, "window"), (MYSQL, "window"), (POSTGRESQL, "day"), (DUCKDB, "day")]
)
def test_alias_in_group_by(dialect: Dialect, grain: str) -> None:
    """`GROUP BY day` is trusted only where the server would refuse it if the table had a column `day`."""
    found = analysed("select date(ts) as day, count(*) from t CUT group by day", dialect)
    assert found.grain == grain
    assert grain == "day" or "GROUP BY 1" in found.reason


@pytest.mark.parametrize("dialect", ALL)
def test_a_zone_of_its_own(dialect: Dialect) -> None:
    """Where the datasource has a zone of its own, its dates are not the report's days; moments still are."""
    grouped = analysed(
        "select date(ts) as d, count(*) from t CUT group by date(ts)", dialect, same_zone=False
    )
    plain = analysed("select ts from t CUT", dialect, same_zone=False)
    assert (grouped.grain, plain.grain, plain.day_column) == ("window", "day", None)


def test_postgresql_folds_names() -> None:
    """The day's column is called as PostgreSQL will call it."""
    assert analysed("select ts as Day from t CUT", POSTGRESQL).day_column == "day"
    assert analysed('select ts as "Day" from t CUT', POSTGRESQL).day_column == "Day"


def test_tables() -> None:
    """The tables are named as written; names that the query defines itself are not tables."""
    found = analysed(
        "with a as (select * from shop.t) select * from a join u as v on true where x in (select 1 from w)"
    )
    assert set(found.tables) == {"shop.t", "u", "w"}


def test_nonsense_is_not_an_error() -> None:
    """What the parser does not know is left to the database, in one piece."""
    found = analysed("select from where ((")
    assert (found.grain, found.tables) == ("window", ())
