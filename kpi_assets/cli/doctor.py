"""`kpi-assets doctor`: can every datasource be asked and every output deliver? Nothing is sent."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from kpi_assets.cli.console import out
from kpi_assets.cli.reports import ConfigFiles, Home, MoreFiles, read_plan

if TYPE_CHECKING:
    from kpi_assets.session import Session

log = logging.getLogger("kpi_assets")

Check = Callable[[], object]


def doctor(config_file: ConfigFiles = None, more: MoreFiles = None, home: Home = None) -> None:
    """Log in to every datasource and output of a report, and open the ledger, without sending anything.

    One line each, with what is wrong. Ends with 1 when something is.
    """
    from rich.markup import escape

    from kpi_assets.session import home_from, open_session

    plan = read_plan(config_file, more)
    wrong = 0
    with open_session(plan, home or home_from(os.environ)) as session:
        for name, check in _checks(session):
            reason = diagnose(session, check)
            wrong += reason is not None
            out.print(f"  [green]✓[/] {name}" if reason is None else f"  [red]✗[/] {name}  {escape(reason)}")
    if wrong:
        raise typer.Exit(1)


def diagnose(session: Session, check: Check) -> str | None:
    """What is wrong, in one line and without secrets; None when nothing is."""
    from kpi_assets.errors import KpiAssetsError, redact, redacted_traceback

    try:
        check()
    except KpiAssetsError as error:
        text = str(error)
    except Exception as error:  # noqa: BLE001 - told in the debug log, without secrets
        log.debug("a check failed\n%s", redacted_traceback(session.secrets))
        text = f"{type(error).__name__}: {error}"
    else:
        return None
    return redact(" ".join(text.split()), session.secrets)


def _checks(session: Session) -> Iterator[tuple[str, Check]]:
    plan = session.plan
    for source in plan.datasources.values():
        yield f"datasource {source.id} ({source.plugin})", lambda id=source.id: session.datasource(id).check()
    for output in plan.outputs:
        yield f"output {output.id} ({output.plugin})", lambda id=output.id: session.output(id).check()
    yield "ledger", lambda: session.ledger.entries()  # noqa: PLW0108 - opened when checked, not now
