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
    dollar_quotes: bool = False
    nested_comments: bool = False
    doubled_percent: bool = False
    text_intervals: bool = False
    bound_type: str = ""
    """Written before a bound `{from}` or `{to}`, where the driver would send mere text, which compares as text."""
    alias_is_checked: bool = False
    """The server refuses columns that GROUP BY does not cover, so an alias there can only mean the output column."""


MYSQL = Dialect(
    "mysql",
    "mysql",
    interval="INTERVAL {days} DAY",
    backslash_escapes=True,
    double_quoted_strings=True,
    hash_comments=True,
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
GENERIC = Dialect("sql")

BY_BACKEND = {
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "postgresql": POSTGRESQL,
    "sqlite": SQLITE,
    "duckdb": DUCKDB,
}
"""SQLAlchemy's backend name -> dialect; any other backend is GENERIC."""
