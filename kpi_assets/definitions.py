"""Reports -> dg.Definitions: `load_definitions` is what `workspace.yaml` loads, `build_definitions` what Python calls.

`KPI_ASSETS_REPORTS` names report files or folders of them, separated as in PATH; the default is `./reports`, and where
that does not exist, the demo. A file that cannot be loaded becomes one broken asset; the others load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from kpi_assets.assets import specs
from kpi_assets.assets.broken import broken_asset
from kpi_assets.assets.build import build_definitions as definitions_of
from kpi_assets.assets.instance import PLANNED_IN_ONE
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.config import LoadedReport, load_report, report_id
from kpi_assets.config.python import Report
from kpi_assets.demo import REPORT, prepare
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.plan import ReportPlan, build_plan, read_plan
from kpi_assets.session import home_from

REPORTS = "KPI_ASSETS_REPORTS"
DEFAULT_FOLDER = Path("reports")
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class BrokenReport:
    """A report file that cannot be loaded, and why."""

    id: str
    file: Path
    reason: str


def load_definitions(
    paths: Sequence[Path] | None = None, environ: Mapping[str, str] | None = None
) -> dg.Definitions:
    """The definitions of report files and folders of them. Never fails because of a report."""
    environ = os.environ if environ is None else environ
    plans, broken = load_plans(report_files(report_paths(environ) if paths is None else paths), environ)
    return definitions_of(plans, [broken_asset(report.id, report.reason) for report in broken])


def build_definitions(
    *reports: Report | LoadedReport | ReportPlan | Path | str,
    environ: Mapping[str, str] | None = None,
    home: KpiAssetsResource | None = None,
    executor: dg.ExecutorDefinition | None = None,
) -> dg.Definitions:
    """The assets of reports, to merge into a project of your own: `dg.Definitions.merge(own, build_definitions(...))`.

    A report is said in Python, loaded, planned, or named by its file or folder. Raises ConfigError for a report that
    does not hold, InputError for two of one id: unlike `load_definitions`, it makes nothing of half a project.
    `home`: where state lies; by default what the environment says. Without `executor` the project's own is used.
    """
    environ = os.environ if environ is None else environ
    plans: dict[str, ReportPlan] = {}
    for report in _each(reports):
        plan = report if isinstance(report, ReportPlan) else build_plan(report, environ)
        try:
            plans[plan.id] = _checked(plan, plans)
        except dg.DagsterInvalidDefinitionError as error:
            raise InputError(f"report '{plan.id}': Dagster refuses an owner or tag: {error}") from error
    return definitions_of(plans.values(), home=home, executor=executor)


def _each(
    reports: Sequence[Report | LoadedReport | ReportPlan | Path | str],
) -> Iterator[Report | LoadedReport | ReportPlan]:
    for report in reports:
        if isinstance(report, str | Path):
            yield from (load_report(file) for file in report_files([Path(report)]))
        else:
            yield report


def report_paths(environ: Mapping[str, str]) -> list[Path]:
    """What the environment names, else `./reports`, else the packaged demo."""
    named = [Path(path).expanduser() for path in environ.get(REPORTS, "").split(os.pathsep) if path]
    if named:
        return named
    if DEFAULT_FOLDER.is_dir():
        return [DEFAULT_FOLDER]
    return [REPORT]


def report_files(paths: Sequence[Path]) -> list[Path]:
    """Every report file: those named, and the YAML files that lie directly in the folders named."""
    return list(dict.fromkeys(file.absolute() for path in paths for file in _files(path)))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(
            file for file in path.iterdir() if file.suffix in SUFFIXES and not file.name.startswith(".")
        )
    else:
        yield path


def load_plans(
    files: Sequence[Path], environ: Mapping[str, str]
) -> tuple[list[ReportPlan], list[BrokenReport]]:
    """The plans of the files that can be loaded, and what is wrong with the others."""
    plans: dict[str, ReportPlan] = {}
    reasons: dict[Path, str] = {}
    for file in files:
        try:
            plan = _checked(read_plan([file], environ), plans)
            plans[plan.id] = plan
        except KpiAssetsError as error:
            reasons[file] = str(error)
        except dg.DagsterInvalidDefinitionError as error:
            reasons[file] = f"{file}: Dagster refuses an owner or tag: {error}"
    return list(plans.values()), list(_broken(reasons, plans))


def _checked(plan: ReportPlan, others: Mapping[str, ReportPlan]) -> ReportPlan:
    """The plan, if Dagster takes its specs and no other file has its id. Raises InputError."""
    if plan.id in others:
        first, second = others[plan.id].source, plan.source
        raise InputError(f"two reports have the id '{plan.id}': {first} and {second}; rename one of them")
    list(specs.report_specs(plan))
    return plan


def _broken(reasons: Mapping[Path, str], plans: Mapping[str, ReportPlan]) -> Iterator[BrokenReport]:
    taken = set(plans)
    for file, reason in reasons.items():
        id = report_id([file])
        while id in taken:
            id += "_2"
        taken.add(id)
        yield BrokenReport(id, file, reason)


@dg.definitions
def defs() -> dg.Definitions:
    """Found by Dagster; evaluated when a code location loads, not when this module is imported."""
    os.environ.setdefault(PLANNED_IN_ONE, "1")
    paths = report_paths(os.environ)
    if paths == [REPORT]:
        os.environ.update(prepare(home_from(os.environ)))
    return load_definitions(paths)
