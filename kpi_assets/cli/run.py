"""`kpi-assets run`: one edition, materialized through Dagster and delivered."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli import interrupts
from kpi_assets.cli.console import err, out, print_error
from kpi_assets.cli.owner import Caller, TellOwner
from kpi_assets.cli.reports import (
    ConfigFiles,
    EndDate,
    Force,
    Home,
    IntervalDays,
    MoreFiles,
    Outputs,
    Refresh,
    StartDate,
    ThemeDir,
    choose_outputs,
    choose_window,
    read_plan,
)

if TYPE_CHECKING:
    from kpi_assets.assets.run import Progress, RunResult
    from kpi_assets.contracts import Window
    from kpi_assets.plan import ReportPlan


def run(
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    interval_days: IntervalDays = None,
    output: Outputs = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make everything, deliver nothing, say what would be delivered.")
    ] = False,
    force: Force = False,
    refresh: Refresh = None,
    theme_dir: ThemeDir = None,
    home: Home = None,
    tell_owner: TellOwner = True,
) -> None:
    """Make one edition through Dagster and deliver it. Whoever has the edition already does not get it again.

    The edition is the last whole window before --end-date (default: today). Each query, view and output is reported as
    it is done; the last line on standard output is the path or URL of the published page.
    Ends with 0 when everything was made and delivered, 1 when something failed, 2 when the input is wrong.
    Views that a report with `on_view_error: placeholder` may do without are told, and do not count as failed.
    """
    from kpi_assets.session import home_from

    plan = read_plan(config_file, more, refresh=refresh, theme_dir=theme_dir)
    window = choose_window(plan, start_date, end_date, interval_days)
    outputs = choose_outputs(plan, output)
    run_editions(
        plan,
        [window],
        home=home or home_from(os.environ),
        outputs=outputs,
        dry_run=dry_run,
        force=force,
        tell_owner=tell_owner,
    )


def run_editions(
    plan: ReportPlan,
    windows: Sequence[Window],
    *,
    home: Path,
    outputs: Sequence[str] | None = None,
    dry_run: bool = False,
    force: bool = False,
    open_page: bool = False,
    tell_owner: bool = True,
    show: Callable[[Progress], None] | None = None,
) -> None:
    """Materialize editions with progress; prints the receipts and ends with 1 when something failed.

    `show` replaces the line that every query, view and delivery has.
    """
    from kpi_assets.assets.run import materialize_editions
    from kpi_assets.cli import progress
    from kpi_assets.style.dates import window_text

    started = time.perf_counter()
    if show is None:
        err.print(f"[bold]{plan.id}[/]  {window_text(windows[0])}  ({windows[0].zone})")
    wanted = tuple(plan.outputs_by_id) if outputs is None else tuple(outputs)
    told: set[int] = set()
    caller = Caller(plan, tells=tell_owner and not dry_run)

    def tell(event: Progress) -> None:
        told.add(id(event.error))
        (show or progress.show)(event)

    result = materialize_editions(
        plan,
        windows,
        home=home,
        outputs=() if dry_run else wanted,
        force=force,
        tags=caller.tags,
        on_event=tell,
        interrupted=interrupts.asked,
    )
    _print_untold(result, told)
    caller.tell(result, windows, home=home, whole=set(wanted) >= set(plan.outputs_by_id))
    seconds = time.perf_counter() - started
    failed = bool(result.errors)
    if dry_run and not failed:
        failed = not _say_what_would_be_delivered(plan, windows, wanted, home=home, force=force)
    page = _page(result, plan, windows[-1], home)
    if failed:
        err.print(f"[bold red]failed[/] after {seconds:.1f} s; run the same command again when it is mended")
    else:
        err.print(f"done in {seconds:.1f} s")
    if page:
        out.print(page, markup=False)
        if open_page:
            typer.launch(page)
    if failed:
        raise typer.Exit(1)


def _print_untold(result: RunResult, told: Container[int]) -> None:
    """Errors that belong to no query, view or output."""
    for error in result.errors:
        if id(error) not in told:
            print_error(error)


def _say_what_would_be_delivered(
    plan: ReportPlan, windows: Sequence[Window], outputs: Sequence[str], *, home: Path, force: bool
) -> bool:
    """Print it; False where a recipient could not get her edition."""
    from kpi_assets.cli.progress import describe_foreseen
    from kpi_assets.delivery import foresee_editions
    from kpi_assets.session import open_session

    whole = True
    with open_session(plan, home) as session:
        for foreseen in foresee_editions(session, windows, outputs, force=force):
            whole = whole and foreseen.error is None
            err.print(f"  [yellow]dry run[/] {describe_foreseen(foreseen)}")
    return whole


def _page(result: RunResult, plan: ReportPlan, window: Window, home: Path) -> str | None:
    """Where a person finds the last edition: the first published receipt, else the document that this run kept.

    Where recipients have editions of their own, there is not one page to point at.
    """
    if plan.is_divided:
        return None
    for delivered in reversed(result.delivered):
        if delivered.receipt and delivered.receipt.effect == "publish":
            return delivered.receipt.location
    if result.errors and not result.delivered:
        return None  # what lies there was made by an earlier run
    kept = home / "editions" / plan.id / plan.edition(window) / "document" / "index.html"
    return str(kept) if kept.exists() else None
