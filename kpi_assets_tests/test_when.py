"""`when:` on a real database: what holds, what is left out, what is said, and what a mistake is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.contracts import Document
from kpi_assets.errors import ConfigError, DataError, SourceFailedError
from kpi_assets.plan import build_plan
from kpi_assets.session import Session

AT = datetime(2024, 11, 25, 5, tzinfo=UTC)
MONDAY, SUNDAY = date(2024, 11, 18), date(2024, 11, 24)
EDITION = "2024-11-24"
REPORT = """\
title: Incidents
timezone: Europe/Berlin
end_date: 2024-11-25
partitions: {{start: 2024-10-01}}
on_view_error: {policy}
{when}
datasources:
  db: {{plugin: sqlite, args: {{database: {database}}}}}
queries:
  incidents:
    datasource: db
    query: select at, rate, name from incidents where at >= {{from}} and at < {{to}} order by at
  goals:
    datasource: db
    query: select name, goal from goals
    columns: {{name: {{type: string}}, goal: {{type: number}}}}
views:
  list:
    plugin: table
    {view_when}
    args: {{query: {{ref: incidents}}}}
{more}
outputs:
  disk: {{plugin: static, args: {{output_dir: {output}}}}}
"""


class World:
    """A folder with a database and a report on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sessions: list[Session] = []
        self.sql("create table incidents (at text, rate real, name text)")
        self.sql("create table goals (name text, goal real)")

    def sql(self, text: str, *values: object) -> None:
        with closing(sqlite3.connect(self.folder / "db.sqlite")) as connection, connection:
            connection.execute(text, values)

    def incident(self, day: date, rate: float | None, name: str = "db") -> None:
        self.sql("insert into incidents values (?, ?, ?)", f"{day} 10:00:00", rate, name)

    def write(self, when: str = "", view_when: str = "", *, policy: str = "fail", more: str = "") -> Path:
        file = self.folder / "incidents.yaml"
        words = {
            "database": self.folder / "db.sqlite",
            "output": self.folder / "out",
            "policy": policy,
            "when": f"when: {when}" if when else "",
            "view_when": f"when: {view_when}" if view_when else "",
            "more": more,
        }
        file.write_text(REPORT.format(**words), encoding="utf-8")
        return file

    def session(self, when: str = "", view_when: str = "", **more: Any) -> Session:
        plan = build_plan(load_report([self.write(when, view_when, **more)]), {})
        self.sessions.append(Session(plan, self.folder / "home", {}, clock=lambda: AT))
        return self.sessions[-1]

    def documents(self, when: str = "", view_when: str = "", *keys: str, **more: Any) -> list[Document]:
        session = self.session(when, view_when, **more)
        windows = [session.plan.window(key) for key in keys or (EDITION,)]
        list(pipeline.fetch_queries(session, windows))
        list(pipeline.render_views(session, windows))
        return list(pipeline.compose_documents(session, windows))

    def unmet(self, when: str) -> str:
        """Why the report's condition does not hold; "" where it does."""
        return self.documents(when)[0].unmet.removeprefix("`when` does not hold: ")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    for session in world.sessions:
        session.close()


# ---------------------------------------------------------------- what holds


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("rows: '> 0'", True),
        ("rows: '>= 3'", True),
        ("rows: '> 3'", False),
        ("rows: '== 0'", False),
        ("rows: '!= 2'", True),
        ("column: rate, agg: max, above: 0.2", True),
        ("column: rate, agg: max, above: 0.3", False),
        ("column: rate, agg: max, at_least: 0.3", True),
        ("column: rate, agg: min, below: 0.2", True),
        ("column: rate, agg: min, at_most: 0.05", False),
        ("column: rate, agg: sum, above: 0.35, below: 0.45", True),
        ("column: rate, agg: mean, equals: 0.2", True),
        ("column: rate, agg: mean, not_equals: 0.2", False),
        ("column: name, agg: last, equals: web", True),
        ("column: name, agg: first, equals: web", False),
        ("column: name, agg: first, not_equals: web", True),
    ],
)
def test_comparisons(world: World, condition: str, holds: bool) -> None:
    """Rows are counted and values compared as they stand in the window; NULL is left out of sums and bounds."""
    world.incident(MONDAY, 0.1)
    world.incident(MONDAY + timedelta(days=1), None)
    world.incident(SUNDAY, 0.3, "web")
    world.incident(SUNDAY + timedelta(days=1), 9.0)
    assert (not world.unmet(f"{{query: {{ref: incidents}}, {condition}}}")) == holds


def test_reasons_say_what_was_found_and_what_was_wanted(world: World) -> None:
    """A condition that does not hold names query, column, value and limit."""
    world.incident(MONDAY, 0.25)
    assert world.unmet("{query: {ref: incidents}, rows: '> 5'}") == "query 'incidents' has 1 row, wanted > 5"
    assert world.unmet("{query: {ref: incidents}, column: rate, agg: max, above: 1, below: 5}") == (
        "max of 'rate' in query 'incidents' is 0.25, wanted above 1 and below 5"
    )
    assert world.unmet("{query: {ref: incidents}, column: name, agg: last, equals: web}") == (
        "last of 'name' in query 'incidents' wanted equal to 'web'"
    )


@pytest.mark.parametrize("agg", ["last", "first", "max", "min", "sum", "mean"])
@pytest.mark.parametrize("rates", [[], [None, None]])
def test_no_value_never_holds(world: World, agg: str, rates: list[float | None]) -> None:
    """Without rows, or with NULL alone, no comparison holds, not even with a sum of nothing; the reason says so."""
    for rate in rates:
        world.incident(MONDAY, rate)
    for comparison in ("below: 5", "not_equals: 1", "equals: 0"):
        reason = world.unmet(f"{{query: {{ref: incidents}}, column: rate, agg: {agg}, {comparison}}}")
        assert reason.startswith(
            f"query 'incidents' has no value of 'rate' ({agg})" if rates else "query 'incidents' has no rows"
        )


def test_the_last_value_is_the_last_rows(world: World) -> None:
    """A NULL in the last row is no value: an older one does not stand in for it."""
    world.incident(MONDAY, 0.9)
    world.incident(SUNDAY, None)
    assert "no value of 'rate' (last)" in world.unmet(
        "{query: {ref: incidents}, column: rate, agg: last, above: 0.5}"
    )


def test_several_conditions(world: World) -> None:
    """`any` holds with one, `all` with all; they may hold each other, and the reason names those that speak against."""
    world.incident(MONDAY, 0.25)
    yes, no = "{query: {ref: incidents}, rows: '> 0'}", "{query: {ref: incidents}, rows: '> 5'}"
    assert world.unmet(f"{{any: [{no}, {yes}]}}") == ""
    assert world.unmet(f"{{all: [{yes}, {no}]}}") == "query 'incidents' has 1 row, wanted > 5"
    assert world.unmet(f"{{all: [{yes}, {{any: [{no}, {yes}]}}]}}") == ""
    assert world.unmet(f"{{any: [{no}, {{query: {{ref: goals}}, rows: '> 1'}}]}}") == (
        "query 'incidents' has 1 row, wanted > 5; query 'goals' has 0 rows, wanted > 1"
    )


def test_a_query_of_its_own(world: World) -> None:
    """A condition may ask what no view asks."""
    world.incident(MONDAY, 0.25)
    own = "{datasource: db, query: 'select count(*) as n from incidents', column: n, agg: last, above: %d}"
    assert world.unmet(own % 0) == ""
    assert world.unmet(own % 1) == "last of 'n' in query 'when' is 1, wanted above 1"


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (0.1, 0.9, ""),
        (0.8, 0.9, "not crossed, it was so in the window before"),
        (0.1, 0.2, "is 0.2, wanted above 0.5"),
        (None, 0.9, "not crossed, the window before: query 'incidents' has no rows"),
    ],
)
def test_crossing_a_limit(world: World, before: float | None, now: float, reason: str) -> None:
    """With `crossed` it holds only where the window before was known to be on the other side."""
    if before is not None:
        world.incident(MONDAY - timedelta(days=3), before)
    world.incident(MONDAY, now)
    condition = "{query: {ref: incidents}, column: rate, agg: max, above: 0.5, crossed: true}"
    found = world.unmet(condition)
    assert reason in found
    assert bool(found) == bool(reason)


# ---------------------------------------------------------------- changed


def test_what_changed_since_the_edition_before(world: World) -> None:
    """The first edition is new, then those whose rows differ, in whatever order they come; a re-run says the same."""
    when = "{query: {ref: goals}, changed: true}"
    world.sql("insert into goals values ('a', 1), ('b', 2)")
    assert world.documents(when, "", "2024-11-22")[0].unmet == ""
    same = "`when` does not hold: query 'goals' has the same rows as in edition 2024-11-22"
    world.sql("delete from goals")
    world.sql("insert into goals values ('b', 2), ('a', 1)")
    assert world.documents(when, "", "2024-11-23")[0].unmet == same
    world.sql("update goals set goal = 3 where name = 'a'")
    for _ in range(2):
        assert world.documents(when, "", "2024-11-24")[0].unmet == ""


def test_a_change_in_one_column(world: World) -> None:
    """With `column` only that column's values count."""
    when = "{query: {ref: goals}, column: goal, changed: true}"
    world.sql("insert into goals values ('a', 1)")
    world.documents(when, "", "2024-11-23")
    world.sql("update goals set name = 'b'")
    assert "column 'goal' of query 'goals' has the same rows" in world.documents(when)[0].unmet
    world.sql("update goals set goal = 2")
    assert world.documents(when)[0].unmet == ""


def test_changes_within_a_backfill(world: World) -> None:
    """Each edition of a range is compared with the one before it, of the report and of its views."""
    world.sql("insert into goals values ('a', 1)")
    when = "{query: {ref: goals}, changed: true}"
    more = f"  goals:\n    plugin: table\n    when: {when}\n    args: {{query: {{ref: goals}}}}\n"
    found = world.documents(when, "", "2024-11-22", "2024-11-23", "2024-11-24", more=more)
    assert [bool(document.unmet) for document in found] == [False, True, True]
    assert [[b.view for b in document.blocks] for document in found] == [
        ["list", "goals"],
        ["list"],
        ["list"],
    ]


# ---------------------------------------------------------------- views


def test_a_view_is_left_out(world: World) -> None:
    """A view whose condition does not hold is in no format of the document, the others are; it comes back with data."""
    more = "  goals:\n    plugin: table\n    title: Goals\n    args: {query: {ref: goals}}\n"
    when = "{query: {ref: incidents}, rows: '> 0'}"
    document = world.documents("", when, more=more)[0]
    assert ([block.view for block in document.blocks], document.unmet) == (["goals"], "")
    assert b'id="list"' not in document.file("index.html").content
    block = world.sessions[-1].editions.load_block("incidents", EDITION, "list")
    assert (block.status, block.note) == ("left_out", "query 'incidents' has 0 rows, wanted > 0")
    world.incident(MONDAY, 0.1)
    assert [block.view for block in world.documents("", when, more=more)[0].blocks] == ["list", "goals"]


def test_an_edition_without_views_is_not_sent(world: World) -> None:
    """Where all views are left out, the page says that there is nothing to report, and nobody is told."""
    document = world.documents("", "{query: {ref: incidents}, rows: '> 0'}")[0]
    assert document.unmet == "all views are left out: query 'incidents' has 0 rows, wanted > 0"
    assert b"Nothing to report" in document.file("index.html").content


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("policy", ["fail", "placeholder"])
def test_a_failing_query_is_an_error(world: World, policy: str) -> None:
    """Where nobody knows whether the condition holds, nothing is skipped: it fails, also if another part would do."""
    broken = "{datasource: db, query: select 1 from nowhere, rows: '> 0'}"
    with pytest.raises(SourceFailedError, match="query 'when' failed"):
        world.documents(f"{{any: [{{query: {{ref: goals}}, rows: '== 0'}}, {broken}]}}", policy=policy)


def test_a_views_failing_condition_is_the_views_error(world: World) -> None:
    """A view whose condition cannot be decided is a view that could not be made."""
    session = world.session("", "{datasource: db, query: select 1 from nowhere, rows: '> 0'}")
    windows = [session.plan.window(EDITION)]
    list(pipeline.fetch_queries(session, windows))
    (rendered,) = pipeline.render_views(session, windows)
    assert isinstance(rendered.error, SourceFailedError)
    assert rendered.block.status == "placeholder"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "column: rte, agg: max, above: 1",
            "`when` on query 'incidents': no column 'rte': did you mean 'rate'?",
        ),
        ("column: name, agg: max, above: 1", "column 'name' holds values that are no numbers"),
        ("column: name, agg: last, above: 1", "column 'name' holds values that are no numbers"),
    ],
)
def test_columns_that_do_not_fit(world: World, condition: str, message: str) -> None:
    """A column that is not there, or that holds text, is an error that names it."""
    world.incident(MONDAY, 0.1)
    with pytest.raises(DataError, match=message.replace("?", r"\?")):
        world.documents(f"{{query: {{ref: incidents}}, {condition}}}")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            "{query: {ref: incident}, rows: '> 0'}",
            "query 'incident' is not defined under `queries`: did you mean 'incidents'?",
        ),
        ("{query: select 1, rows: '> 0'}", "the query names no datasource"),
        (
            "{query: select 1, datasource: dd, rows: '> 0'}",
            "datasource 'dd' is not defined under `datasources`",
        ),
        (
            "{query: {ref: goals}, column: name, agg: max, above: 1}",
            "column 'name' of query 'goals' is of type string by its contract",
        ),
        (
            "{query: {ref: goals}, column: goal, agg: last, equals: x}",
            "column 'goal' of query 'goals' is of type number by its contract",
        ),
        ("{query: {ref: goals}, row: '> 0'}", "did you mean 'rows'?"),
        ("{query: {ref: goals}, rows: many}", "write a comparison with a whole number in quotes"),
        ("{query: {ref: goals}}", "give one of `rows: '> 0'`, `changed: true`"),
        ("{query: {ref: goals}, column: goal, above: 1}", "`agg` is missing"),
        ("{query: {ref: goals}, agg: max, above: 1}", "`column` is missing"),
        ("{query: {ref: goals}, column: goal, agg: average, above: 1}", "agg"),
        ("{query: {ref: goals}, column: goal, agg: max, above: much}", "must be a number"),
        ("{query: {ref: goals}, column: goal, agg: max, equals: much}", "never equal to text"),
        ("{query: {ref: goals}, rows: '> 0', changed: true}", "give one of"),
        ("{query: {ref: goals}, changed: true, crossed: true}", "leave `crossed` out"),
        ("{any: []}", "`any` is empty"),
        ("{any: [{query: {ref: goals}, rows: '> 0'}], rows: '> 0'}", "give one of `query`, `any` or `all`"),
        ("{any: [{query: {ref: nowhere}, rows: '> 0'}]}", "query 'nowhere' is not defined"),
        ("{skips: some, query: {ref: goals}, rows: '> 0'}", "'notify' or 'all'"),
    ],
)
def test_mistakes_are_found_before_anything_runs(world: World, when: str, message: str) -> None:
    """Unknown queries, columns that a contract denies, parts that do not go together: each at its place in the file."""
    with pytest.raises(ConfigError) as caught:
        world.session(when)
    assert message in str(caught.value)
    assert all(problem.position and problem.position.line == 6 for problem in caught.value.problems)


def test_mistakes_in_a_views_condition(world: World) -> None:
    """The same is checked for a view; what to leave undone is only said for the report."""
    with pytest.raises(ConfigError, match=r"query 'gaols' is not defined .* did you mean 'goals'"):
        world.session("", "{query: {ref: gaols}, rows: '> 0'}")
    with pytest.raises(ConfigError, match=r"unknown key 'when\.skips'"):
        world.session("", "{query: {ref: goals}, rows: '> 0', skips: all}")


def test_a_column_that_no_contract_names_is_warned_of(world: World) -> None:
    """A contract need not name all columns, so that another is a doubt, not a mistake."""
    plan = world.session("{query: {ref: goals}, column: gaol, agg: max, above: 1}").plan
    assert [warning.message for warning in plan.warnings] == [
        "column 'gaol' is not among the `columns` of query 'goals': did you mean 'goal'?"
    ]
