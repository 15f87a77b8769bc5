"""Every report in `examples/` runs as its first lines say, and shows the right numbers."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpi_assets.cli.reports import choose_window
from kpi_assets.config import load_report
from kpi_assets.contracts import Block, Document, Stat, Table
from kpi_assets.demo import REPORT, prepare
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline import preview_document
from kpi_assets.plan import build_plan
from kpi_assets.session import open_session
from kpi_assets_tests.datasources.api import serving
from kpi_assets_tests.servers import Database

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class Preview:
    """A document and its blocks by view."""

    document: Document
    faults: tuple[KpiAssetsError, ...]

    def block(self, view: str) -> Block:
        return next(block for block in self.document.blocks if block.view == view)

    def stat(self, view: str) -> Stat:
        return next(element for element in self.block(view).elements if isinstance(element, Stat))

    def table(self, view: str) -> list[list[str]]:
        table = next(element for element in self.block(view).elements if isinstance(element, Table))
        return [[cell.text for cell in row] for row in table.rows]

    @property
    def html(self) -> str:
        return self.document.file("index.html").content.decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, as a user's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def preview(*files: Path, environ: Mapping[str, str] | None = None) -> Preview:
    """What `kpi-assets preview` makes of the files."""
    plan = build_plan(load_report(list(files)), environ or {})
    assert [str(warning) for warning in plan.warnings] == []
    here = Path.cwd()
    with open_session(plan, here / "home", environ or {}) as session:
        return Preview(*preview_document(session, choose_window(plan, None, None, None), here / "scratch"))


def seed(statements: Path, database: str) -> None:
    """Run examples/seed.py as the examples say."""
    subprocess.run([sys.executable, EXAMPLES / "seed.py", statements, database], check=True)


def asked(database: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_kpi_reporter_file_for_sqlite(folder: Path) -> None:
    """A KPI Reporter file for SQLite runs unchanged, and its numbers are those of the database."""
    seed(EXAMPLES / "kpi_reporter_sqlite.sql", "library.db")
    made = preview(EXAMPLES / "kpi_reporter_sqlite.yaml")
    ((loans,),) = asked("library.db", "select count(*) from loans where lent_at >= '2024-11-18'")
    assert made.faults == ()
    assert made.stat("loans").value == str(loans)
    since = "lent_at >= '2024-11-18' and days_out >= 3"
    shelves = f"select shelf, count(*) from loans where {since} group by 1 order by 2 desc, 1"
    assert made.table("shelves") == [[str(cell) for cell in row] for row in asked("library.db", shelves)]


@pytest.mark.mariadb
def test_kpi_reporter_file_for_mysql(folder: Path, mariadb: Database) -> None:
    """A KPI Reporter file for MySQL runs unchanged on a server, but for the name of its database and user."""
    script = (EXAMPLES / "kpi_reporter_mysql.sql").read_text(encoding="utf-8").partition("use bicycles;")[2]
    mariadb.execute(*[statement for statement in script.split(";") if statement.strip()])
    login = folder / "login.yaml"
    args = f"{{user: {mariadb.user}, db: {mariadb.database}, port: {mariadb.port}}}"
    login.write_text(f"datasources: {{town: {{plugin: mysql, args: {args}}}}}\n")
    environ = {"BICYCLES_PASSWORD": mariadb.password}
    made = preview(EXAMPLES / "kpi_reporter_mysql.yaml", login, environ=environ)
    rides = made.stat("rides_this_week")
    assert made.faults == ()
    assert (rides.value, rides.change and rides.change.text) == ("453", "+15.0\u202f%")
    assert rides.label_html == '<span class="figure">453</span> <em>rides</em>'
    assert made.table("stations")[0] == ["Harbour", "128"]
    assert mariadb.password not in made.html


def test_report_in_several_files(folder: Path) -> None:
    """The board's file makes the edition longer, renames it and adds a view; the rest of the base stays."""
    seed(EXAMPLES / "multi_file" / "bakery.sql", "bakery.db")
    base = EXAMPLES / "multi_file" / "base.yaml"
    week, month = preview(base), preview(base, EXAMPLES / "multi_file" / "board.yaml")
    assert (week.faults, month.faults) == ((), ())
    assert (week.document.title, month.document.title) == ("Bakery", "Bakery, four weeks")
    assert (week.document.window.length, month.document.window.length) == (7, 28)
    assert [block.view for block in month.document.blocks] == ["takings", "takings_a_day", "by_shop"]
    assert [row[0] for row in month.table("by_shop")] == ["Station", "Castle", "Bridge"]


@pytest.mark.postgres
def test_report_in_several_files_on_its_server(folder: Path, postgres: Database) -> None:
    """The server's file replaces the local database; both give the same numbers, and no secret reaches the page."""
    seed(EXAMPLES / "multi_file" / "bakery.sql", "bakery.db")
    _copy_sales("bakery.db", postgres)
    base, server = EXAMPLES / "multi_file" / "base.yaml", EXAMPLES / "multi_file" / "server.yaml"
    name = folder / "name.yaml"
    name.write_text(
        f"datasources: {{till: {{plugin: postgresql, args: {{database: {postgres.database}}}}}}}\n"
    )
    secrets = {
        "BAKERY_HOST": postgres.host,
        "BAKERY_USER": postgres.user,
        "BAKERY_PASSWORD": postgres.password,
    }
    local, served = preview(base), preview(base, server, name, environ=secrets)
    assert served.faults == ()
    assert served.stat("takings").value == local.stat("takings").value
    assert served.stat("takings").change == local.stat("takings").change
    assert postgres.password not in served.html


def test_themed_report(folder: Path) -> None:
    """The theme's logo, style sheet, footer and colours reach the page, and the title holds the window's days."""
    seed(EXAMPLES / "kpi_reporter_sqlite.sql", "library.db")
    made = preview(EXAMPLES / "themed" / "report.yaml")
    assert made.faults == ()
    assert made.document.title == "The town library, 2024-11-18 to 2024-11-24"
    for part in ("border-top: 6px double", 'class="colophon"', "M16 5C12 2", "#8c3b2e", "Biblioteca da Vila"):
        assert part in made.html
    assert "Source queries" not in made.html


def test_report_over_files_and_http(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files' rows make the report without a database, and the gauge's readings come over HTTP."""
    home = folder / "files_and_http"
    shutil.copytree(EXAMPLES / "files_and_http", home)
    monkeypatch.chdir(home)
    with serving(lambda asked: (home / asked.path.strip("/")).read_text(encoding="utf-8")) as gauge:
        made = preview(home / "report.yaml", home / "http.yaml", environ={"GAUGE": gauge.url})
        asked = {name: value for request in gauge.asked for name, value in request.params.items()}
    lines = (home / "visits" / "week-47.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert made.faults == ()
    assert made.stat("guests").value == f"{sum(int(line.split(',')[2]) for line in lines):,}"
    assert [row[:2] for row in made.table("tickets")] == [
        ["Ten visits", "7"],
        ["Sauna", "7"],
        ["Day ticket", "7"],
    ]
    assert asked == {"since": "2024-11-17T23:00:00Z", "until": "2024-11-24T23:00:00Z"}


def test_demo_report(folder: Path) -> None:
    """Every view of the demo is made, and its key figures are those of the database."""
    environ = prepare(folder)
    made = preview(REPORT, environ=environ)
    database = environ["KPI_ASSETS_DEMO_DB"]
    ((sign_ups,),) = asked(database, "select count(*) from accounts where created_at >= '2024-11-18'")
    ((revenue,),) = asked(
        database, "select sum(net_amount) from invoice_lines where charged_at >= '2024-11-18'"
    )
    assert made.faults == ()
    assert [block.status for block in made.document.blocks] == ["ok"] * len(made.document.blocks)
    assert f">{sign_ups}<" in made.html
    assert f">€{revenue:,.0f}<" in made.html
    assert len(made.html) < 400_000


def _copy_sales(source: str, target: Database) -> None:
    target.execute("create table sales (sale_id int, sold_at timestamp, shop text, amount numeric(8, 2))")
    with closing(target.connect()) as connection, connection.cursor() as cursor:
        rows = asked(source, "select * from sales")
        cursor.executemany("insert into sales values (%s, %s, %s, %s)", rows)
