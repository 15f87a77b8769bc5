"""`kpi-assets backfill`: many editions in one Dagster run."""

from __future__ import annotations

import os
from datetime import date
from typing import Annotated

import typer

from kpi_assets.cli.reports import (
    ConfigFiles,
    Force,
    Home,
    MoreFiles,
    Outputs,
    Refresh,
    choose_outputs,
    read_plan,
    today_in,
)
from kpi_assets.errors import InputError


def backfill(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First edition (its last day).")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last edition (its last day), included.")],
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    output: Outputs = None,
    notify: Annotated[
        bool, typer.Option("--notify", help="Also deliver to outputs that people see: mail, Slack.")
    ] = False,
    force: Force = False,
    refresh: Refresh = None,
    home: Home = None,
) -> None:
    """Make the editions of a range of days in one run.

    Queries that are cut by days are sent once for the whole range, in chunks. Outputs that publish are delivered;
    outputs that notify people are not, unless asked with --notify or named with --output. Nobody gets an edition that
    he has.
    """
    from kpi_assets.cli.run import run_editions
    from kpi_assets.session import home_from

    plan = read_plan(config_file, more, refresh=refresh)
    days = day_range(parse_day("--from", first), parse_day("--to", last))
    windows = [plan.window(day) for day in days]
    for window in (windows[0], windows[-1]):
        reason = plan.refusal(window, today_in(plan.zone))
        if reason:
            raise InputError(reason)
    publish = tuple(o.id for o in plan.outputs if o.effect == "publish")
    outputs = choose_outputs(plan, output) if output or notify else publish
    run_editions(plan, windows, home=home or home_from(os.environ), outputs=outputs, force=force)


def parse_day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} is '{text}'; write a day as 2024-11-24") from None


def day_range(first: date, last: date) -> list[date]:
    """Every day from first to last, both included. Raises InputError when they are reversed."""
    if last < first:
        raise InputError(f"--to {last} lies before --from {first}")
    return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
