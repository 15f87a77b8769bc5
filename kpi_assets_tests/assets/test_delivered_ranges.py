"""A range of editions of which one cannot be delivered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg

from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.run import materialize_editions
from kpi_assets.config import load_report
from kpi_assets.plan import build_plan
from kpi_assets_tests.outputs.hook_peer import Say, hook_peer
from kpi_assets_tests.shop import write_report


def test_editions_that_went_out_count_although_another_did_not(tmp_path: Path) -> None:
    """The run fails and names the edition; Dagster shows the other two as delivered."""
    with hook_peer() as hook:
        hook.answers = [Say(204), Say(410), Say(204)]
        file = write_report(tmp_path)
        text = file.read_text(encoding="utf-8")
        file.write_text(
            f"{text}  hook:\n    plugin: webhook\n    args: {{url: {hook.url}}}\n", encoding="utf-8"
        )
        plan = build_plan(load_report([file]), {})
        windows = plan.windows(date(2024, 11, 1), date(2024, 11, 3))
        home = tmp_path / "home"
        result = materialize_editions(plan, windows, home=home, outputs=["disk", "hook"], environ={})
    assert [str(error) for error in result.errors if "2024-11-02" in str(error) or "410" in str(error)]
    with open_instance(home, {}) as instance:
        delivered = instance.get_materialized_partitions(dg.AssetKey(["orders", "outputs", "hook"]))
    assert delivered == {"2024-11-01", "2024-11-03"}
