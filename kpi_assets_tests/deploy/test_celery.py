"""Two Celery workers, one of them killed in the middle: `deploy/celery/` for real."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi_assets_tests.assets.test_ui import Ui
from kpi_assets_tests.deploy.cluster import Cluster, cluster
from kpi_assets_tests.outputs.hook_peer import HookPeer, hook_peer
from kpi_assets_tests.servers import Database
from kpi_assets_tests.shop import write_report

pytestmark = [pytest.mark.celery, pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(1500)]

REPORTS = ("east", "north", "west")
EDITIONS = [(date(2024, 9, 26) + timedelta(days=n)).isoformat() for n in range(60)]
HOOK = "  hook:\n    plugin: webhook\n    args: {{url: {url}/{report}}}\n"
BACKFILL = """mutation($b: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $b) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
MADE = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
  ... on AssetNode { partitionStats { numMaterialized numMaterializing numFailed } } } }"""
RUNS = """{ runsOrError { ... on Runs { results { runId status startTime endTime tags { key value } } } } }"""


def write_reports(folder: Path, hook: HookPeer) -> Path:
    """Three reports on one shop, each telling the hook."""
    reports = folder / "reports"
    for name in REPORTS:
        file = write_report(folder, name=name)
        text = file.read_text(encoding="utf-8") + HOOK.format(url=hook.url, report=name)
        text = text.replace("start: 2024-10-01", "start: 2024-09-01").replace(
            "title: Orders", f"title: {name}"
        )
        reports.mkdir(exist_ok=True)
        (reports / f"{name}.yaml").write_text(text, encoding="utf-8")
        file.unlink()
    return reports


def told(hook: HookPeer) -> Counter[tuple[str, str]]:
    """How often each edition of each report arrived."""
    return Counter((got.path.strip("/"), json.loads(got.body)["edition"]) for got in hook.got)


def waited(what: Callable[[], Any], made: Cluster, seconds: float = 600) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"waited in vain\n{made.logs()}"
        time.sleep(0.5)
    return found


def backfill(ui: Ui, report: str) -> None:
    paths = [node["assetKey"]["path"] for node in ui.nodes() if node["isExecutable"]]
    keys = [{"path": path} for path in paths if path[0] == report]
    tags = [{"key": "kpi_assets/notify", "value": "true"}]
    answer = ui.ask(BACKFILL, b={"partitionNames": EDITIONS, "assetSelection": keys, "tags": tags})
    assert answer["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", answer


def in_doubt(database: Database) -> set[tuple[str, str]]:
    """Editions of which the ledger says that nobody knows whether they arrived."""
    with sa.create_engine(database.url).connect() as connection:
        rows = connection.execute(
            sa.text("select report, edition from kpi_assets_deliveries where state in ('unknown', 'claimed')")
        )
        return {(row.report, row.edition) for row in rows}


def test_a_killed_worker_costs_no_edition(tmp_path: Path, postgres: Database) -> None:
    """Of 3 reports and 60 editions every one is made and told once, although a worker dies in the middle.

    The one delivery that was under way may be in doubt: then the ledger says so, and it arrived at most once.
    """
    with hook_peer() as hook:
        with cluster(tmp_path, write_reports(tmp_path, hook), postgres) as made:
            ui = Ui(made.url)
            waited(lambda: len(ui.nodes()) > 0, made)
            for report in REPORTS:
                backfill(ui, report)
            waited(lambda: len(told(hook)) >= 20, made)
            made.kill_worker(0)
            killed = time.time()
            waited(lambda: all_done(ui, len(in_doubt(postgres))), made)
            retried = [run for run in runs(ui) if "dagster/parent_run_id" in run["tags"]]
            lost = [
                run
                for run in runs(ui)
                if run["runId"] in {r["tags"]["dagster/parent_run_id"] for r in retried}
            ]
            noticed, started = (
                [round(run[moment] - killed) for run in found]
                for found, moment in ((lost, "endTime"), (retried, "startTime"))
            )
            print(f"noticed after {noticed} s, on a free worker after {started} s")  # noqa: T201
        everything = {(report, edition) for report in REPORTS for edition in EDITIONS}
        doubt = in_doubt(postgres)
        assert len(retried) == 1
        assert set(told(hook)) | doubt == everything
        assert set(told(hook).values()) == {1}
        assert len(doubt) <= 1
    pages = [
        tmp_path / "home/editions" / report / edition / "document/index.html"
        for report, edition in everything
    ]
    assert [page for page in pages if not page.exists()] == []


def all_done(ui: Ui, doubtful: int) -> bool:
    """Does Dagster show every edition but the doubtful one as delivered, and nothing under way?"""
    found = [
        ui.ask(MADE, path=[report, "outputs", "hook"])["assetNodeOrError"]["partitionStats"]
        for report in REPORTS
    ]
    under_way = sum(stats["numMaterializing"] for stats in found)
    return not under_way and sum(stats["numMaterialized"] for stats in found) == 180 - doubtful


def runs(ui: Ui) -> list[dict[str, Any]]:
    found = ui.ask(RUNS)["runsOrError"]["results"]
    return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]
