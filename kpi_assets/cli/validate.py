"""`kpi-assets validate`: everything that can be known to be wrong before a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import out, print_error, print_warnings
from kpi_assets.cli.reports import ConfigFiles, MoreFiles
from kpi_assets.errors import ConfigError

if TYPE_CHECKING:
    from kpi_assets.plan import RecipientsPlan


def validate(
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    each: Annotated[
        bool, typer.Option("--each", help="Check the files as separate reports instead of merging them.")
    ] = False,
) -> None:
    """Check a report file: keys, plugins, arguments, queries. Nothing is asked of any backend.

    Every problem is shown with file, line and column. Ends with 2 when there is one.
    """
    from kpi_assets.config import default_files

    files = [*(config_file or []), *(more or [])] or default_files()
    groups = [[file] for file in files] if each else [files]
    failed = [group for group in groups if not _valid(group)]
    if failed:
        raise typer.Exit(2)


def _valid(files: list[Path]) -> bool:
    from kpi_assets.plan import read_plan

    try:
        plan = read_plan(files, os.environ)
    except ConfigError as error:
        print_error(error)
        return False
    print_warnings(plan.warnings)
    parts = ", ".join(
        [
            _counted(len(plan.datasources), "datasource"),
            _counted(len(plan.queries), "query", "queries"),
            _counted(len(plan.views), "view"),
            _counted(len(plan.outputs), "output"),
        ]
    )
    out.print(f"[green]✓[/] [bold]{plan.id}[/]: {parts}; zone {plan.zone}, window: {plan.rule.name}")
    if plan.recipients:
        out.print(f"    {_told_of(plan.recipients)}", style="dim", markup=False)
    for query in plan.queries:
        out.print(f"    query {query.id}: by {query.analysis.grain} ({query.grain_reason})", style="dim")
    return True


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _told_of(who: RecipientsPlan) -> str:
    """Who gets editions of their own, and by which values."""
    found = f"from query {who.query}" if who.query else f"{len(who.listed)} listed"
    names = ", ".join(sorted(who.names)) or "no values"
    return f"recipients: {found}, each by `{who.column}`; used of them: {names}"
