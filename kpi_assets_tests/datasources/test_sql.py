from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query
from kpi_assets.registry import datasource_class
from kpi_assets_tests.datasources.helpers import ask, make, sqlite_file


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("postgresql://u:p@h/d", "postgresql"),
        ("postgres://u:p@h/d", "postgresql"),
        ("mysql+mysqldb://h/d", "mysql"),
        ("mariadb://h/d", "mysql"),
        ("sqlite:///x.db", "sqlite"),
        ("trino://u@h:8080/c", "sql"),
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


def test_secrets_do_not_show() -> None:
    """Neither the URL nor a password is in the text of arguments."""
    args = make("sql", url="postgresql://u:hunter2@h/d").args
    assert "hunter2" not in repr(args) + str(args)
    assert "hunter2" in " ".join(args.secrets)


def test_unknown_zone() -> None:
    """A zone that does not exist is refused with an example of one that does."""
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        make("sqlite", database="x.db", timezone="Mars/Base")


def test_an_unknown_dialect_is_never_cut() -> None:
    """Where a dialect's rules are not known, queries stay whole."""
    source = make("sql", url="trino://u@h:8080/c")
    found = type(source).analyse(
        Query("q", "shop", "select ts from t where ts >= {from} and ts < {to}"), source.args
    )
    assert found.grain == "window"
