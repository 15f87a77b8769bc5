from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.definitions import defs, load_definitions, report_files, report_paths

GOOD = """
title: Orders
timezone: UTC
datasources:
  db: {plugin: sqlite, args: {database: shop.db}}
views:
  note: {plugin: text, args: {text: Hello}}
"""
BROKEN = "titel: Orders\nviews: {a: {plugin: no_such_view}}\n"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD)
    (folder / "broken.yml").write_text(BROKEN)
    (folder / ".hidden.yaml").write_text(BROKEN)
    (folder / "notes.txt").write_text("")
    return folder


def asset_keys(definitions: dg.Definitions) -> set[str]:
    return {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}


def test_a_broken_report_does_not_take_the_others_along(reports: Path) -> None:
    """The good report loads; the broken one is an asset of its group that tells file, line and reason."""
    definitions = load_definitions([reports], {})
    assert asset_keys(definitions) >= {"good/document", "good/views/note", "broken/document"}
    (spec,) = [
        s for s in definitions.resolve_all_asset_specs() if s.key == dg.AssetKey(["broken", "document"])
    ]
    assert spec.group_name == "broken"
    assert "broken.yml:1" in (spec.description or "")
    assert "no_such_view" in (spec.description or "") or "titel" in (spec.description or "")


def test_materializing_a_broken_report_raises_its_error(reports: Path) -> None:
    """The asset of a broken report fails with the text that `validate` prints."""
    definitions = load_definitions([reports / "broken.yml"], {})
    job = definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(dg.Failure, match=r"broken\.yml:1"):
        job.execute_in_process()


def test_two_files_of_one_name_are_explained(reports: Path, tmp_path: Path) -> None:
    """The second of two reports with one id is broken, and names both files."""
    other = tmp_path / "good.yaml"
    other.write_text(GOOD)
    definitions = load_definitions([reports / "good.yaml", other], {})
    (spec,) = [s for s in definitions.resolve_all_asset_specs() if "good_2" in s.key.path]
    assert str(reports / "good.yaml") in (spec.description or "")
    assert str(other) in (spec.description or "")


def test_an_owner_that_dagster_refuses_breaks_only_its_report(reports: Path) -> None:
    """What only Dagster would find wrong is found, too, before it could take the location down."""
    (reports / "good.yaml").write_text(GOOD + "owners: [nobody]\n")
    definitions = load_definitions([reports / "good.yaml"], {})
    assert asset_keys(definitions) == {"good/document"}


def test_reports_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KPI_ASSETS_REPORTS names files and folders as PATH does; else ./reports; else the demo."""
    monkeypatch.chdir(tmp_path)
    named = {"KPI_ASSETS_REPORTS": os.pathsep.join(["a.yaml", "folder"])}
    assert report_paths(named) == [Path("a.yaml"), Path("folder")]
    assert report_paths({})[0].name == "weekly_growth.yaml"
    (tmp_path / "reports").mkdir()
    assert report_paths({}) == [Path("reports")]


def test_only_yaml_files_are_reports(reports: Path) -> None:
    """A folder gives its YAML files, by name; hidden files and others are left alone, and no file comes twice."""
    files = report_files([reports, reports / "good.yaml"])
    assert [file.name for file in files] == ["broken.yml", "good.yaml"]


def test_the_executor_is_in_process(reports: Path) -> None:
    """Runs from the UI, too, use one process: few fat steps, one import."""
    executor = load_definitions([reports], {}).executor
    assert isinstance(executor, dg.ExecutorDefinition)
    assert executor.name == "in_process"


def test_resources_are_there_to_be_replaced(reports: Path) -> None:
    """Datasources and outputs of each report are resources, which tests and deployments may replace by key."""
    resources = load_definitions([reports / "good.yaml"], {}).resources or {}
    assert set(resources) == {"kpi_assets", "good__datasource__db", "good__output__static"}


def test_the_demo_is_ready_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no reports, the location shows the demo, and its database is there."""
    monkeypatch.chdir(tmp_path)
    definitions = defs()
    assert any(key.startswith("weekly_growth/") for key in asset_keys(definitions))
    assert Path(os.environ["KPI_ASSETS_DEMO_DB"]).is_relative_to(tmp_path)
