"""What SQL dialects differ in, as far as the text of a query must be understood: quotes, comments, intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """`sqlglot` is the parser's name, empty where no proof is attempted. `interval` is a template with `{days}`.

    `doubled_percent`: queries written for a driver that needs `%%` for a literal `%` are common.
    """

    name: str
    sqlglot: str = ""
    interval: str = "INTERVAL '{days}' DAY"
    backslash_escapes: bool = False
    double_quoted_strings: bool = False
    bracketed_names: bool = False
    hash_comments: bool = False
    slash_comments: bool = False
    spaced_dashes: bool = False
    """`--` begins a comment only where a space follows: MySQL reads `5--3` as a subtraction."""
    dollar_quotes: bool = False
    nested_comments: bool = False
    doubled_percent: bool = False
    text_intervals: bool = False
    bound_type: str = ""
    """Written before a bound `{from}` or `{to}`, where the driver would send mere text, which compares as text."""
    alias_is_checked: bool = False
    """The server refuses columns that GROUP BY does not cover, so an alias there can only mean the output column."""
    days_by_session: bool = True
    """Functions of dates go by the session's zone (or there are none); else a column may bring a zone of its own."""
    case_sensitive: bool = False
    """Names without quotes that differ in case are different names."""


MYSQL = Dialect(
    "mysql",
    "mysql",
    interval="INTERVAL {days} DAY",
    backslash_escapes=True,
    double_quoted_strings=True,
    hash_comments=True,
    spaced_dashes=True,
    doubled_percent=True,
    bound_type="TIMESTAMP ",
)
POSTGRESQL = Dialect(
    "postgresql",
    "postgres",
    interval="INTERVAL '{days} days'",
    dollar_quotes=True,
    nested_comments=True,
    doubled_percent=True,
    alias_is_checked=True,
)
SQLITE = Dialect("sqlite", "sqlite", interval="'{days} days'", bracketed_names=True, text_intervals=True)
DUCKDB = Dialect(
    "duckdb",
    "duckdb",
    interval="INTERVAL {days} DAY",
    dollar_quotes=True,
    nested_comments=True,
    alias_is_checked=True,
)
TRINO = Dialect("trino", "trino", interval="INTERVAL '{days}' DAY", days_by_session=False)
CLICKHOUSE = Dialect(
    "clickhouse",
    "clickhouse",
    interval="INTERVAL {days} DAY",
    backslash_escapes=True,
    hash_comments=True,
    dollar_quotes=True,
    days_by_session=False,
    case_sensitive=True,
)
BIGQUERY = Dialect(
    "bigquery",
    "bigquery",
    interval="INTERVAL {days} DAY",
    backslash_escapes=True,
    double_quoted_strings=True,
    hash_comments=True,
)
SNOWFLAKE = Dialect(
    "snowflake",
    "snowflake",
    interval="INTERVAL '{days} DAYS'",
    backslash_escapes=True,
    slash_comments=True,
    dollar_quotes=True,
    days_by_session=False,
)
GENERIC = Dialect("sql")

BY_BACKEND = {
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "postgresql": POSTGRESQL,
    "sqlite": SQLITE,
    "duckdb": DUCKDB,
    "trino": TRINO,
    "clickhouse": CLICKHOUSE,
    "bigquery": BIGQUERY,
    "snowflake": SNOWFLAKE,
}
"""SQLAlchemy's backend name -> dialect; any other backend is GENERIC."""
