"""A past edition made again from its stored rows is the same edition, to the byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets_tests.shop import write_report

CODE = """\
import sys
from pathlib import Path
import time_machine
from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.plan import build_plan
from kpi_assets.session import open_session

report, home, today = sys.argv[1:]
with time_machine.travel(today, tick=True):
    plan = build_plan(load_report([Path(report)]), {})
    with open_session(plan, Path(home), {}) as session:
        windows = [plan.window("2024-11-20"), plan.window("2024-11-21")]
        fetched = list(pipeline.fetch_queries(session, windows))
        list(pipeline.render_views(session, windows))
        list(pipeline.compose_documents(session, windows))
    print(sum(frame.fetched for item in fetched for frame in item.frames.values()))
"""
CHARTS = """\
  chart:
    plugin: plot
    title: Orders per day
    cols: 6
    args: {query: {ref: orders_daily}, kind: bar}
outputs:
"""


def make(report: Path, home: Path, *, today: str, seed: str, zone: str) -> tuple[int, dict[str, bytes]]:
    """(queries sent, the documents' files), by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(report), str(home), today],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
    )
    assert done.returncode == 0, done.stderr
    folders = sorted((home / "editions" / "orders").glob("*/document"))
    files = {
        f"{folder.parent.name}/{path.relative_to(folder)}": path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
    return int(done.stdout), files


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_past_edition_made_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    """Another day, process, hash seed and time zone change no byte of HTML, Markdown, PDF, PNG, XLSX and CSV."""
    report = write_report(tmp_path)
    text = report.read_text(encoding="utf-8").replace("outputs:\n", CHARTS)
    text = text.replace(
        "args: {output_dir:", "args: {output_format: [html, md, pdf, png, xlsx, csv], output_dir:"
    )
    report.write_text(f"refresh: missing\n{text}", encoding="utf-8")
    sent, first = make(report, tmp_path / "home", today="2024-11-25T05:00Z", seed="1", zone="UTC")
    assert sent > 0
    shutil.copytree(tmp_path / "home" / "frames", tmp_path / "later" / "frames")
    later = {"today": "2027-02-28T23:30Z", "seed": "4711", "zone": "Pacific/Auckland"}
    sent, again = make(report, tmp_path / "later", **later)
    assert sent == 0
    assert {Path(name).suffix for name in first} >= {".html", ".md", ".pdf", ".png", ".xlsx", ".csv"}
    assert sorted(again) == sorted(first)
    assert [name for name in first if again[name] != first[name]] == []
