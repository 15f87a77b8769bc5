"""What several commands share: options, reading a report, choosing the window."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import print_warnings
from kpi_assets.errors import InputError

if TYPE_CHECKING:
    from kpi_assets.contracts import Window
    from kpi_assets.plan import ReportPlan

ConfigFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "-c",
        "--config-file",
        metavar="FILE",
        help="Report file; give it several times to merge files, the last one wins. "
        "Default: ./config.yaml, then /etc/kpi-assets/config.yaml.",
    ),
]
MoreFiles = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="More files to merge.")]
StartDate = Annotated[
    str | None, typer.Option("-s", "--start-date", metavar="DAY", help="First day of the window (included).")
]
EndDate = Annotated[
    str | None,
    typer.Option("-e", "--end-date", metavar="DAY", help="Day after the window's last day (not included)."),
]
IntervalDays = Annotated[
    int | None, typer.Option("--interval-days", min=1, help="Length of the window; default: the report's.")
]
Outputs = Annotated[
    list[str] | None, typer.Option("--output", metavar="ID", help="Only this output; repeatable.")
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Where frames, editions and the ledger are kept; default: $KPI_ASSETS_HOME or ./.kpi_assets.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Deliver also to people who have the edition already; the ledger records it."
    ),
]
Refresh = Annotated[
    str | None,
    typer.Option(
        "--refresh",
        metavar="window|missing|N",
        help="Fetch stored days again: all that the edition shows, none, or the last N.",
    ),
]
ThemeDir = Annotated[
    Path | None, typer.Option("--theme-dir", help="Folder whose templates and styles replace ours.")
]


OneRecipient = Annotated[
    str | None,
    typer.Option(
        "--recipient",
        metavar="ADDRESS",
        help="Whose edition, where recipients have editions of their own; default: the first one's.",
    ),
]


def read_plan(
    files: Sequence[Path] | None,
    more: Sequence[Path] | None = None,
    *,
    refresh: str | None = None,
    theme_dir: Path | None = None,
) -> ReportPlan:
    """The plan of a report file; warnings are printed. Raises ConfigError or InputError."""
    from kpi_assets.config import default_files
    from kpi_assets.plan import read_plan as read

    quiet_retries()
    chosen = [*(files or []), *(more or [])] or default_files()
    plan = read(chosen, os.environ)
    print_warnings(plan.warnings)
    return with_options(plan, refresh=refresh, theme_dir=theme_dir)


def quiet_retries() -> None:
    """Retries are logged by us, never printed by stamina: standard output belongs to the result."""
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])


def with_options(plan: ReportPlan, *, refresh: str | None, theme_dir: Path | None) -> ReportPlan:
    """The plan with what the command line overrides."""
    from dataclasses import replace

    if theme_dir is not None:
        if not theme_dir.is_dir():
            raise InputError(f"--theme-dir {theme_dir} is not a folder")
        plan = replace(plan, theme=replace(plan.theme, theme_dir=str(theme_dir)))
    if refresh is not None:
        setting = parse_refresh(refresh)
        plan = replace(plan, queries=tuple(replace(query, refresh=setting) for query in plan.queries))
    return plan


def parse_refresh(text: str) -> str | int:
    """`window`, `missing` or a number of days. Raises InputError."""
    if text in ("window", "missing"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    raise InputError(f"--refresh is '{text}'; allowed: window, missing, or a number of days")


def choose_window(plan: ReportPlan, start: str | None, end: str | None, interval_days: int | None) -> Window:
    """The window that is asked for, checked. Raises InputError for one that cannot be made."""
    from kpi_assets import python_api

    return python_api.choose_window(plan, start, end, interval_days)


def choose_outputs(plan: ReportPlan, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The ids of the outputs to deliver to. Raises InputError for an unknown one."""
    from kpi_assets.errors import suggest

    for output in wanted or ():
        if output not in plan.outputs_by_id:
            hint = suggest(output, plan.outputs_by_id)
            raise InputError(f"--output '{output}' is not an output of {plan.id}: {hint}")
    return tuple(wanted) if wanted else tuple(plan.outputs_by_id)
