"""What `workspace.yaml` loads: report files -> dg.Definitions.

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
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.instance import PLANNED_IN_ONE
from kpi_assets.config import load_report, report_id
from kpi_assets.demo import REPORT, prepare
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.plan import ReportPlan, build_plan
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
    return build_definitions(plans, [broken_asset(report.id, report.reason) for report in broken])


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
            plan = _checked(build_plan(load_report([file]), environ), plans)
            plans[plan.id] = plan
        except KpiAssetsError as error:
            reasons[file] = str(error)
        except dg.DagsterInvalidDefinitionError as error:
            reasons[file] = f"{file}: Dagster refuses an owner or tag: {error}"
    return list(plans.values()), list(_broken(reasons, plans))


def _checked(plan: ReportPlan, others: Mapping[str, ReportPlan]) -> ReportPlan:
    """The plan, if Dagster takes its specs and no other file has its id. Raises InputError."""
    if plan.id in others:
        first, second = others[plan.id].files[0], plan.files[0]
        raise InputError(
            f"two report files have the id '{plan.id}': {first} and {second}; rename one of them"
        )
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
