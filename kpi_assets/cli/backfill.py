"""`kpi-assets backfill`: many editions, in few Dagster runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err
from kpi_assets.cli.owner import TellOwner
from kpi_assets.cli.reports import (
    ConfigFiles,
    Force,
    Home,
    MoreFiles,
    Outputs,
    Refresh,
    choose_outputs,
    read_plan,
)
from kpi_assets.errors import InputError

if TYPE_CHECKING:
    from kpi_assets.contracts import Window
    from kpi_assets.plan import ReportPlan

Again = Annotated[bool, typer.Option("--again", help="Make all editions anew, also those that are finished.")]


def backfill(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First edition (its last day).")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last edition (its last day), included.")],
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    output: Outputs = None,
    notify: Annotated[
        bool, typer.Option("--notify", help="Also deliver to outputs that people see: mail, Slack.")
    ] = False,
    again: Again = False,
    force: Force = False,
    refresh: Refresh = None,
    home: Home = None,
    tell_owner: TellOwner = True,
) -> None:
    """Make the editions of a range of days, those that are finished left out.

    Stopped by Ctrl-C or a crash, the same command makes the rest. Two months are one Dagster run, and queries that are
    cut by days are sent once for it. Outputs that publish are delivered; outputs that notify people are not, unless
    asked with --notify or named with --output. Nobody gets an edition that he has. For data that came late: --refresh.
    """
    from kpi_assets.python_api import today_in
    from kpi_assets.session import home_from

    plan = read_plan(config_file, more, refresh=refresh)
    windows = editions_between(plan, parse_day("--from", first), parse_day("--to", last))
    for window in (windows[0], windows[-1]):
        reason = plan.refusal(window, today_in(plan.zone))
        if reason:
            raise InputError(reason)
    publish = tuple(o.id for o in plan.outputs if o.effect == "publish")
    outputs = choose_outputs(plan, output) if output or notify else publish
    where = home or home_from(os.environ)
    anew = again or force or refresh not in (None, "missing")
    todo = windows if anew else unfinished(plan, windows, outputs, home=where)
    _print_head(plan, windows, len(todo))
    if todo:
        _make(plan, todo, outputs, home=where, force=force, tell_owner=tell_owner)


def unfinished(
    plan: ReportPlan, windows: Sequence[Window], outputs: Sequence[str], *, home: Path
) -> tuple[Window, ...]:
    """The windows whose edition is not made and published yet as the report stands now."""
    from kpi_assets.finished import finished_editions
    from kpi_assets.session import open_session

    with open_session(plan, home) as session:
        finished = finished_editions(session, windows, outputs)
    return tuple(window for window in windows if window not in finished)


def _print_head(plan: ReportPlan, windows: Sequence[Window], todo: int) -> None:
    first, last, count = windows[0], windows[-1], len(windows)
    what = "edition" if count == 1 else "editions"
    err.print(f"[bold]{plan.id}[/]  {count} {what}, {first.key} to {last.key}  ({first.zone})")
    if todo < count:
        rest = f"{todo} to make" if todo else "nothing to make"
        err.print(f"  {count - todo} finished already, {rest}; --again makes all anew")


def _make(
    plan: ReportPlan,
    windows: Sequence[Window],
    outputs: Sequence[str],
    *,
    home: Path,
    force: bool,
    tell_owner: bool,
) -> None:
    from kpi_assets.cli.bar import Tally, editions_shown
    from kpi_assets.cli.run import run_editions

    tally = Tally.of(plan, windows, outputs)
    with editions_shown(tally) as show:
        run_editions(plan, windows, home=home, outputs=outputs, force=force, tell_owner=tell_owner, show=show)


def parse_day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} is '{text}'; write a day as 2024-11-24") from None


def editions_between(plan: ReportPlan, first: date, last: date) -> tuple[Window, ...]:
    """The windows that end on a day from first to last, both included. Raises InputError where there is none."""
    if last < first:
        raise InputError(f"--to {last} lies before --from {first}")
    windows = plan.windows(first, last)
    if not windows:
        newest = plan.rule.newest(last + timedelta(days=1), plan.zone)
        raise InputError(
            f"no edition of {plan.id} ends from {first} to {last}: its window is '{plan.rule.name}', and the newest "
            f"before ends on {newest.last_day}"
        )
    return windows
