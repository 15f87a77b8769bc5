"""The command line application and its exit codes: 0 done, 1 the run failed, 2 wrong input, 130 interrupted."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import sys
import threading
import time
from typing import Annotated, NoReturn

import typer

from kpi_assets import __version__
from kpi_assets.cli import (
    backfill,
    deliveries,
    demo,
    dev,
    doctor,
    graph,
    init,
    interrupts,
    metrics,
    plugins,
    preview,
    run,
    schema,
    send_test,
    validate,
)
from kpi_assets.cli.console import LogLine, err, not_stopped, print_error
from kpi_assets.errors import KpiAssetsError

app = typer.Typer(
    name="kpi-assets",
    help="KPI reports as a Dagster asset graph: one YAML file in, one edition out.",
    epilog=(
        "First steps:  kpi-assets init my-reports  |  cd my-reports  |  "
        "kpi-assets preview -c reports/weekly.yaml --open  |  kpi-assets run -c reports/weekly.yaml"
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a trace with local values could show a secret
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

INTERRUPTED = 130
GRACE = 1.0
"""Seconds for what is being written when somebody presses Ctrl-C."""

GARBAGE = 500_000
"""New objects after which Python looks for garbage; a short run makes fewer."""

MAKE, CHECK, PROJECT = "Make editions", "Look before you run", "Projects"
app.command("run", rich_help_panel=MAKE)(run.run)
app.command("preview", rich_help_panel=MAKE)(preview.preview)
app.command("backfill", rich_help_panel=MAKE)(backfill.backfill)
app.command("send-test", rich_help_panel=MAKE)(send_test.send_test)
app.add_typer(deliveries.app, name="deliveries", rich_help_panel=MAKE)
app.command("metrics", rich_help_panel=CHECK)(metrics.metrics)
app.command("validate", rich_help_panel=CHECK)(validate.validate)
app.command("doctor", rich_help_panel=CHECK)(doctor.doctor)
app.command("graph", rich_help_panel=CHECK)(graph.graph)
app.command("schema", rich_help_panel=CHECK)(schema.schema)
app.add_typer(plugins.app, name="plugins", rich_help_panel=CHECK)
app.command("init", rich_help_panel=PROJECT)(init.init)
app.command("dev", rich_help_panel=PROJECT)(dev.dev)
app.command("demo", rich_help_panel=PROJECT)(demo.demo)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kpi-assets {__version__}")
        raise typer.Exit


@app.callback()
def root(
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show debug messages.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """KPI reports as a Dagster asset graph: one YAML file in, one edition out."""
    del version
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(LogLine("%(levelname)s %(message)s"))
    lines.addFilter(not_stopped)
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    logging.getLogger("kpi_assets").setLevel(logging.DEBUG if verbose else logging.WARNING)


def main() -> None:
    """Entry point: our own errors become a message and an exit code, never a stack trace."""
    # Imports make many objects that stay: to look for garbage among them is a sixth of a short run, and Python does so
    # several times more on its way out, unless it is told that what lives then is to be left alone.
    gc.set_threshold(GARBAGE)
    atexit.register(_leave_alone)
    interrupts.watch(_end_process)
    try:
        _run_command()
    except KeyboardInterrupt:
        # Who presses twice gets the same sentence, no stack trace.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end_process()


def _leave_alone() -> None:
    """No last look for garbage, but where DuckDB was used: its library counts what is left, and prints it as leaks."""
    if "_duckdb" not in sys.modules:
        gc.freeze()


def _run_command() -> None:
    """Run it. Raises KeyboardInterrupt however Ctrl-C came; a second one, while the first unwinds, too."""
    try:
        app()
    except KpiAssetsError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except SystemExit as done:
        if done.code == INTERRUPTED:  # typer makes this of Ctrl-C, without a word
            raise KeyboardInterrupt from None
        raise


def _end_process() -> NoReturn:
    """End at once, also while queries are running: servers are asked to stop, files being written get a moment."""
    err.print("[bold]interrupted[/]: what was finished is kept, nothing is half-written; run the same again")
    stopping = sys.modules.get("kpi_assets.datasources.stopping")
    if stopping:  # where it was never loaded nothing runs
        stopping.stop_all(GRACE)
    deadline = time.monotonic() + GRACE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
