"""Reports said in Python: the same as files, and at home in a Dagster project of the user's own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pandas as pd
import pytest
from pydantic import BaseModel, ValidationError

import kpi_assets
from kpi_assets import (
    DatasourceConfig,
    OutputConfig,
    PartitionsConfig,
    QueryConfig,
    Report,
    ViewConfig,
    build_definitions,
    build_plan,
    env,
    forget_frame,
    load_mapping,
    load_report,
    materialize_editions,
    preview,
    register_frame,
)
from kpi_assets.contracts import Stat
from kpi_assets.errors import ConfigError, InputError
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.shop import make_shop, orders_on, write_report

DAILY = (
    "select date(placed_at) as day, count(*) as orders from orders "
    "where placed_at >= {from} and placed_at < {to} group by 1"
)


def shop_report(folder: Path, **more: Any) -> Report:
    """A report on the shop, said with the models."""
    fields: dict[str, Any] = {
        "id": "orders",
        "title": "Orders {from}",
        "timezone": "Europe/Berlin",
        "end_date": date(2024, 11, 25),
        "partitions": PartitionsConfig(start=date(2024, 10, 1)),
        "datasources": {"shop": DatasourceConfig(plugin="sqlite", args={"database": folder / "shop.db"})},
        "queries": {"daily": QueryConfig(datasource="shop", query=DAILY, tables={"orders": "raw/orders"})},
        "views": {
            "total": ViewConfig(
                plugin="single_stat", title="Orders", args={"query": {"ref": "daily"}}, cols=2
            ),
            "days": {"plugin": "table", "title": "Per day", "args": {"query": {"ref": "daily"}}},
        },
        "outputs": {"disk": OutputConfig(plugin="static", args={"output_dir": folder / "out"})},
    }
    return Report(**{**fields, **more})


def orders_of_the_week() -> int:
    return sum(orders_on(date(2024, 11, day)) for day in range(18, 25))


def stat_of(document: kpi_assets.Document) -> Stat:
    return next(e for block in document.blocks for e in block.elements if isinstance(e, Stat))


def test_importing_the_package_loads_nothing() -> None:
    """`import kpi_assets` imports no library, and not even pydantic."""
    code = "import sys, kpi_assets; print([m for m in ('pydantic', 'dagster', 'pandas', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    """What `__all__` promises can be imported, is listed by dir(), and other names are no attributes."""
    assert {name for name in kpi_assets.__all__ if getattr(kpi_assets, name, None) is None} == set()
    assert set(kpi_assets.__all__) <= set(dir(kpi_assets))
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = kpi_assets.no_such_thing


def test_every_model_of_a_report_is_public() -> None:
    """Every model that a report file is made of can be imported from the package."""
    found: set[str] = set()

    def collect(annotation: Any) -> None:
        for part in get_args(annotation):
            collect(part)
        if (
            isinstance(annotation, type)
            and issubclass(annotation, BaseModel)
            and annotation.__name__ not in found
        ):
            found.add(annotation.__name__)
            for field in annotation.model_fields.values():
                collect(field.annotation)

    collect(kpi_assets.ReportConfig)
    assert len(found) > 8
    assert found <= set(kpi_assets.__all__)


def test_a_report_in_python_is_the_report_of_the_file(tmp_path: Path) -> None:
    """The plan of a mapping with a YAML file's values differs from the file's only in the files that it names."""
    import yaml

    file = write_report(tmp_path)
    from_file = build_plan(load_report(file), {})
    data = yaml.safe_load(file.read_text())
    for made in (load_mapping(data, id="orders"), Report(id="orders", **data)):
        plan = build_plan(made, {})
        assert plan.files == ()
        assert _comparable(plan) == _comparable(from_file)
        assert plan.fingerprint == from_file.fingerprint


def _comparable(plan: ReportPlan) -> dict[str, Any]:
    shown = replace(plan, files=(), views=(), theme=replace(plan.theme, theme_dir=None))
    return {**vars(shown), "views": [(v.id, v.fingerprint, dict(v.needs), v.cols) for v in plan.views]}


def test_preview_from_python(tmp_path: Path) -> None:
    """preview() makes the document with the right number, writes what `save` is told, and delivers nothing."""
    make_shop(tmp_path / "shop.db")
    made = preview(shop_report(tmp_path), home=tmp_path / "home", environ={})
    assert made.faults == ()
    assert stat_of(made.document).value == str(orders_of_the_week())
    page = made.save(tmp_path / "page")
    assert page.read_text(encoding="utf-8") == made.html
    assert not (tmp_path / "out").exists()


def test_an_edition_from_python(tmp_path: Path) -> None:
    """materialize_editions delivers a window that the plan names, and a second time says that it was delivered."""
    make_shop(tmp_path / "shop.db")
    plan = build_plan(shop_report(tmp_path), {})
    result = materialize_editions(plan, [plan.window("2024-11-24")], home=tmp_path / "home")
    assert result.success
    assert result.delivered[0].receipt is not None
    assert Path(result.delivered[0].receipt.location).is_relative_to(tmp_path / "out")


def test_frames_registered_in_python(tmp_path: Path) -> None:
    """A frame of this process is shown by a report in which no file and no database occurs."""
    days = pd.date_range("2024-11-11", periods=14, tz="Europe/Berlin")
    register_frame("test_python_api.signups", pd.DataFrame({"day": days, "signups": range(14)}))
    try:
        report = Report(
            id="frames",
            timezone="Europe/Berlin",
            end_date="2024-11-25",
            datasources={"memory": DatasourceConfig(plugin="dataframe", args={"time_column": "day"})},
            views={
                "total": ViewConfig(
                    plugin="single_stat",
                    title="Sign-ups",
                    args={"datasource": "memory", "query": "test_python_api.signups", "column": "signups"},
                )
            },
        )
        made = preview(report, home=tmp_path, environ={})
    finally:
        forget_frame("test_python_api.signups")
    assert made.faults == ()
    assert stat_of(made.document).value == str(sum(range(7, 14)))


def test_problems_name_the_path_of_keys(tmp_path: Path) -> None:
    """Without a file, every problem begins with the path of keys to what is wrong, all at once."""
    report = shop_report(
        tmp_path,
        views={"total": {"plugin": "single_stat", "args": {"query": {"ref": "dayly"}, "colour": 1}}},
        outputs={"disk": {"plugin": "statik"}},
    )
    with pytest.raises(ConfigError) as caught:
        build_plan(report, {})
    assert [str(problem).partition(": ")[0] for problem in caught.value.problems] == [
        "views.total.args.colour",
        "outputs.disk.plugin",
    ]
    assert "did you mean 'static'?" in str(caught.value)
    assert all(problem.position is None for problem in caught.value.problems)


def test_ids_are_held_to_the_rules_of_files(tmp_path: Path) -> None:
    """An id that cannot be an asset key is refused, and two that would become one are told apart from each other."""
    with pytest.raises(ValidationError, match="pattern"):
        shop_report(tmp_path, id="weekly report")
    with pytest.raises(InputError, match="letters, digits and _"):
        load_mapping({}, id="weekly/report")
    text = {"plugin": "text", "args": {"text": "a"}}
    with pytest.raises(ConfigError, match="would have the id 'a_b', as the one before it has"):
        load_mapping({"views": {"a_b": text, "a-b": text}}, id="weekly")


def test_secrets_in_python_are_references(tmp_path: Path) -> None:
    """env("NAME") prints as ***, is resolved when the backend is made, and is in no spec of the assets."""
    make_shop(tmp_path / "hidden-place.db")
    report = shop_report(
        tmp_path, datasources={"shop": {"plugin": "sqlite", "args": {"database": env("SHOP_DATABASE")}}}
    )
    assert "***" in repr(report)
    assert "SHOP_DATABASE" not in repr(report)
    variables = {"SHOP_DATABASE": str(tmp_path / "hidden-place.db")}
    made = preview(report, home=tmp_path / "home", environ=variables)
    assert made.faults == ()
    specs = build_definitions(report, environ=variables).resolve_all_asset_specs()
    assert "hidden-place" not in repr(specs)
    with pytest.raises(InputError, match="env"):
        env("not a name")


def test_definitions_merge_into_a_project(tmp_path: Path) -> None:
    """Dagster takes the user's own definitions (executor, resources, an upstream of `tables:`) and ours as one."""
    own, ran = own_project()
    make_shop(tmp_path / "shop.db")
    merged = dg.Definitions.merge(own, build_definitions(shop_report(tmp_path, end_date=None), environ={}))
    dg.Definitions.validate_loadable(merged)
    specs = {spec.key.to_user_string(): spec for spec in merged.resolve_all_asset_specs()}
    assert [dep.asset_key.to_user_string() for dep in specs["orders/queries/daily"].deps] == ["raw/orders"]
    assert not [key for key in specs if key.startswith("source/")]
    assert merged.executor is dg.in_process_executor
    ran_job(merged, tmp_path)
    assert ran == ["raw/orders"]
    assert (tmp_path / "out").is_dir()


def own_project() -> tuple[dg.Definitions, list[str]]:
    """A project with an asset that a report reads from, a resource and an executor."""
    ran: list[str] = []

    @dg.asset(
        key=["raw", "orders"],
        partitions_def=dg.DailyPartitionsDefinition("2024-10-01", timezone="Europe/Berlin"),
    )
    def orders(warehouse: dg.ResourceParam[str]) -> None:
        assert warehouse == "mine"
        ran.append("raw/orders")

    resources = {"warehouse": dg.ResourceDefinition.hardcoded_resource("mine")}
    return dg.Definitions(assets=[orders], resources=resources, executor=dg.in_process_executor), ran


def ran_job(definitions: dg.Definitions, folder: Path) -> None:
    """Upstream and report of one day in one run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPI_ASSETS_HOME", str(folder / "home"))
        job = definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(partition_key="2024-11-24")
    assert result.success


def test_reports_can_be_merged_one_by_one(tmp_path: Path) -> None:
    """Definitions of two reports, built apart, share the home and do not clash."""
    first = build_definitions(shop_report(tmp_path), environ={})
    second = build_definitions(shop_report(tmp_path, id="others"), environ={})
    merged = dg.Definitions.merge(first, second)
    dg.Definitions.validate_loadable(merged)
    keys = {spec.key.to_user_string() for spec in merged.resolve_all_asset_specs()}
    assert {"orders/document", "others/document"} <= keys


def test_definitions_of_files_folders_and_plans(tmp_path: Path) -> None:
    """A report may be given as a path, a folder, a loaded report, a plan or a model."""
    folder = tmp_path / "reports"
    folder.mkdir()
    write_report(folder)
    file = write_report(tmp_path, name="alone")
    loaded = load_mapping({"views": {"a": {"plugin": "text", "args": {"text": "a"}}}}, id="loaded")
    plan = build_plan(shop_report(tmp_path, id="planned"), {})
    defs = build_definitions(folder, str(file), loaded, plan, shop_report(tmp_path, id="said"), environ={})
    groups = {spec.group_name for spec in defs.resolve_all_asset_specs() if spec.key.path[0] != "raw"}
    assert groups == {"orders", "alone", "loaded", "planned", "said"}


def test_build_definitions_is_strict(tmp_path: Path) -> None:
    """A wrong report, two of one id and an owner that Dagster refuses are errors, not placeholders."""
    (tmp_path / "bad.yaml").write_text("titel: x\n")
    with pytest.raises(ConfigError, match=r"bad\.yaml:1:1"):
        build_definitions(tmp_path / "bad.yaml", environ={})
    with pytest.raises(InputError, match=r"two reports have the id 'orders'.*in Python called 'orders'"):
        build_definitions(shop_report(tmp_path), shop_report(tmp_path), environ={})
    with pytest.raises(InputError, match="Dagster refuses"):
        build_definitions(shop_report(tmp_path, owners=["nobody"]), environ={})
