"""What is stored is used again only where making it again would give the same bytes."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.contracts import Block, RenderContext
from kpi_assets.editions import EditionStore
from kpi_assets.frames.store import FrameKey, FrameStore
from kpi_assets.pipeline import identity
from kpi_assets.plan import build_plan
from kpi_assets.session import open_session
from kpi_assets.views.plot import PlotView
from kpi_assets_tests.shop import write_report

DAY = "2024-11-24"
FIRST, LATER = datetime(2024, 11, 25, 5, tzinfo=UTC), datetime(2024, 11, 25, 9, tzinfo=UTC)
CHART = """\
  chart:
    plugin: plot
    title: Orders per day
    args: {query: {ref: orders_daily}, kind: bar}
outputs:
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The shop's report with a chart, a theme folder and a logo."""
    file = write_report(tmp_path)
    theme = tmp_path / "theme"
    theme.mkdir()
    (theme / "user.css").write_text("h1 { color: red }", encoding="utf-8")
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    text = file.read_text(encoding="utf-8").replace("outputs:\n", CHART)
    look = f"theme: {{theme_dir: {theme}, logo: {tmp_path / 'logo.svg'}}}\n"
    file.write_text(f"{look}{text}", encoding="utf-8")
    return file


def make(report: Path, home: Path, *, refresh: str = "missing", at: datetime = FIRST, day: str = DAY) -> None:
    """An edition by all stages, in a session of its own."""
    text = report.read_text(encoding="utf-8")
    asked = report.with_name("asked") / report.name
    asked.parent.mkdir(exist_ok=True)
    asked.write_text(f"refresh: {refresh}\n{text}", encoding="utf-8")
    plan = build_plan(load_report([asked]), {})
    with open_session(plan, home, {}, clock=lambda: at) as session:
        windows = [plan.window(day)]
        list(pipeline.fetch_queries(session, windows))
        list(pipeline.render_views(session, windows))
        list(pipeline.compose_documents(session, windows))


def files_of(home: Path) -> dict[str, bytes]:
    """Everything of the edition by path, but for the notes of what it was made from."""
    place = EditionStore(home).folder("orders", DAY)
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.suffix != ".origin"
    }


def written(home: Path) -> dict[str, int]:
    """Which file each path is: a file that was written again is another one."""
    place = EditionStore(home).folder("orders", DAY)
    paths = [*place.glob("blocks/*.json"), *place.glob("document/**/*"), place / "document.json"]
    return {str(path.relative_to(place)): path.stat().st_mtime_ns for path in paths if path.is_file()}


def again(report: Path, home: Path, **how: Any) -> set[str]:
    """Make the edition once more; the paths of what was written again."""
    before = written(home)
    make(report, home, **how)
    after = written(home)
    return {path for path in after if before.get(path) != after[path]}


def test_nothing_changed_nothing_is_made(report: Path, tmp_path: Path) -> None:
    """A second run over the same stored rows writes neither a block nor a document, and all stays as it was."""
    make(report, tmp_path / "home")
    first = files_of(tmp_path / "home")
    assert again(report, tmp_path / "home") == set()
    assert files_of(tmp_path / "home") == first


def test_rows_fetched_again_for_another_edition_change_no_byte(report: Path, tmp_path: Path) -> None:
    """The next day fetches the shared days anew; where their rows are the same, the edition made again is as it was."""
    home = tmp_path / "home"
    make(report, home, refresh="window")
    first = files_of(home)
    make(report, home, refresh="window", at=LATER, day="2024-11-25")
    make(report, home, at=LATER)
    assert files_of(home) == first


def test_rows_asked_for_again_tell_when(report: Path, tmp_path: Path) -> None:
    """An edition whose own rows are fetched anew tells the new moment, also where they are the same."""
    home = tmp_path / "home"
    make(report, home, refresh="window")
    first = files_of(home)
    make(report, home, refresh="window", at=LATER)
    changed = {path for path, content in files_of(home).items() if content != first[path]}
    assert "queries/orders_daily.json" in changed
    assert "document/index.html" in changed


def in_text(old: str, new: str) -> Callable[[Path], None]:
    def edit(report: Path) -> None:
        text = report.read_text(encoding="utf-8")
        assert old in text
        report.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def in_file(name: str, content: str) -> Callable[[Path], None]:
    def edit(report: Path) -> None:
        (report.parent / name).write_text(content, encoding="utf-8")

    return edit


def one_more_order(report: Path) -> None:
    with closing(sqlite3.connect(report.parent / "shop.db")) as database, database:
        database.execute("insert into orders values ('2024-11-20 23:59:00', 'Germany', 10.0)")


CHANGES: dict[str, tuple[Callable[[Path], None], str, set[str]]] = {
    "a title": (in_text("title: Orders by country", "title: By country"), "missing", {"countries"}),
    "an argument": (in_text("kind: bar", "kind: line"), "missing", {"chart"}),
    "a width": (in_text("cols: 2", "cols: 3"), "missing", {"total"}),
    "a colour": (
        in_text("theme: {", "theme: {series_colors: ['#7a1f5c'], "),
        "missing",
        {"total", "days", "countries", "chart"},
    ),
    "the language": (
        in_text("timezone:", "locale: de_DE\ntimezone:"),
        "missing",
        {"total", "days", "countries", "chart"},
    ),
    "findings": (
        in_text("timezone:", "findings: false\ntimezone:"),
        "missing",
        {"total", "days", "countries", "chart"},
    ),
    "a format": (
        in_text("output_dir:", "output_format: [html, md], output_dir:"),
        "missing",
        {"total", "days", "countries", "chart"},
    ),
    "the opening words": (in_text("timezone:", "lead: Read this.\ntimezone:"), "missing", set()),
    "a template": (in_file("theme/user.css", "h1 { color: blue }"), "missing", set()),
    "the logo": (
        in_file("logo.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9"/>'),
        "missing",
        set(),
    ),
    "the data": (one_more_order, "window", {"total", "days", "countries", "chart"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_made_again(change: str, report: Path, tmp_path: Path) -> None:
    """After a change the edition is, to the byte, the one that is made from nothing; what it touches was made again."""
    edit, refresh, touched = CHANGES[change]
    make(report, tmp_path / "home")
    edit(report)
    renewed = again(report, tmp_path / "home", refresh=refresh)
    make(report, tmp_path / "fresh", refresh=refresh)
    assert files_of(tmp_path / "home") == files_of(tmp_path / "fresh")
    assert {f"blocks/{view}.json" for view in touched} <= renewed
    assert "document/index.html" in renewed


def test_the_hour_of_fetching_is_told(report: Path, tmp_path: Path) -> None:
    """The same rows fetched later are told as fetched later."""
    make(report, tmp_path / "home")
    make(report, tmp_path / "home", refresh="window", at=LATER)
    make(report, tmp_path / "fresh", refresh="window", at=LATER)
    assert files_of(tmp_path / "home") == files_of(tmp_path / "fresh")


def test_other_code_makes_everything_again(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update of the package or of a library nothing of before is used."""
    make(report, tmp_path / "home")
    monkeypatch.setattr(identity, "code", lambda: "another version")
    assert again(report, tmp_path / "home") >= {"blocks/chart.json", "blocks/total.json", "document.json"}


@pytest.mark.parametrize("content", [b"", b"{}", None], ids=["empty", "another", "gone"])
def test_a_block_that_was_meddled_with_is_made_again(
    content: bytes | None, report: Path, tmp_path: Path
) -> None:
    """A stored block is used only as it was written."""
    make(report, tmp_path / "home")
    whole = files_of(tmp_path / "home")
    block = EditionStore(tmp_path / "home").folder("orders", DAY) / "blocks" / "total.json"
    block.unlink() if content is None else block.write_bytes(content)
    make(report, tmp_path / "home")
    assert files_of(tmp_path / "home") == whole


def test_a_page_that_was_meddled_with_is_made_again(report: Path, tmp_path: Path) -> None:
    """A stored document is used only if all of its files are as they were written."""
    make(report, tmp_path / "home")
    whole = files_of(tmp_path / "home")
    (EditionStore(tmp_path / "home").document_folder("orders", DAY) / "index.html").write_text("no")
    make(report, tmp_path / "home")
    assert files_of(tmp_path / "home") == whole


def test_a_placeholder_is_never_used_again(tmp_path: Path) -> None:
    """A view that failed is tried again, though nothing that it is made from changed; so is its document."""
    report = write_report(tmp_path, policy="placeholder", table="nothing_there")
    make(report, tmp_path / "home")
    assert "blocks/countries.json" in again(report, tmp_path / "home")


def test_rows_that_change_while_they_are_read_are_not_trusted(report: Path, tmp_path: Path) -> None:
    """Where another run stores other rows in the middle, nobody knows which of them a block shows: it is made again."""

    class Busy(FrameStore):
        def read(self, key: FrameKey, slots: Any) -> Any:
            found = super().read(key, slots)
            self.write(key, slots[-1], found[0].head(0), seconds=0.0, fetched_at=LATER)
            return found

    make(report, tmp_path / "home")
    plan = build_plan(load_report([report]), {})
    with open_session(plan, tmp_path / "home", {}, clock=lambda: FIRST) as session:
        shutil.rmtree(session.editions.root)
        session.frames = Busy(tmp_path / "home" / "frames")
        list(pipeline.render_views(session, [plan.window(DAY)]))
        session.frames = FrameStore(tmp_path / "home" / "frames")
        list(pipeline.compose_documents(session, [plan.window(DAY)]))
    assert again(report, tmp_path / "home") >= {"blocks/days.json", "blocks/chart.json"}


def test_plugins_of_others_are_always_asked(report: Path) -> None:
    """Of a view that is not ours nobody knows when its code changes: it has no origin, ours has."""
    plan = build_plan(load_report([report]), {})
    view = plan.views_by_id["chart"]
    context = pipeline.render_context(plan, view, plan.window(DAY))

    class Strange(PlotView):
        def render(self, frames: Any, context: RenderContext) -> Block:
            raise NotImplementedError

    assert identity.block_origin(view, context, {"query": "abc"})
    assert identity.block_origin(replace(view, view=Strange(view.view.args)), context, {"query": "abc"}) == ""
    assert identity.block_origin(view, context, {"query": ""}) == ""
    assert (
        identity.block_origin(
            view, replace(context, variables={"x": cast("Any", object())}), {"query": "abc"}
        )
        == ""
    )


def test_a_second_run_loads_no_drawing_library(report: Path, tmp_path: Path) -> None:
    """Where nothing changed, neither pandas nor what draws and writes pages is even imported."""
    make(report, tmp_path / "home")
    code = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from kpi_assets import pipeline\n"
        "from kpi_assets.config import load_report\n"
        "from kpi_assets.plan import build_plan\n"
        "from kpi_assets.session import open_session\n"
        "plan = build_plan(load_report([Path(sys.argv[1])]), {})\n"
        "with open_session(plan, Path(sys.argv[2]), {}) as session:\n"
        f"    windows = [plan.window('{DAY}')]\n"
        "    list(pipeline.fetch_queries(session, windows))\n"
        "    list(pipeline.render_views(session, windows))\n"
        "    list(pipeline.compose_documents(session, windows))\n"
        "print(sorted({'pandas', 'altair', 'vl_convert', 'jinja2'} & set(sys.modules)))\n"
    )
    asked = report.with_name("asked") / report.name
    done = subprocess.run(
        [sys.executable, "-c", code, str(asked), str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
