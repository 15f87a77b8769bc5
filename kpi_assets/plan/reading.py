"""Report files -> ReportPlan: what is wrong with the file and what is wrong with its plan, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kpi_assets.config import LoadedReport, load_report
from kpi_assets.errors import ConfigError, Problem
from kpi_assets.plan.build import build_plan
from kpi_assets.plan.model import ReportPlan


def read_plan(files: Sequence[Path] | Path | str, environ: Mapping[str, str] | None = None) -> ReportPlan:
    """The plan of files, the last of which wins. Raises one ConfigError with all problems, from top to bottom."""
    try:
        loaded = load_report(files)
    except ConfigError as error:
        more = _of_the_rest(error.rest, environ) if isinstance(error.rest, LoadedReport) else ()
        raise ConfigError(_in_order(error.problems, more)) from None
    return build_plan(loaded, environ)


def _of_the_rest(rest: LoadedReport, environ: Mapping[str, str] | None) -> Sequence[Problem]:
    try:
        build_plan(rest, environ)
    except ConfigError as error:
        return error.problems
    return ()


def _in_order(problems: Sequence[Problem], more: Sequence[Problem]) -> list[Problem]:
    """As they were, with each of `more` behind the last that stands above it in the same file."""
    found = list(problems)
    for problem in more:
        place = len(found)
        for index, other in enumerate(found):
            if _below(other, problem):
                place = index
                break
        found.insert(place, problem)
    return found


def _below(other: Problem, problem: Problem) -> bool:
    a, b = other.position, problem.position
    return a is not None and b is not None and a.file == b.file and (a.line, a.column) > (b.line, b.column)
