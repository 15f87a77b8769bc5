"""The commands, as a person runs them: a process, its output, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets_tests.shop import write_report


def kpi_assets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kpi-assets` in a folder of its own."""
    command = [sys.executable, "-m", "kpi_assets", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return write_report(tmp_path)


def test_run_makes_the_edition_and_prints_its_page_last(tmp_path: Path, report: Path) -> None:
    """`run` ends with 0, tells of each query, view and output, and its last line is the page."""
    done = kpi_assets(tmp_path, "run", "-c", str(report))
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.splitlines()[-1])
    assert page.is_file()
    assert page.parent.name == "2024-11-18_2024-11-25_orders"
    for name in ("orders_daily", "countries", "total", "days", "disk"):
        assert name in done.stderr


def test_run_ends_with_1_and_delivers_nothing_when_a_view_fails(tmp_path: Path) -> None:
    """Under `fail` a broken query stops the edition: exit 1, the culprit named, nothing delivered."""
    done = kpi_assets(tmp_path, "run", "-c", str(write_report(tmp_path, table="nowhere")))
    assert done.returncode == 1
    assert "countries" in done.stderr
    assert not (tmp_path / "out").exists()


def test_run_delivers_placeholders_where_the_report_says_so(tmp_path: Path) -> None:
    """Under `placeholder` the rest is delivered, and the page says what is missing."""
    file = write_report(tmp_path, table="nowhere", policy="placeholder")
    done = kpi_assets(tmp_path, "run", "-c", str(file))
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.splitlines()[-1]).read_text(encoding="utf-8")
    assert "Could not be made" in page
    assert "The source could not answer the query." in page
    assert "It stays so until that is mended" in page
    assert "It fills itself" not in page


def test_a_failed_query_of_duckdb_is_told_and_nothing_more(tmp_path: Path) -> None:
    """What a failure leaves in memory is collected before the end, so that DuckDB's library reports no leaks."""
    file = tmp_path / "broken.yaml"
    file.write_text(
        "end_date: 2024-11-25\ndatasources: {a: {plugin: duckdb}}\n"
        "views: {v: {plugin: single_stat, args: {datasource: a, query: select nothing}}}\n"
    )
    done = kpi_assets(tmp_path, "preview", "-c", str(file))
    assert done.returncode == 1
    assert "query 'v' on datasource 'a'" in done.stderr
    assert "leak" not in done.stderr


def test_dry_run_delivers_nothing_and_says_what_it_would(tmp_path: Path, report: Path) -> None:
    """`--dry-run` makes the edition and writes to no output."""
    done = kpi_assets(tmp_path, "run", "-c", str(report), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dry run" in done.stderr
    assert not (tmp_path / "out").exists()


def test_wrong_input_ends_with_2(tmp_path: Path, report: Path) -> None:
    """An unknown output, a reversed window and a missing file are refused with 2, without a stack trace."""
    for arguments in (
        ("run", "-c", str(report), "--output", "dsik"),
        ("run", "-c", str(report), "--start-date", "2024-11-20", "--end-date", "2024-11-10"),
        ("run", "-c", str(report), "--end-date", "2999-01-01"),
        ("run", "-c", "nowhere.yaml"),
        ("backfill", "-c", str(report), "--from", "2024-11-24", "--to", "2024-11-20"),
    ):
        done = kpi_assets(tmp_path, *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert "Traceback" not in done.stderr


def test_preview_makes_the_same_page_without_delivering(tmp_path: Path, report: Path) -> None:
    """`preview` writes a page and no edition."""
    done = kpi_assets(tmp_path, "preview", "-c", str(report), "--out", "look")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]) == tmp_path / "look" / "index.html"
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".kpi_assets" / "editions").exists()


def test_validate_shows_every_problem_with_line_and_caret(tmp_path: Path, report: Path) -> None:
    """`validate` ends with 2 and points at the wrong key."""
    report.write_text(report.read_text(encoding="utf-8").replace("plugin: table", "plugin: tabel"))
    done = kpi_assets(tmp_path, "validate", "-c", str(report))
    assert done.returncode == 2
    assert done.stderr.count("did you mean 'table'?") == 2
    assert "^" in done.stderr


def test_validate_says_how_queries_are_cut(tmp_path: Path, report: Path) -> None:
    """A good file ends with 0 and tells the grain of each query."""
    done = kpi_assets(tmp_path, "validate", "-c", str(report))
    assert done.returncode == 0, done.stderr
    assert "orders_daily: by day" in done.stdout


def test_graph_prints_the_edges(tmp_path: Path, report: Path) -> None:
    """`graph` leads from the table to the output."""
    lines = kpi_assets(tmp_path, "graph", "-c", str(report)).stdout.splitlines()
    assert "  <- source/shop/orders" in lines
    assert "orders/outputs/disk" in lines
    mermaid = kpi_assets(tmp_path, "graph", "-c", str(report), "--format", "mermaid").stdout
    assert mermaid.startswith("flowchart LR")


def test_schema_is_json_with_the_plugins(tmp_path: Path) -> None:
    """`schema` prints a JSON Schema that knows the views."""
    schema = json.loads(kpi_assets(tmp_path, "schema").stdout)
    assert schema["type"] == "object"
    assert "single_stat" in json.dumps(schema)


def test_plugins_lists_and_explains(tmp_path: Path) -> None:
    """`plugins` lists what is installed; with a name it explains every argument."""
    assert "single_stat" in kpi_assets(tmp_path, "plugins").stdout
    assert "comparison" in kpi_assets(tmp_path, "plugins", "single_stat").stdout
    assert kpi_assets(tmp_path, "plugins", "single_stats").returncode == 2


def test_plugins_cuts_no_name(tmp_path: Path) -> None:
    """In a pipe each plugin has a line with its whole name and class, and no argument's default is cut."""
    listed = kpi_assets(tmp_path, "plugins").stdout
    lines = [line.split() for line in listed.splitlines()]
    assert ["views", "prometheus.alert_summary"] in [words[:2] for words in lines]
    assert all(words[-1].count(":") == 1 for words in lines[1:])
    assert "…" not in listed + kpi_assets(tmp_path, "plugins", "googleanalytics").stdout


def test_backfill_makes_every_edition_of_the_range(tmp_path: Path, report: Path) -> None:
    """`backfill` publishes each day's edition; `latest` shows the newest."""
    arguments = ("backfill", "-c", str(report), "--from", "2024-11-20", "--to", "2024-11-22")
    done = kpi_assets(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    folders = sorted(path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("2024"))
    assert [name[:21] for name in folders] == [
        "2024-11-14_2024-11-21",
        "2024-11-15_2024-11-22",
        "2024-11-16_2024-11-23",
    ]


def test_init_makes_a_project_that_runs(tmp_path: Path) -> None:
    """What `init` makes is valid without a warning, previews, and refuses to write over a folder in use."""
    assert kpi_assets(tmp_path, "init", "mine").returncode == 0
    project = tmp_path / "mine"
    checked = kpi_assets(project, "validate", "-c", "reports/weekly.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")
    done = kpi_assets(project, "preview", "-c", "reports/weekly.yaml")
    assert done.returncode == 0, done.stderr
    assert kpi_assets(tmp_path, "init", "mine").returncode == 2


def test_help_teaches(tmp_path: Path) -> None:
    """Every command explains itself."""
    for command in (
        "run",
        "preview",
        "validate",
        "schema",
        "plugins",
        "graph",
        "demo",
        "init",
        "dev",
        "backfill",
        "deliveries",
        "send-test",
        "doctor",
    ):
        done = kpi_assets(tmp_path, command, "--help")
        assert done.returncode == 0
        assert len(done.stdout.splitlines()) > 6
