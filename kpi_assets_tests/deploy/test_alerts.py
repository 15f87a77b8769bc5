"""The alert rules, checked and tried by Prometheus' own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from kpi_assets.cli.exporter import SUMS

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"


@pytest.mark.prometheus
@pytest.mark.parametrize(
    "command", ["check rules alerts.yaml", "test rules alerts.test.yaml", "check config prometheus.yaml"]
)
def test_promtool_is_content(command: str) -> None:
    """Rules and settings are valid, and fire and keep still as their test file says."""
    done = subprocess.run(
        ["promtool", *command.split()], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried() -> None:
    """Each rule has a case in which it fires, so that a renamed metric does not silence it unnoticed."""
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
    cases = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]
    fired = {
        case["alertname"] for test in cases for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    assert fired == {rule["alert"] for rule in rules}


def test_the_page_has_every_metric() -> None:
    """docs/operations.md tells the meaning of each metric that is served."""
    page = (FOLDER.parents[1] / "docs/operations.md").read_text(encoding="utf-8")
    for name in SUMS:
        assert f"`kpi_assets_{name}_total`" in page
