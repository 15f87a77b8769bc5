"""Every backend against every fault: which test covers it, and here those that no module of its own has."""

from __future__ import annotations

import ast
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kpi_assets import pipeline
from kpi_assets.cli.app import app
from kpi_assets.config import load_report
from kpi_assets.contracts import Window
from kpi_assets.errors import KpiAssetsError, QueryError, RetriableError
from kpi_assets.plan import build_plan
from kpi_assets.session import Session
from kpi_assets_tests.datasources.api import Reply, serving
from kpi_assets_tests.datasources.ga4_peer import key_file
from kpi_assets_tests.datasources.helpers import ask, babbling, make, sqlite_file
from kpi_assets_tests.datasources.x_peer import KEYS
from kpi_assets_tests.servers import Database
from kpi_assets_tests.shop import make_shop

CASES = ("down", "timeout", "login", "malformed", "empty", "million", "unicode", "from")
HERE = "test_fault_matrix"
MATRIX: dict[str, dict[str, str]] = {
    "sqlite": {
        "down": "test_sqlite.test_a_missing_file_is_not_made",
        "timeout": "test_sqlite.test_time_limit",
        "login": "none: a file has no login",
        "malformed": "test_sqlite.test_a_file_that_is_no_database",
        "empty": f"{HERE}.test_no_rows",
        "million": "test_memory.test_a_million_rows",
        "unicode": "test_sqlite.test_names_and_values",
        "from": "test_sqlite.test_names_and_values",
    },
    "mysql": {
        "down": "test_mysql.test_a_server_that_is_down_is_tried_again",
        "timeout": "test_mysql.test_time_limit",
        "login": "test_mysql.test_wrong_password_is_not_told",
        "malformed": f"{HERE}.test_a_server_of_another_kind",
        "empty": f"{HERE}.test_no_rows",
        "million": f"{HERE}.test_a_million_rows",
        "unicode": f"{HERE}.test_unicode_and_a_column_called_from",
        "from": f"{HERE}.test_unicode_and_a_column_called_from",
    },
    "postgresql": {
        "down": "test_postgresql.test_a_server_that_is_down_is_tried_again",
        "timeout": "test_postgresql.test_time_limit",
        "login": "test_postgresql.test_wrong_password_is_not_told",
        "malformed": f"{HERE}.test_a_server_of_another_kind",
        "empty": f"{HERE}.test_no_rows",
        "million": f"{HERE}.test_a_million_rows",
        "unicode": f"{HERE}.test_unicode_and_a_column_called_from",
        "from": f"{HERE}.test_unicode_and_a_column_called_from",
    },
    "duckdb": {
        "down": "test_duckdb.test_a_missing_file_is_not_made",
        "timeout": "test_duckdb.test_time_limit",
        "login": "none: a file has no login",
        "malformed": f"{HERE}.test_a_file_that_is_no_database",
        "empty": f"{HERE}.test_no_rows",
        "million": f"{HERE}.test_a_million_rows",
        "unicode": f"{HERE}.test_unicode_and_a_column_called_from",
        "from": f"{HERE}.test_unicode_and_a_column_called_from",
    },
    "prometheus": {
        "down": "test_prometheus.test_a_dead_and_a_slow_server_are_worth_another_try",
        "timeout": "test_prometheus.test_a_dead_and_a_slow_server_are_worth_another_try",
        "login": "test_prometheus.test_logins_travel_and_never_show",
        "malformed": "test_prometheus.test_what_is_no_answer_is_told_at_once",
        "empty": "test_prometheus_server.test_nothing_found_is_an_empty_frame",
        "million": "test_prometheus.test_a_million_points_are_read",
        "unicode": "test_prometheus_server.test_no_number_and_infinity_arrive_as_they_are",
        "from": "test_prometheus_server.test_no_number_and_infinity_arrive_as_they_are",
    },
    "jenkins": {
        "down": "test_jenkins.test_a_slow_and_a_dead_server_are_told_apart",
        "timeout": "test_jenkins.test_a_slow_and_a_dead_server_are_told_apart",
        "login": "test_jenkins.test_a_wrong_login_is_told_plainly_and_at_once",
        "malformed": "test_jenkins.test_answers_that_are_not_jenkins_are_told",
        "empty": "test_jenkins.test_jenkins_without_jobs_gives_no_rows",
        "million": "none: Jenkins lists the newest builds of a job, not all",
        "unicode": "test_jenkins.test_all_jobs_are_listed_in_all_folders",
        "from": "none: the columns are Jenkins' own",
    },
    "http": {
        "down": "test_http.test_server_down",
        "timeout": "test_http.test_timeout",
        "login": "test_http.test_logins",
        "malformed": "test_http.test_malformed_answers",
        "empty": "test_http.test_nothing",
        "million": "test_web_memory.test_a_million_rows",
        "unicode": "test_http.test_records_and_nesting",
        "from": "test_http.test_records_and_nesting",
    },
    "file": {
        "down": "test_file.test_missing_files",
        "timeout": f"{HERE}.test_a_query_over_files_that_never_ends",
        "login": f"{HERE}.test_a_file_behind_a_login",
        "malformed": "test_file.test_broken_files",
        "empty": f"{HERE}.test_no_rows",
        "million": f"{HERE}.test_a_million_rows",
        "unicode": "test_file.test_every_format",
        "from": "test_file.test_every_format",
    },
    "googleanalytics": {
        "down": "test_googleanalytics.test_a_slow_and_a_dead_server_are_told_apart",
        "timeout": "test_googleanalytics.test_a_slow_and_a_dead_server_are_told_apart",
        "login": "test_googleanalytics.test_a_wrong_key_is_told_plainly_and_at_once",
        "malformed": "test_googleanalytics.test_malformed_rows_are_told",
        "empty": "test_googleanalytics.test_an_empty_answer_is_a_typed_frame",
        "million": "test_web_and_x_reports.test_memory_of_many_rows",
        "unicode": "test_googleanalytics.test_filters_and_orders_are_googles",
        "from": "test_googleanalytics.test_rows_of_one_day_are_cut_by_days",
    },
    "twitter": {
        "down": "test_twitter.test_a_slow_and_a_dead_server_are_told_apart",
        "timeout": "test_twitter.test_a_slow_and_a_dead_server_are_told_apart",
        "login": "test_twitter.test_a_wrong_key_is_told_plainly_and_at_once",
        "malformed": "test_twitter.test_answers_that_are_not_xs_are_told",
        "empty": "test_twitter.test_no_posts_are_an_empty_frame_with_its_columns",
        "million": "none: X gives the 3,200 newest posts of an account",
        "unicode": "test_twitter.test_the_own_posts_of_the_window_come_with_their_counts",
        "from": "none: the columns are X's own",
    },
}
"""Backend -> fault -> the test, as module.function beside this file, or why there can be none."""
ROWS = 1_000_000
COUNT = {
    "mysql": f"select seq as n, 'ä' as t from seq_1_to_{ROWS}",
    "postgresql": f"select n, 'ä' as t from generate_series(1, {ROWS}) as s (n)",
    "duckdb": f"select i as n, 'ä' as t from range(1, {ROWS + 1}) as s (i)",
    "file": "select n, t from big",
}
OURS = [
    "sqlite",
    "duckdb",
    "file",
    pytest.param("mysql", marks=pytest.mark.mariadb),
    pytest.param("postgresql", marks=pytest.mark.postgres),
]


@pytest.mark.parametrize("backend", MATRIX)
def test_every_cell_names_a_test_that_exists(backend: str) -> None:
    """All faults are there, and each names a function of a module beside this one, or why there is none."""
    assert tuple(MATRIX[backend]) == CASES
    for cell in MATRIX[backend].values():
        if not cell.startswith("none: "):
            module, _, function = cell.partition(".")
            tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, cell


@pytest.fixture(params=OURS)
def backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def source(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A datasource with a table `t` of one odd row; of `file` also `big`."""
    found = make(backend, **_args(backend, request, tmp_path))
    yield found
    found.close()


def _args(backend: str, request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    quote = "`" if backend == "mysql" else '"'
    table = (
        f"create table t ({quote}from{quote} varchar(20), {quote}Größe{quote} varchar(20))",
        "insert into t values ('Zoë ☃ 日本', 'ß')",
    )
    if backend in ("mysql", "postgresql"):
        database: Database = request.getfixturevalue({"mysql": "mariadb", "postgresql": "postgres"}[backend])
        database.execute(*table)
        login = {"host": database.host, "port": database.port, "user": database.user}
        return {**login, "password": database.password, "database": database.database}
    if backend == "sqlite":
        return {"database": sqlite_file(folder / "t.db", *table)}
    return _duck(backend, folder, *table)


def _duck(backend: str, folder: Path, *table: str) -> dict[str, Any]:
    import duckdb

    path = folder / "t.duckdb"
    with duckdb.connect(str(path) if backend == "duckdb" else ":memory:") as connection:
        for statement in table:
            connection.execute(statement)
        if backend == "duckdb":
            return {"database": str(path)}
        connection.execute(f"copy t to '{folder / 't.parquet'}'")
        connection.execute(f"copy ({COUNT['duckdb']}) to '{folder / 'big.parquet'}'")
    return {"path": [str(folder / "t.parquet"), str(folder / "big.parquet")]}


def test_unicode_and_a_column_called_from(backend: str, source: Any) -> None:
    """Names and values in any script come through, and `from` is a name like others."""
    quote = "`" if backend == "mysql" else '"'
    frame = ask(source, f"select {quote}from{quote}, {quote}Größe{quote} from t where {{from}} < {{to}}")
    assert frame.to_dict("list") == {"from": ["Zoë ☃ 日本"], "Größe": ["ß"]}


def test_no_rows(source: Any) -> None:
    """An empty answer has its columns."""
    frame = ask(source, "select * from t where 1 = 0")
    assert len(frame) == 0
    assert list(frame) == ["from", "Größe"]


@pytest.mark.slow
@pytest.mark.parametrize("backend", [param for param in OURS if param != "sqlite"])
def test_a_million_rows(backend: str, source: Any) -> None:
    """They arrive complete."""
    frame = ask(source, COUNT[backend])
    assert (len(frame), int(frame["n"].sum())) == (ROWS, ROWS * (ROWS + 1) // 2)
    assert frame["t"].iloc[-1] == "ä"


@pytest.mark.parametrize("backend", ["mysql", "postgresql"])
def test_a_server_of_another_kind(backend: str) -> None:
    """What answers in another protocol is told with the datasource, and does not hang."""
    with babbling() as port:
        source = make(backend, host="127.0.0.1", port=port, user="u", database="d", retry_for=0)
        with pytest.raises(KpiAssetsError, match="datasource 'shop'"):
            ask(source, "select 1 as a")


@pytest.mark.parametrize("backend", ["mysql", "postgresql"])
def test_a_server_that_never_greets(backend: str) -> None:
    """Who takes the connection and says nothing is given up after `connect_timeout`, and is worth another try."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        login = {"host": "127.0.0.1", "port": mute.getsockname()[1], "user": "u", "database": "d"}
        source = make(backend, **login, connect_timeout=1, retry_for=0)
        with pytest.raises(RetriableError, match="datasource 'shop'"):
            ask(source, "select 1 as a")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """DuckDB's words name the file."""
    path = tmp_path / "x.duckdb"
    path.write_text("a,b\n" * 5000)
    with pytest.raises(QueryError, match=r"x\.duckdb"):
        ask(make("duckdb", database=str(path)), "select 1 as a")


def test_a_query_over_files_that_never_ends(tmp_path: Path) -> None:
    """It is stopped after `statement_timeout`."""
    (tmp_path / "a.csv").write_text("n\n1\n")
    source = make("file", path=str(tmp_path / "a.csv"), statement_timeout=0.2)
    endless = "select count(*) as n from range(1000000000) x, range(1000000000) y, a where x.range % 7 = y.range % 11"
    with pytest.raises(QueryError, match="took longer than"):
        ask(source, endless)
    source.close()


def test_a_file_behind_a_login() -> None:
    """A server that refuses is told with the file's address, at once."""
    with serving(lambda _: Reply("", 401)) as api:
        source = make("file", path=f"{api.url}/x.csv", retry_for=30)
        with pytest.raises(QueryError, match=r"x\.csv"):
            ask(source, "")
        source.close()


DEAD: dict[str, tuple[dict[str, Any], str]] = {
    "sqlite": ({"database": "nowhere.db"}, "select 1 as n"),
    "mysql": ({"host": "127.0.0.1", "port": 9, "user": "u", "database": "d"}, "select 1 as n"),
    "postgresql": ({"host": "127.0.0.1", "port": 9, "user": "u", "database": "d"}, "select 1 as n"),
    "duckdb": ({"database": "nowhere.duckdb"}, "select 1 as n"),
    "prometheus": ({"host": "127.0.0.1:9"}, "up"),
    "jenkins": ({"host": "127.0.0.1:9", "user": "u", "api_token": "t"}, "get_all_jobs"),
    "http": ({"base_url": "http://127.0.0.1:9"}, "x"),
    "file": ({"path": "nowhere.csv"}, ""),
    "googleanalytics": (
        {"property_id": 4711, "data_url": "http://127.0.0.1:9", "admin_url": "http://127.0.0.1:9"},
        "report",
    ),
    "twitter": ({"api_url": "http://127.0.0.1:9", **KEYS}, "tweets"),
}
"""Backends that are away, and a question to each."""
REPORT = """\
title: Health
timezone: Europe/Berlin
end_date: 2024-11-25
on_view_error: {policy}
datasources:
  shop: {{plugin: sqlite, args: {{database: {shop}}}}}
  gone: {{plugin: {plugin}, args: {args}}}
queries:
  lost: {{datasource: gone, query: {query}}}
views:
  orders: {{plugin: table, args: {{datasource: shop, query: select count(*) as Orders from orders}}}}
  lost: {{plugin: table, args: {{query: {{ref: lost}}}}}}
outputs:
  disk: {{plugin: static, args: {{output_dir: {out}}}}}
"""


@pytest.mark.parametrize("plugin", DEAD)
def test_one_dead_datasource_takes_its_own_views_only(
    plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The query's error names the datasource; the other views are made and delivered, its own say that they failed."""
    monkeypatch.chdir(tmp_path)
    session, windows = _session(_report(tmp_path, plugin, "placeholder"), tmp_path)
    errors = {fetched.query.id: fetched.error for fetched in pipeline.fetch_queries(session, windows)}
    assert "datasource 'gone'" in str(errors.pop("lost"))
    assert set(errors.values()) == {None}
    statuses = {item.view.id: item.block.status for item in pipeline.render_views(session, windows)}
    assert statuses == {"orders": "ok", "lost": "placeholder"}
    list(pipeline.compose_documents(session, windows))
    assert [item.error for item in pipeline.deliver_outputs(session, windows)] == [None]
    assert list((tmp_path / "out").rglob("*.html"))
    session.close()


@pytest.mark.parametrize("policy", ["placeholder", "fail"])
def test_a_run_ends_as_the_policy_says(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`placeholder` delivers and `fail` does not; the command says which datasource it was, and what it met."""
    monkeypatch.chdir(tmp_path)
    file = _report(tmp_path, "jenkins", policy)
    done = CliRunner().invoke(app, ["run", "-c", str(file), "--home", str(tmp_path / "home")])
    said = f"{done.output} {done.exception}"
    assert "datasource 'gone'" in said
    assert "127.0.0.1:9 cannot be reached" in said
    assert done.exit_code == (0 if policy == "placeholder" else 1), said
    assert any((tmp_path / "out").rglob("*.html")) == (policy == "placeholder")


def _report(folder: Path, plugin: str, policy: str) -> Path:
    args, query = DEAD[plugin]
    if plugin == "googleanalytics":
        args = {**args, "key_file": key_file(folder, "http://127.0.0.1:9")}
    args = args if plugin == "file" else {**args, "retry_for": 0}
    shop = make_shop(folder / "shop.db")
    text = REPORT.format(
        policy=policy, shop=shop, plugin=plugin, args=args, query=repr(query), out=folder / "out"
    )
    file = folder / "health.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _session(file: Path, folder: Path) -> tuple[Session, list[Window]]:
    plan = build_plan(load_report([file]), {})
    session = Session(plan, folder / "home", {}, clock=lambda: datetime(2024, 11, 25, 5, tzinfo=UTC))
    return session, [plan.window("2024-11-24")]
