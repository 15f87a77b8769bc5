"""Dagster's own UI on the demo, as a user opens it: `dagster dev -w workspace.yaml`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from kpi_assets.assets.instance import prepare_dagster_home

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
DAY = "2024-11-24"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

GROUP = "locations/kpi_assets/asset-groups/weekly_growth"
WEEK = "[2024-11-10...2024-11-16]"

NODES = "{ assetNodes { assetKey { path } isExecutable } }"
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"
MADE = """{ assetNodeOrError(assetKey: {path: ["weekly_growth", "outputs", "pages"]}) {
  ... on AssetNode { partitionStats { numMaterialized } } } }"""


class Ui:
    """A running `dagster dev`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def nodes(self) -> list[dict[str, Any]]:
        try:
            return self.ask(NODES)["assetNodes"]
        except (urllib.error.URLError, OSError):
            return []

    def statuses(self) -> list[str]:
        return [run["status"] for run in self.ask(RUNS)["runsOrError"]["results"]]

    def made(self) -> int:
        return self.ask(MADE)["assetNodeOrError"]["partitionStats"]["numMaterialized"]


def wait_for(what: Callable[[], Any], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(1)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = tmp_path_factory.mktemp("ui")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "KPI_ASSETS_HOME": str(home),
        "DAGSTER_HOME": str(prepare_dagster_home(home, {})),
        "KPI_ASSETS_PUBLIC_URL": "http://127.0.0.1:9",
    }
    command = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", str(ROOT / "workspace.yaml")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port)],
            cwd=home,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            found = Ui(f"http://127.0.0.1:{port}")
            wait_for(found.nodes)
            yield found
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser.new_page(viewport={"width": 1500, "height": 950})
        browser.close()


def materialize(ui: Ui, page: Page, editions: str) -> None:
    """Open the group, click "Materialize all", choose partitions, click what launches them."""
    page.goto(f"{ui.url}/{GROUP}")
    page.get_by_role("button", name="Materialize all").click(timeout=60_000)
    page.get_by_text("Partition selection").wait_for(timeout=60_000)
    field = page.get_by_role("dialog").get_by_role("textbox").first
    field.fill(editions, timeout=60_000)
    field.press("Enter")
    page.get_by_role("button", name=re.compile("Launch (1 run|backfill)")).click(timeout=60_000)


def made_by(ui: Ui, runs: int) -> list[str]:
    """The states of all runs, once one more than `runs` has ended."""
    wait_for(lambda: len(ui.statuses()) > runs, 240)
    wait_for(lambda: ui.statuses()[0] in {"SUCCESS", "FAILURE"}, 240)
    return ui.statuses()


def test_the_graph_is_shown(ui: Ui, page: Page) -> None:
    """The group's page draws tables, queries, views, document and output, with nothing in front of them."""
    page.goto(f"{ui.url}/{GROUP}")
    for name in ("accounts", "sign_ups_daily", "key_figures", "document", "pages"):
        page.get_by_text(name, exact=True).first.wait_for(timeout=60_000)
    assert page.get_by_role("dialog").count() == 0


def test_one_edition_by_a_click(ui: Ui, page: Page) -> None:
    """On an empty store one click makes the edition in one run, and its page is one click away."""
    materialize(ui, page, DAY)
    assert made_by(ui, 0) == ["SUCCESS"]
    page.goto(f"{ui.url}/assets/weekly_growth/document?view=partitions&partition={DAY}")
    link = page.get_by_role("link", name=f"http://127.0.0.1:9/weekly_growth/{DAY}/document/index.html")
    link.wait_for(timeout=60_000)
    assert link.get_attribute("target") == "_blank"


def test_a_chart_is_seen_without_a_click(ui: Ui, page: Page) -> None:
    """The thumbnail of a chart is a picture on its asset's page, and nothing floods it: the spec is folded."""
    page.goto(f"{ui.url}/assets/weekly_growth/views/weekdays")
    page.get_by_role("img", name="chart").wait_for(timeout=60_000)
    page.get_by_text("[Show JSON]").wait_for(timeout=60_000)


def test_a_backfill_by_a_click_is_one_run(ui: Ui, page: Page) -> None:
    """A backfill of seven days, launched in the UI, is one run and seven editions, which the UI shows as made."""
    before, runs = ui.made(), len(ui.statuses())
    materialize(ui, page, WEEK)
    assert made_by(ui, runs) == ["SUCCESS"] * (runs + 1)
    assert ui.made() == before + 7
    page.goto(f"{ui.url}/assets/weekly_growth/document?view=partitions")
    page.get_by_text(f"Materialized ({before + 7})").wait_for(timeout=60_000)
    assert page.get_by_text("Failed (0)").count() == 1
