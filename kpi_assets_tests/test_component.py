"""The Component as projects use it: a `defs` folder that is loaded by Dagster's own loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.core.package_entry import discover_entry_point_package_objects
from dagster.components.testing import DefsFolderSandbox, create_defs_folder_sandbox
from pydantic import TypeAdapter

from kpi_assets import KpiReport
from kpi_assets_tests.shop import make_shop

# Dagster's own loader: it reads a defs.yaml through pydantic's old door, and tells of its file by a class in beta.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*parse_obj_as", "ignore::dagster_shared.utils.warnings.BetaWarning"
)

KINDS = ("owners", "catch_up", "lost_runs")
QUERY = "select placed_at, amount from orders where placed_at >= {from} and placed_at < {to} -- {{ not Dagster's }}"


def report(shop: Path, **more: Any) -> dict[str, Any]:
    return {
        "title": "Orders",
        "timezone": "UTC",
        "owner": "owner@example.com",
        "datasources": {"db": {"plugin": "sqlite", "args": {"database": str(shop)}}},
        "views": {
            "total": {
                "plugin": "single_stat",
                "args": {"datasource": "db", "query": QUERY, "column": "amount"},
            }
        },
        "outputs": {
            "mail": {
                "plugin": "smtp",
                "args": {"smtp_host": "127.0.0.1", "email_from": "a@b.example", "email_to": ["c@b.example"]},
            }
        },
        "schedule": {"cron": "0 6 * * *"},
        **more,
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop.db")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DefsFolderSandbox]:
    monkeypatch.setenv("KPI_ASSETS_HOME", str(tmp_path / "home"))
    with create_defs_folder_sandbox() as sandbox:
        yield sandbox


def add(project: DefsFolderSandbox, name: str, attributes: dict[str, Any]) -> Path:
    folder = project.defs_folder_path / name
    folder.mkdir(parents=True)
    said = {"type": "kpi_assets.KpiReport", "attributes": attributes}
    (folder / "defs.yaml").write_text(yaml.safe_dump(said))
    return folder


def specs_of(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def told_by(definitions: dg.Definitions, key: str) -> str:
    return specs_of(definitions)[key].description or ""


def test_several_components_live_in_one_location(
    project: DefsFolderSandbox, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two reports on one table, with owners, schedules and heartbeats, load as one location without a clash."""
    monkeypatch.setenv("KPI_ASSETS_HEARTBEAT", "20")
    add(project, "sales", {"report": report(shop)})
    add(project, "board", {"report": report(shop, title="Board")})
    with project.build_all_defs() as definitions:
        repository = definitions.get_repository_def()
        keys = specs_of(definitions)
    assert {"sales/views/total", "board/views/total"} <= set(keys)
    assert dg.AssetKey(["source", "db", "orders"]) in repository.asset_graph.get_all_asset_keys()
    assert {schedule.name for schedule in repository.schedule_defs} == {"sales__schedule", "board__schedule"}
    sensors = {sensor.name for sensor in repository.sensor_defs}
    assert {f"{report}__{kind}" for report in ("sales", "board") for kind in KINDS} == sensors
    assert "kpi_assets" in repository.get_top_level_resources()


def test_a_component_merges_with_what_the_project_has(project: DefsFolderSandbox, shop: Path) -> None:
    """The project's own assets and executor stay as they are beside a component."""
    add(project, "sales", {"report": report(shop)})
    own = dg.Definitions(assets=[dg.AssetSpec("own")], executor=dg.multiprocess_executor)
    with project.build_all_defs() as definitions:
        merged = dg.Definitions.merge(own, definitions)
        assert {"own", "sales/document"} <= set(specs_of(merged))
    assert merged.executor is dg.multiprocess_executor


def test_braces_in_sql_are_the_reports_own(project: DefsFolderSandbox, shop: Path) -> None:
    """`{{ }}` in a report's SQL is not rendered by Dagster's templates."""
    add(project, "sales", {"report": report(shop)})
    with project.build_all_defs() as definitions:
        (query,) = [key for key in specs_of(definitions) if "/queries/" in key]
        assert "{{ not Dagster's }}" in told_by(definitions, query)


def test_config_is_a_template(
    project: DefsFolderSandbox, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`config:` may be templated, and names a file or a folder of them, whose stems are the ids."""
    monkeypatch.setenv("WHERE", str(tmp_path / "reports"))
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "weekly.yaml").write_text(yaml.safe_dump(report(shop)))
    (tmp_path / "reports" / "broken.yaml").write_text("titel: Orders\n")
    add(project, "all", {"config": "{{ env.WHERE }}"})
    with project.build_all_defs() as definitions:
        assert "weekly/views/total" in specs_of(definitions)
        assert "broken.yaml:1" in told_by(definitions, "broken/document")


def test_references_are_read_when_a_run_starts(project: DefsFolderSandbox, shop: Path) -> None:
    """`${NAME}` in a line of a report in `defs.yaml` is a reference: nothing is read when the location loads."""
    said = report(shop)
    said["datasources"]["db"] = {"plugin": "sqlite", "args": {"database": "${SHOP_THAT_IS_NOT_SET}"}}
    add(project, "sales", {"report": said})
    with project.build_all_defs() as definitions:
        door = definitions.get_repository_def().get_top_level_resources()["sales__datasource__db"]
        assert "SHOP_THAT_IS_NOT_SET" in str(door.config_schema.default_value_as_json_str)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"config": "missing.yaml"}, "missing.yaml"),
        ({"config": "nothing"}, "holds no report"),
        ({"report": {"views": {"a": {"plugin": "no_such_view"}}}}, "no_such_view"),
        ({}, "give either"),
        ({"config": "a.yaml", "report": {"title": "A"}}, "give either"),
    ],
)
def test_a_broken_component_does_not_take_the_others_along(
    project: DefsFolderSandbox, shop: Path, attributes: dict[str, Any], words: str
) -> None:
    """What cannot be loaded is one broken asset that says why, and the component beside it loads."""
    add(project, "sales", {"report": report(shop)})
    folder = add(project, "wrong", attributes)
    (folder / "nothing").mkdir()
    with project.build_all_defs() as definitions:
        found = specs_of(definitions)
        (broken,) = [spec for spec in found.values() if "broken" in spec.kinds]
        assert words in (broken.description or "")
        assert "sales/document" in found
        with pytest.raises(dg.Failure, match=words):
            dg.materialize(
                [asset for asset in definitions.assets or [] if getattr(asset, "key", None) == broken.key]
            )


def test_what_is_scaffolded_runs(
    project: DefsFolderSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dg scaffold defs` writes a component and a report under a name of its own, which makes an edition at once."""
    monkeypatch.chdir(tmp_path)
    folder = project.scaffold_component(KpiReport, "team/orders")
    assert {file.name for file in folder.iterdir()} == {"defs.yaml", "orders.yaml"}
    with project.build_all_defs() as definitions:
        assert not [spec for spec in specs_of(definitions).values() if "broken" in spec.kinds]
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            partition_key="2024-11-24"
        )
    assert result.success
    assert list((tmp_path / "home" / "editions" / "orders" / "2024-11-24").rglob("index.html"))


def test_scaffolding_keeps_a_report_that_is_there(project: DefsFolderSandbox) -> None:
    """A report file of the component's name is not written over."""
    folder = project.defs_folder_path / "orders"
    folder.mkdir()
    (folder / "orders.yaml").write_text("title: Mine\n")
    project.scaffold_component(KpiReport, "orders")
    assert (folder / "orders.yaml").read_text() == "title: Mine\n"


def test_dg_finds_the_component() -> None:
    """The package is registered for `dg`: the component goes by `kpi_assets.KpiReport`."""
    found = {key.to_typename(): entry for key, entry in discover_entry_point_package_objects().items()}
    assert found["kpi_assets.KpiReport"] is KpiReport


def test_editors_see_the_keys_of_a_report() -> None:
    """The component's JSON Schema describes both attributes, and a report's keys inside `report`."""
    model = KpiReport.get_model_cls()
    assert model is not None
    schema = TypeAdapter(model).json_schema()
    assert set(schema["properties"]) == {"config", "report"}
    assert {"datasources", "queries", "views", "outputs"} <= set(
        schema["$defs"]["ReportConfig"]["properties"]
    )
