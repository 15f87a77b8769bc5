"""`kpi-assets demo`: the packaged report on a seeded database, through Dagster."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from kpi_assets.cli.console import err
from kpi_assets.cli.reports import Home


def demo(
    home: Home = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    mail_to: Annotated[
        str | None, typer.Option("--mail-to", metavar="ADDRESS", help="Mail the report there too, each time.")
    ] = None,
    smtp: Annotated[
        str, typer.Option("--smtp", metavar="HOST[:PORT]", help="Mail server that needs no login.")
    ] = "localhost:25",
) -> None:
    """Seed the demo database, make the demo report's edition through Dagster, print the path of the page."""
    from kpi_assets.cli.reports import choose_window, read_plan
    from kpi_assets.cli.run import run_editions
    from kpi_assets.demo import MAIL, REPORT, mail_variables, prepare
    from kpi_assets.session import home_from

    state = (home or home_from(os.environ)).absolute()
    err.print(f"the company's database and pages are in {state / 'demo'}", markup=False)
    os.environ.update(prepare(state))
    if mail_to:
        os.environ.update(mail_variables(mail_to, smtp))
    plan = read_plan([REPORT, MAIL] if mail_to else [REPORT])
    window = choose_window(plan, None, None, None)
    run_editions(plan, [window], home=state, open_page=open_page, force=bool(mail_to), tell_owner=False)
