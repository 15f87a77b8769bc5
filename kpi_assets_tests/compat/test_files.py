"""Files as users of KPI Reporter write them, sloppy ones too: each runs, or is told how to put it right."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from html import escape
from pathlib import Path

import pytest

from kpi_assets.cli.reports import choose_window
from kpi_assets.config import load_report, resolve_plain
from kpi_assets.contracts import Block, Stat, Table
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline import preview_document
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.session import open_session
from kpi_assets_tests.examples.test_examples import Preview
from kpi_assets_tests.shop import make_shop

FOLDER = Path(__file__).parent
ENVIRON = {"TEAM": "Größe & <Co>", "DAYS": "7", "END": "2024-11-25", "SHOP": "shop.db", "PRECISION": "2"}


def files(kind: str) -> list[Path]:
    return sorted((FOLDER / kind).glob("*.yaml"))


def told(file: Path, word: str) -> list[str]:
    """What the file's first lines say that is said of it."""
    return re.findall(rf"^# {word}: (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)


def planned(*sources: Path) -> ReportPlan:
    """The plan, after its warnings were found to be those that the files announce, and no others."""
    plan = build_plan(load_report(sources), ENVIRON)
    warnings = [str(warning) for warning in plan.warnings]
    announced = [text for file in sources for text in told(file, "warns")]
    assert all(any(text in warning for warning in warnings) for text in announced), warnings
    assert len(warnings) == len(announced), warnings
    return plan


@pytest.fixture(scope="module")
def previews(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Preview]:
    """The editions of all files that a shop in SQLite answers, by name."""
    folder = tmp_path_factory.mktemp("compat")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_shop(folder / "shop.db")
        return {file.stem: preview(folder, file) for file in files("runs")}


def preview(folder: Path, file: Path) -> Preview:
    over = FOLDER / f"{file.stem}_over.yaml"
    plan = planned(file, *([over] if over.exists() else []))
    with open_session(plan, folder / "home", ENVIRON) as session:
        return Preview(*preview_document(session, choose_window(plan, None, None, None), folder / "scratch"))


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the database itself says: orders in the week and the two weeks before Nov 25, and in all."""
    shop = make_shop(tmp_path_factory.mktemp("shop") / "shop.db")
    count = "select count(*) from orders where placed_at >= ?"
    with closing(sqlite3.connect(shop)) as connection:
        asked = {"week": "2024-11-18", "two weeks": "2024-11-11", "all": "2024-01-01"}
        return {name: connection.execute(count, (start,)).fetchone()[0] for name, start in asked.items()}


def names(block: Block) -> list[str]:
    """What the page calls a block: its title, or those of its key figures."""
    return [element.label for element in block.elements if isinstance(element, Stat)] or [block.title]


@pytest.mark.parametrize("name", [file.stem for file in files("runs")])
def test_the_file_runs(name: str, previews: dict[str, Preview]) -> None:
    """Every view is made, of the days that the file means, and its text reaches the page."""
    made = previews[name]
    assert made.faults == ()
    assert {block.status for block in made.document.blocks} <= {"ok", "empty"}
    assert made.document.window.key == "2024-11-24"
    assert all(escape(name) in made.html for block in made.document.blocks for name in names(block))


def test_numbers_are_the_databases(previews: dict[str, Preview], orders: dict[str, int]) -> None:
    """However an id, a date or a number is written, the figure is what the database says."""
    week, two, whole = (str(orders[name]) for name in ("week", "two weeks", "all"))
    assert previews["stats"].stat("plain").value == week
    assert previews["variables"].stat("total").value == f"{week}.00"
    assert previews["sloppy"].stat("total").value == f"{two}.0"
    assert previews["merged"].stat("total").value == two
    assert previews["layout"].stat("orders_total").value == whole
    assert sum(int(row[1]) for row in previews["params"].table("since")) == orders["week"]


def test_labels_changes_and_missing_values(previews: dict[str, Preview]) -> None:
    """HTML in labels is kept and text elsewhere; changes are rounded once; no rows are not zero."""
    made = previews["stats"]
    raw, percent, nothing = (made.stat(name) for name in ("raw", "percent", "nothing"))
    assert (raw.label_text, raw.change and raw.change.text, raw.before) == (
        "$420.00",
        "+40.00",
        "380.00 before",
    )
    assert (percent.label_text, percent.change and percent.change.text) == (
        "42 orders & more",
        "+110.0\u202f%",
    )
    assert '<b><span class="figure">42</span></b> orders & more' in made.html
    assert '<span class="figure">$420.00</span>' in made.html
    assert nothing.value == "n/a"


def test_what_stands_beside_or_among_the_args(previews: dict[str, Preview]) -> None:
    """Title and cols among the args count, `max_rows: 0` is ten rows, and a cut table says so."""
    layout = previews["layout"].document.blocks
    assert [(block.title, block.cols) for block in layout] == [
        ("Orders", 2),
        ("Orders", 2),
        ("Orders & growth", 5),
    ]
    table = next(element for element in layout[2].elements if isinstance(element, Table))
    assert (len(table.rows), "Showing 10 of 42 rows." in layout[2].note) == (10, True)


def test_variables_in_values_with_and_without_quotes(previews: dict[str, Preview]) -> None:
    """A variable is put in where no quotes are, and stays as it stands where they are."""
    assert previews["variables"].document.title == "Orders of Größe & <Co>"
    assert previews["variables"].block("total").title == "${TEAM}"


@pytest.mark.parametrize("file", files("valid"), ids=lambda file: file.stem)
def test_the_file_is_valid(file: Path) -> None:
    """What needs servers is planned without a word but those that the file announces."""
    assert planned(file).views


@pytest.mark.parametrize("file", files("refused"), ids=lambda file: file.stem)
def test_the_file_is_told_its_fix(file: Path) -> None:
    """Every mistake is named with its place and what to write instead."""
    with pytest.raises(KpiAssetsError) as refused:
        build_plan(resolve_plain(load_report([file]), ENVIRON), ENVIRON)
    assert told(file, "says")
    for text in (*told(file, "says"), f"{file}:"):
        assert text in str(refused.value)
