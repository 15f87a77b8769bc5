from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query
from kpi_assets.errors import PluginError
from kpi_assets.registry import datasource_class
from kpi_assets_tests.datasources.helpers import ask, make, sqlite_file
from kpi_assets_tests.secrets import secret

WORD = secret("word")


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("postgresql://u:p@h/d", "postgresql"),
        ("postgres://u:p@h/d", "postgresql"),
        ("mysql+mysqldb://h/d", "mysql"),
        ("mariadb://h/d", "mysql"),
        ("sqlite:///x.db", "sqlite"),
        ("trino://u@h:8080/c", "trino"),
        ("clickhouse://h/d", "clickhouse"),
        ("clickhousedb+connect://h/d", "clickhouse"),
        ("bigquery://project/set", "bigquery"),
        ("snowflake://u:p@account/db/schema", "snowflake"),
        ("mssql+pymssql://u:p@h/d", "sql"),
        ("${DATABASE_URL}", "sql"),
    ],
)
def test_dialect_of_url(url: str, dialect: str) -> None:
    """A URL leads to its dialect, also before its secrets are known."""
    cls = datasource_class("sql")
    assert cls.dialect_of(cls.Args(url=url)).name == dialect  # pyright: ignore


def test_sqlite_by_url(tmp_path: Path) -> None:
    """A SQLite URL is the `sqlite` plugin: read-only, with tokens."""
    path = sqlite_file(
        tmp_path / "s.db", "create table t (ts text)", "insert into t values ('2024-11-18'), ('2024-11-25')"
    )
    assert (
        len(ask(make("sql", url=f"sqlite:///{path}"), "select * from t where ts >= {from} and ts < {to}"))
        == 1
    )


def test_duckdb_url_says_which_plugin() -> None:
    """DuckDB has a plugin of its own, and the error names it."""
    with pytest.raises(ValidationError, match="write `plugin: duckdb`"):
        make("sql", url="duckdb:///x.duckdb")


def test_sqlite_needs_a_file() -> None:
    """The driver without its database is an error before a run."""
    with pytest.raises(ValidationError, match="needs `database:`"):
        make("sql", driver="sqlite")


@pytest.mark.parametrize(
    ("plugin", "url", "fault"),
    [
        ("sql", f"warehouse {WORD}", "is not a URL: write dialect"),
        ("sql", f"trino://u:{WORD}@h:80a/c", "has a port that is not a number"),
        ("mysql", f"mysql://u:{WORD}@@h/d", "has a user or password with an @: write it as %40"),
        ("postgresql", f"postgresql://u:{WORD}@x@h/d", "with an @: write it as %40"),
    ],
)
def test_a_url_that_no_driver_takes(plugin: str, url: str, fault: str) -> None:
    """A URL that cannot be one is refused before a run, in words that hold no part of it."""
    with pytest.raises(ValidationError) as caught:
        make(plugin, url=url)
    assert fault in str(caught.value)
    assert "er2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:p/w#y@h:3306/d?ssl_ca=a@b",
        "mysql://u:p?w@h/d",
        "postgresql://u@/d?host=/run/pg",
        "trino://[::1]:8080/c",
        "mssql+pyodbc:///?odbc_connect=a;b",
        "sqlite:////tmp/a@b/c.db",
        "bigquery://project",
    ],
)
def test_unusual_urls_are_taken(url: str) -> None:
    """What SQLAlchemy reads is not refused."""
    assert make("sql", url=url).args.url.get_secret_value() == url


def test_a_dialect_that_is_not_installed_is_named() -> None:
    """A URL whose dialect no package brings is a plugin error that names it, without the URL."""
    with pytest.raises(PluginError, match=r"SQLAlchemy dialect 'postgresqlx'") as caught:
        ask(make("sql", url=f"postgresqlx://u:{WORD}@h/d"), "select 1")
    assert WORD not in str(caught.value)


def test_a_driver_that_is_not_installed_is_named() -> None:
    """Where the URL names a driver that nobody installed, the error says so and guesses no package."""
    with pytest.raises(PluginError, match="the driver cx_Oracle cannot be imported: install the package"):
        ask(make("sql", url=f"oracle+cx_oracle://u:{WORD}@h/d"), "select 1")


def test_a_password_with_a_slash_is_known_as_a_whole() -> None:
    """What is hidden in messages is the whole password, also where a URL parser would cut it."""
    assert make("sql", url=f"mysql://u:sl/{WORD}@h/d").args.secrets[-1] == f"sl/{WORD}"


def test_secrets_do_not_show() -> None:
    """Neither the URL nor a password is in the text of arguments."""
    args = make("sql", url=f"postgresql://u:{WORD}@h/d").args
    assert WORD not in repr(args) + str(args)
    assert WORD in " ".join(args.secrets)


def test_unknown_zone() -> None:
    """A zone that does not exist is refused with an example of one that does."""
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        make("sqlite", database="x.db", timezone="Mars/Base")


def test_an_unknown_dialect_is_never_cut() -> None:
    """Where a dialect's rules are not known, queries stay whole."""
    source = make("sql", url="mssql+pymssql://u@h/d")
    found = type(source).analyse(
        Query("q", "shop", "select ts from t where ts >= {from} and ts < {to}"), source.args
    )
    assert found.grain == "window"
