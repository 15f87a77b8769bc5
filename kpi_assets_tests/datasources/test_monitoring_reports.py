"""Reports on Prometheus and Jenkins as files: validated, and previewed against servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kpi_assets.config import load_report
from kpi_assets.plan import build_plan
from kpi_assets_tests.datasources.jenkins_peer import TOKEN, build, folder, jenkins, job
from kpi_assets_tests.examples.test_examples import Preview, preview
from kpi_assets_tests.secrets import secret

GUIDE = Path(__file__).parents[2] / "docs" / "prometheus-and-jenkins.md"


def guides(number: int, *changes: tuple[str, str]) -> str:
    """A report of the guide, with its addresses changed."""
    text = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)[number]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return f"{text}start_date: 2024-11-18\nend_date: 2024-11-25\n"


def made(folder: Path, text: str, **environ: str) -> Preview:
    file = folder / "report.yaml"
    file.write_text(text, encoding="utf-8")
    return preview(file, environ=environ)


@pytest.mark.parametrize("number", [0, 1])
def test_the_guides_reports_are_valid_without_their_secrets(number: int, tmp_path: Path) -> None:
    """`validate` passes where the variables of the logins are not set."""
    file = tmp_path / "report.yaml"
    file.write_text(guides(number), encoding="utf-8")
    plan = build_plan(load_report([file]), {})
    grains = {query.analysis.grain for query in plan.queries}
    assert grains == ({"day"} if number == 0 else {"window"})


@pytest.mark.prometheus
def test_the_guides_report_on_prometheus_shows_a_week(
    prometheus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Load and alerts of a real server, in the page's own hours."""
    monkeypatch.chdir(tmp_path)
    text = guides(
        0, ("https://prometheus.example.com ", f"{prometheus} "), ("      ca_file: /etc/ssl/ours.pem\n", "")
    )
    report = made(tmp_path, text, PROM_PASSWORD=secret("prometheus"))
    assert report.faults == ()
    assert report.table("pages") == [
        ["HighLatency", "1 h 20 min", "2×", "Wed, Nov 20, 02:00 to 02:30"],
        ["DiskFull", "30 min", "1×", "Sun, Nov 24, 23:30, still firing"],
    ]
    assert report.block("load").rows == 2 * 167  # five minutes hold two samples at every other point


def test_the_guides_report_on_jenkins_shows_its_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both views and the table; all builds are asked for once."""
    monkeypatch.chdir(tmp_path)
    jobs = (
        folder("svc-shop", job("main", [build(n, "SUCCESS", 60 + n) for n in (3, 2, 1)])),
        job("svc-a-prod", [build(1, "FAILURE")], 0),
        job("docs", []),
    )
    with jenkins(*jobs) as (address, held):
        text = guides(1, ("https://ci.example.com", address), ("user: report", "user: ci"))
        report = made(tmp_path, text, JENKINS_TOKEN=TOKEN)
        assert sum("api/json" in path for path in held.asked) == 1 + 3 + 1
    assert report.faults == ()
    assert [row[0] for row in report.table("services")] == ["svc-a-prod"]
    assert report.block("services").finding == "svc-a-prod is failing"
    assert [row[0] for row in report.table("rest")] == ["docs"]
    assert report.block("shop").rows == 3
