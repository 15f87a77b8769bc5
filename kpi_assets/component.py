"""Reports as a Dagster Component: `type: kpi_assets.KpiReport` in a `defs.yaml`. See docs/component.md.

A component never fails because of a report: what cannot be loaded becomes one broken asset, and the others load.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, cast

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from pydantic import Field, GetJsonSchemaHandler, RootModel
from pydantic_core import CoreSchema

from kpi_assets.assets.broken import broken_asset
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.specs import report_specs
from kpi_assets.config.env import REFERENCE, EnvRef
from kpi_assets.config.ids import report_id
from kpi_assets.config.models import ReportConfig
from kpi_assets.config.python import load_mapping
from kpi_assets.definitions import load_plans, report_files
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.plan import ReportPlan, build_plan

DEFS = "defs.yaml"


class ReportYaml(RootModel[dict[str, Any]]):
    """What a report file holds. Kept as it is: `{{ }}` in SQL and templates is the report's own, not Dagster's."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Editors see the keys of a report. What it says is checked when it is loaded, not by Dagster."""
        del core_schema
        return handler(ReportConfig.__pydantic_core_schema__)


class KpiReportScaffolder(dg.Scaffolder[Any]):
    """`dg scaffold defs kpi_assets.KpiReport NAME`: a component, and a small report NAME.yaml that runs as it is."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        folder = request.target_path.parent if request.append else request.target_path
        report = folder / f"{_id(folder)}.yaml"
        scaffold_component(request, {"config": report.name})
        if not report.exists():
            example = files("kpi_assets").joinpath("component_report.yaml").read_text(encoding="utf-8")
            report.write_text(example.replace("FILE", report.name), encoding="utf-8")


@dg.scaffold_with(KpiReportScaffolder)
class KpiReport(dg.Component, dg.Model, dg.Resolvable):
    """A KPI report: its queries, charts, document and deliveries as partitioned assets, its schedule and sensors."""

    config: Annotated[
        str | None,
        Field(
            description="The report's YAML file, or a folder of them; relative to this component's folder."
        ),
    ] = None
    report: Annotated[
        ReportYaml | None,
        Field(
            description="The report itself, instead of `config`. Its id is the name of the component's folder."
        ),
    ] = None

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        return dg.ComponentTypeSpec(
            description=cls.__doc__,
            tags=["kpi", "report"],
            produces=["asset", "asset_check", "schedule", "sensor", "resource"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The definitions, made to be merged: several components share what a code location has once."""
        folder = context.path if context.path.is_dir() else context.path.parent
        try:
            plans, broken = self._plans(folder, os.environ)
        except (KpiAssetsError, dg.DagsterInvalidDefinitionError) as error:
            plans, broken = [], [broken_asset(_id(folder), f"{folder / DEFS}: {error}")]
        return build_definitions(plans, broken, executor=None, merged=True)

    def _plans(
        self, folder: Path, environ: Mapping[str, str]
    ) -> tuple[list[ReportPlan], list[dg.AssetsDefinition]]:
        """The plans, and what stands for the reports that have none. Raises for a report in the component."""
        if self.report is not None and self.config is None:
            return [_written_in(folder, self.report.root, environ)], []
        if self.config is None or self.report is not None:
            raise InputError("attributes: give either `config:`, the report's file, or `report:`, the report")
        found = report_files([folder / Path(self.config).expanduser()])
        if not found:
            raise InputError(
                f"attributes.config: {folder / self.config} holds no report: no *.yaml, no *.yml"
            )
        plans, broken = load_plans(found, environ)
        return plans, [broken_asset(report.id, report.reason) for report in broken]


def _written_in(folder: Path, data: Mapping[str, Any], environ: Mapping[str, str]) -> ReportPlan:
    """The plan of a report in a `defs.yaml`; relative paths are meant in the component's folder."""
    loaded = load_mapping(_with_references(data), id=_id(folder))
    plan = build_plan(replace(loaded, files=(folder / DEFS,)), environ)
    list(report_specs(plan))
    return plan


def _with_references(value: Any) -> Any:
    """`${NAME}` in text of one line is a reference, as in a report file; in longer text, such as SQL, it is text."""
    if isinstance(value, Mapping):
        return {key: _with_references(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_references(item) for item in cast("list[Any]", value)]
    if isinstance(value, str) and "\n" not in value and REFERENCE.search(value):
        return EnvRef(value)
    return value


def _id(folder: Path) -> str:
    """The id of a report that has no file of its own: the component's folder, made safe."""
    return report_id([folder.with_name(f"{folder.name}.yaml")])
