from __future__ import annotations

import pytest

from kpi_assets.datasources.dialects import DUCKDB, MYSQL, POSTGRESQL, SQLITE, Dialect
from kpi_assets.datasources.guard import refusal


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "  -- a comment; with a semicolon\nSELECT 'a; b' ;  ",
        "with a as (select 1) select * from a",
        "(select 1) union all (select 2)",
        "values (1)",
        "select replace(a, 'x', 'y'), update_count, \"into\" from inserts",
        "select 'insert into t'",
        "pragma table_info(t)",
        "select (updated) from t",
    ],
)
def test_reading_statements_pass(text: str) -> None:
    """One statement that reads is not refused, whatever words stand in its strings, names and comments."""
    assert refusal(text, SQLITE) is None


@pytest.mark.parametrize(
    ("dialect", "text", "words"),
    [
        (SQLITE, "select 1; select 2", "2 statements"),
        (SQLITE, "select 1; drop table t", "2 statements"),
        (MYSQL, "select 1 -- x\n; delete from t", "2 statements"),
        (SQLITE, "", "empty"),
        (SQLITE, " ; -- nothing", "empty"),
        (SQLITE, "insert into t values (1)", "INSERT"),
        (SQLITE, "replace into t values (1)", "REPLACE"),
        (SQLITE, "pragma user_version = 3", "PRAGMA"),
        (SQLITE, "pragma journal_mode(wal)", "PRAGMA"),
        (SQLITE, "attach 'x.db' as x", "ATTACH"),
        (SQLITE, "with a as (select 1) delete from t", "DELETE"),
        (SQLITE, "with a as (select 1) update t set a = 1", "UPDATE"),
        (SQLITE, "with a as (select 1) insert or replace into t select * from a", "INSERT"),
        (POSTGRESQL, "with a as (delete from t returning *) select * from a", "DELETE"),
        (POSTGRESQL, "with a as (update only s.t as x set a = 1 returning *) select * from a", "UPDATE"),
        (POSTGRESQL, "select * into u from t", "INTO"),
        (MYSQL, "select * from t into outfile '/tmp/x'", "INTO"),
        (POSTGRESQL, "explain analyze delete from t", "EXPLAIN"),
        (POSTGRESQL, "do $$ begin delete from t; end $$", "DO"),
        (DUCKDB, "copy t to 'x.csv'", "COPY"),
        (DUCKDB, "install httpfs", "INSTALL"),
    ],
)
def test_everything_else_is_refused(dialect: Dialect, text: str, words: str) -> None:
    """Two statements, writes and settings are refused, and the reason names what was found."""
    assert words in (refusal(text, dialect) or "")
