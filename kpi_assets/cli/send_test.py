"""`kpi-assets send-test`: one edition to another address than the audience's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err, out
from kpi_assets.cli.reports import (
    ConfigFiles,
    EndDate,
    Home,
    IntervalDays,
    OneRecipient,
    Outputs,
    Refresh,
    StartDate,
    choose_outputs,
    choose_window,
    read_plan,
)
from kpi_assets.errors import InputError

if TYPE_CHECKING:
    from kpi_assets.contracts import Document
    from kpi_assets.plan import ReportPlan
    from kpi_assets.session import Session


def send_test(
    to: Annotated[list[str], typer.Option("--to", metavar="ADDRESS", help="Who gets the test; repeatable.")],
    config_file: ConfigFiles = None,
    output: Outputs = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    interval_days: IntervalDays = None,
    refresh: Refresh = None,
    home: Home = None,
    recipient: OneRecipient = None,
) -> None:
    """Make one edition as `preview` does and send it to ADDRESS alone; the audience gets nothing.

    Goes by every output that people see and that has such addresses, or by those named with --output. Nothing is
    recorded: the edition can still be delivered. Ends with 1 when an output failed, or none has such addresses.
    """
    from kpi_assets.cli.progress import show
    from kpi_assets.pipeline import preview_document
    from kpi_assets.readers import reader_named
    from kpi_assets.session import home_from, open_session

    plan = read_plan(config_file, refresh=refresh)
    window = choose_window(plan, start_date, end_date, interval_days)
    outputs = _outputs(plan, output)
    with (
        open_session(plan, home or home_from(os.environ)) as session,
        tempfile.TemporaryDirectory() as scratch,
    ):
        document, faults = preview_document(
            session, window, Path(scratch), show, everything=False, recipient=recipient
        )
        failures = len(faults)
        reader, _ = reader_named(session, window, recipient)
        ways = [_sent(reader, id, document, to, named=bool(output)) for id in outputs]
    if failures or False in ways or True not in ways:
        raise typer.Exit(1)


def _outputs(plan: ReportPlan, wanted: list[str] | None) -> tuple[str, ...]:
    if wanted:
        return choose_outputs(plan, wanted)
    notify = tuple(output.id for output in plan.outputs if output.effect == "notify")
    if not notify:
        raise InputError(f"report {plan.id} has no output that people see: add one, e.g. `plugin: smtp`")
    return notify


def _sent(session: Session, id: str, document: Document, to: list[str], *, named: bool) -> bool | None:
    """Whether it was sent; None where the output has no such addresses and nobody named it."""
    from rich.markup import escape

    from kpi_assets.errors import DeliveryError, KpiAssetsError, redact

    def failed(error: KpiAssetsError) -> bool:
        err.print(f"  [red]✗[/] output {id}  [red]{escape(redact(str(error), session.secrets))}[/]")
        return False

    try:
        output = session.output(id)
    except KpiAssetsError as error:
        return failed(error)
    try:
        parts = output.readdressed(to).split()
    except DeliveryError as error:
        if named:
            return failed(error)
        reason = escape(redact(error.reason, session.secrets))
        err.print(f"  [yellow]-[/] output {id}  [yellow]left out[/] [dim]{reason}[/]")
        return None
    try:
        for part in parts:
            receipt = part.deliver(document)
            told = receipt.trial or f"test to {', '.join(receipt.recipients)}"
            err.print(f"  [green]✓[/] output {id}  [dim]{escape(told)}[/]")
            out.print(receipt.location, markup=False)
    except KpiAssetsError as error:
        return failed(error)
    return True
