"""Checks without their assets: "Execute" in the UI's list of checks, which asks for no partition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets import keys
from kpi_assets.assets.build import report_assets
from kpi_assets.assets.resources import HOME, KpiAssetsResource, report_resources
from kpi_assets.assets.run import QUIET
from kpi_assets.contracts import ColumnContract
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import SumArgs, make_plan

DAY, EARLIER = "2024-11-24", "2024-11-20"


class Checker:
    """Runs a report's assets, or checks of them alone."""

    def __init__(self, instance: dg.DagsterInstance, home: Path) -> None:
        self.instance, self.home = instance, home

    def make(self, plan: ReportPlan, day: str | None) -> dg.ExecuteInProcessResult:
        return self._run(plan, dg.AssetSelection.all(), day)

    def check(self, plan: ReportPlan, assets: Sequence[dg.AssetKey]) -> dg.ExecuteInProcessResult:
        return self._run(plan, dg.AssetSelection.checks_for_assets(*assets), None)

    def _run(
        self, plan: ReportPlan, selection: dg.AssetSelection, day: str | None
    ) -> dg.ExecuteInProcessResult:
        definitions = dg.Definitions(
            assets=report_assets(plan),
            jobs=[dg.define_asset_job("asked", selection=selection)],
            resources={HOME: KpiAssetsResource(home=str(self.home)), **report_resources(plan)},
        )
        return definitions.resolve_job_def("asked").execute_in_process(
            run_config=QUIET, instance=self.instance, partition_key=day, raise_on_error=False
        )


@pytest.fixture
def checker(instance: dg.DagsterInstance, home: Path) -> Checker:
    return Checker(instance, home)


def outcomes(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def asked(folder: Path) -> list[str]:
    return (folder / "asked.txt").read_text().splitlines()


def test_stored_rows_of_the_newest_edition_are_checked(checker: Checker, tmp_path: Path) -> None:
    """Nothing is fetched and nothing materialized: the promise is held against the rows that are stored."""
    query = keys.query_key("weekly", "signups")
    plan = make_plan(tmp_path, columns=[ColumnContract("signups", "integer", nullable=False, max=20)])
    checker.make(plan, DAY)
    checker.make(plan, EARLIER)
    sent = asked(tmp_path)
    result = checker.check(plan, [query])
    assert result.success
    assert outcomes(result) == {"not_empty": True, "same_columns": True, "frame_contract": False}
    assert DAY in str(result.get_asset_check_evaluations()[-1].description)
    assert result.get_asset_materialization_events() == []
    assert asked(tmp_path) == sent


def test_a_stored_placeholder_fails_its_check_again(checker: Checker, tmp_path: Path) -> None:
    """The check of a view tells what the newest edition shows, without drawing anything."""
    views = {"good": SumArgs(), "bad": SumArgs(fail_on=(DAY,))}
    plan = make_plan(tmp_path, views=views, policy="placeholder")
    checker.make(plan, DAY)
    for view, rendered in {"good": True, "bad": False}.items():
        result = checker.check(plan, [keys.view_key("weekly", view)])
        assert result.success
        assert outcomes(result) == {"rendered": rendered}


def test_without_an_edition_there_is_nothing_to_check(checker: Checker, tmp_path: Path) -> None:
    """Before the first edition the run fails in words that say what to do."""
    plan = make_plan(tmp_path)
    result = checker.check(plan, [keys.query_key("weekly", "signups")])
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    assert "there is nothing to check yet: materialize an edition first" in error.message


def test_a_run_without_a_day_says_so(checker: Checker, tmp_path: Path) -> None:
    """Assets without a partition fail in words, not in Dagster's."""
    result = checker.make(make_plan(tmp_path), None)
    failed = next(e for e in result.all_events if e.is_step_failure)
    error = failed.step_failure_data.error
    assert error is not None
    assert "the run has no partition: choose the day" in error.message
