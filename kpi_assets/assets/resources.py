"""Dagster resources of a report: where its state lies, and the doors to its datasources and outputs.

Resources hold no secret and no state. A secret is read from the environment by `make`, in the process that uses it,
when a step starts; what the UI shows of a resource are ids and the *names* of environment variables.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from kpi_assets.assets import keys
from kpi_assets.config.env import env_refs
from kpi_assets.contracts import Datasource, Output
from kpi_assets.plan import DatasourcePlan, OutputPlan, ReportPlan
from kpi_assets.session import Session, home_from, make_datasource, make_output

HOME = "kpi_assets"
"""Key of the KpiAssetsResource."""


class KpiAssetsResource(dg.ConfigurableResource[Any]):
    """Where frames, editions and the ledger lie, and where editions are served.

    Empty fields mean the environment: `KPI_ASSETS_HOME` (default `./.kpi_assets`) and `KPI_ASSETS_PUBLIC_URL`.
    """

    home: str = ""
    public_url: str = ""

    @property
    def folder(self) -> Path:
        return Path(self.home).expanduser().absolute() if self.home else home_from(os.environ)

    def served_at(self, plan: ReportPlan) -> str:
        """The URL under which the report's editions are served, or an empty text."""
        url = self.public_url or plan.config.public_url or os.environ.get("KPI_ASSETS_PUBLIC_URL", "")
        return url.rstrip("/")


@cache
def default_home() -> KpiAssetsResource:
    """What the environment says. One object for all: Dagster merges definitions only where they share it."""
    return KpiAssetsResource()


class DatasourceResource(dg.ConfigurableResource[Any]):
    """The door to one datasource of a report. Subclass and override `make` to reach another backend."""

    report: str
    datasource: str
    plugin: str
    environment: list[str] = []

    def make(self, plan: DatasourcePlan, environ: Mapping[str, str]) -> Datasource:
        """The live backend, secrets put in. Raises ConfigError for a variable that is not set."""
        return make_datasource(plan, environ)


class OutputResource(dg.ConfigurableResource[Any]):
    """The door to one output of a report. Subclass and override `make` to deliver elsewhere."""

    report: str
    output: str
    plugin: str
    environment: list[str] = []

    def make(self, plan: OutputPlan, environ: Mapping[str, str]) -> Output:
        """The live output, secrets put in. Raises ConfigError for a variable that is not set."""
        return make_output(plan, environ)


def report_resources(plan: ReportPlan) -> dict[str, Any]:
    """The resources that the steps of a report ask for, by key, besides the KpiAssetsResource."""
    doors: dict[str, Any] = {}
    for source in plan.datasources.values():
        doors[keys.datasource_resource(plan.id, source.id)] = DatasourceResource(
            report=plan.id, datasource=source.id, plugin=source.plugin, environment=_names(source.raw_args)
        )
    for output in plan.outputs:
        doors[keys.output_resource(plan.id, output.id)] = OutputResource(
            report=plan.id, output=output.id, plugin=output.plugin, environment=_names(output.raw_args)
        )
    return doors


def session_of(plan: ReportPlan, home: Path, resource: Callable[[str], Any]) -> Session:
    """A session whose backends are made by the step's resources; `resource` finds one by key."""

    def source(datasource: DatasourcePlan, environ: Mapping[str, str]) -> Datasource:
        return resource(keys.datasource_resource(plan.id, datasource.id)).make(datasource, environ)

    def output(wanted: OutputPlan, environ: Mapping[str, str]) -> Output:
        return resource(keys.output_resource(plan.id, wanted.id)).make(wanted, environ)

    return Session(plan, home, make_datasource=source, make_output=output)


def _names(raw_args: Mapping[str, Any]) -> list[str]:
    return sorted({name for ref in env_refs(raw_args) for name in ref.names})
