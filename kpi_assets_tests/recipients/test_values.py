"""A recipient's value is data wherever it is put: in SQL, PromQL, addresses of APIs, Markdown."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_assets.contracts import Query, Recipient, Window
from kpi_assets.contracts.recipient import as_markdown
from kpi_assets.datasources.promql.text import PersonalTextError, personal
from kpi_assets.datasources.rest.asking import Filler, read_query, refuse_mixed
from kpi_assets.errors import QueryError
from kpi_assets.registry import datasource_class
from kpi_assets.reports.plain import markdown_text
from kpi_assets.reports.prose import markdown_to_html
from kpi_assets.views.text import filled
from kpi_assets_tests.servers import Database

WINDOW = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
EVIL = (
    "x' OR 1=1 --",
    "'; drop table t; --",
    '" or ""="',
    "\\' or 1=1 #",
    "%' or '%'='",
    "North",
    "{from}",
    ":a ?",
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def ask(plugin: str, args: dict[str, Any], text: str, **values: Any) -> list[Any]:
    cls = datasource_class(plugin)
    source = cls("db", cls.Args.model_validate(args))
    query = Query("q", "db", text, recipient=Recipient("a@b.example", values) if values else None)
    try:
        cls.analyse(query, source.args)
        return source.query(query, WINDOW).iloc[:, 0].tolist()
    finally:
        source.close()


@given(TEXTS)
@example("x' OR 1=1 --")
@example("{recipient.region}")
def test_any_text_finds_its_own_rows(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    """Whatever the value, SQLite returns the rows that hold exactly it, and no others."""
    path = tmp_path_factory.mktemp("db") / "t.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table t (region text)")
        connection.executemany("insert into t values (?)", [(value,), (f"{value}x",), ("other",)])
    found = ask(
        "sqlite",
        {"database": str(path)},
        "select region from t where region = {recipient.region}",
        region=value,
    )
    assert found == [value]


def test_duckdb_binds(tmp_path: Path) -> None:
    """The same in DuckDB, with numbers, no value and a value used twice."""
    rows = "(values (1, 'a'), (2, 'b'), (3, null)) as t (n, r)"
    text = f"select n from {rows} where r = {{recipient.r}} or n = {{recipient.n}}"
    assert ask("duckdb", {"database": ":memory:"}, text, r="a", n=2) == [1, 2]
    assert ask("duckdb", {"database": ":memory:"}, text, r=None, n=3) == [3]
    assert ask("duckdb", {"database": ":memory:"}, text, r="' or true --", n=0) == []


SERVER_ROWS = ("create table t (region varchar(40), n integer)",)


def _binds(database: Database, plugin: str) -> None:
    database.execute(*SERVER_ROWS)
    with closing(database.connect()) as connection:
        with connection.cursor() as cursor:
            cursor.executemany("insert into t values (%s, %s)", [(value, n) for n, value in enumerate(EVIL)])
        connection.commit()
    login = {"host": database.host, "port": database.port, "user": database.user, "passwd": database.password}
    args = {**login, "db": database.database}
    for n, value in enumerate(EVIL):
        text = "select n from t where region = {recipient.region} and n < {recipient.most}"
        assert ask(plugin, args, text, region=value, most=99) == [n]


@pytest.mark.postgres
def test_postgresql_binds(postgres: Database) -> None:
    """PostgreSQL finds for each value, however much it looks like SQL, the one row that holds it."""
    _binds(postgres, "postgresql")


@pytest.mark.mariadb
def test_mariadb_binds(mariadb: Database) -> None:
    """MariaDB does the same, where backslashes escape and `#` begins a comment."""
    _binds(mariadb, "mysql")


def test_a_query_without_its_recipient_is_not_sent(tmp_path: Path) -> None:
    """Asked for nobody, or by a name that she has not, the query is refused."""
    sqlite3.connect(tmp_path / "t.db").close()
    args = {"database": str(tmp_path / "t.db")}
    with pytest.raises(QueryError, match="has no value here"):
        ask("sqlite", args, "select {recipient.region}")
    with pytest.raises(QueryError, match="the recipient's values are country"):
        ask("sqlite", args, "select {recipient.region}", country="x")
    with pytest.raises(QueryError, match=r"write \{recipient\.a\} in the query's text"):
        datasource_class("sqlite").analyse(
            Query("q", "db", "select :a", {"params": {"a": "{recipient.a}"}}),
            datasource_class("sqlite").Args.model_validate({"database": "x"}),
        )


@given(TEXTS.filter(lambda text: text.split()))
def test_promql_strings_hold_the_value(value: str) -> None:
    """The value is the whole of one Go string, which reads back as it was, on one line."""
    made = personal(
        "sum(x{region=\"{recipient.region}\", a!='{recipient.region}'}) # {recipient.no}",
        {"region": value}.__getitem__,
    )
    first, _, rest = made.removeprefix("sum(x{region=").partition(", a!=")
    wanted = " ".join(value.split())
    assert (json.loads(first), json.loads(rest.partition("}) # ")[0])) == (wanted, wanted)


@pytest.mark.parametrize(
    "text",
    [
        'x{a=~"{recipient.a}"}',
        'x{a="b-{recipient.a}"}',
        "x{a={recipient.a}}",
        'label_replace(x, "a", "{recipient.a}", "b", "c")',
        "'b=\"{recipient.a}\"'",
    ],
)
def test_promql_elsewhere_is_refused(text: str) -> None:
    """Patterns, parts of strings, code and other strings cannot hold a value; nor can nothing stand for a label."""
    with pytest.raises(PersonalTextError, match="whole matcher"):
        personal(text, lambda _: "x")
    with pytest.raises(PersonalTextError, match="is empty"):
        personal('x{a="{recipient.a}"}', lambda _: None)


def test_an_address_takes_whole_values() -> None:
    """Escaped in paths and parameters, as it is in a body; what an API could take for no filter is not sent."""
    filler = Filler(WINDOW, "UTC", "iso", {"r": "a/b?c&d={from}", "n": 7})
    address = filler.address("/regions/{recipient.r}/x?of={recipient.n}&day={from:date}")
    path, _, parameters = address.partition("/x?")
    assert unquote(path.removeprefix("/regions/")) == "a/b?c&d={from}"
    assert (path.count("/"), parameters) == (2, "of=7&day=2024-11-17")
    assert filler.value({"region": "{recipient.r}", "n": ["{recipient.n}"]}) == {
        "region": "a/b?c&d={from}",
        "n": [7],
    }
    for value in (None, "", " ", ".", "..", "a\x00b"):
        with pytest.raises(ValueError, match="may take for no filter"):
            Filler(WINDOW, "UTC", "iso", {"r": value}).address("/x/{recipient.r}")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("/x?filter=region eq '{recipient.r}'", {}),
        ("/x-{recipient.r}/y", {}),
        ("/x", {"params": {"q": "region:{recipient.r}"}}),
        ("/x", {"method": "POST", "body": '{"region": "{recipient.r}"}'}),
    ],
)
def test_an_address_refuses_parts_of_values(text: str, args: dict[str, Any]) -> None:
    """Inside another language (OData, JSON text) a value could be anything: it is refused when the plan is made."""
    with pytest.raises(QueryError, match="must be a whole part"):
        read_query(Query("q", "api", text, args))


@pytest.mark.parametrize("formatted", [markdown_to_html, markdown_text], ids=["html", "text"])
def test_markdown_shows_the_value_as_it_is(formatted: Callable[[str], str]) -> None:
    """Signs that mean something in Markdown or HTML are shown."""
    value = "*Ann* [x](javascript:alert(1)) <b> `a` _b_ # 1. {title}"
    made = formatted(filled("Hello {recipient.name}, {title}", {"title": "T", "recipient.name": value}))
    shown = made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert value in shown
    assert as_markdown("a.b") == "a\\.b"


def test_refused_where_it_is_mixed_even_with_good_ones() -> None:
    """One whole token does not excuse another that is a part."""
    query = Query("q", "api", "/a/{recipient.r}/b", {"params": {"q": "x{recipient.r}"}})
    with pytest.raises(QueryError):
        refuse_mixed(query, read_query(query))
