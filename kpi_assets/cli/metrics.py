"""`kpi-assets metrics`: figures of all runs for Prometheus."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err
from kpi_assets.cli.reports import Home
from kpi_assets.errors import InputError, PluginError, RetriableError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

JOB = "kpi_assets"
PATIENCE = 30
"""Seconds for a Pushgateway."""


def metrics(
    reports: Annotated[
        list[Path] | None,
        typer.Argument(help="Report files or folders; default: $KPI_ASSETS_REPORTS, else ./reports."),
    ] = None,
    port: Annotated[int, typer.Option("-p", "--port", min=0, max=65535, help="Port to serve on.")] = 9464,
    host: Annotated[str, typer.Option("--host", help="Address to serve on.")] = "127.0.0.1",
    once: Annotated[bool, typer.Option("--once", help="Print the metrics and stop.")] = False,
    push: Annotated[
        str | None, typer.Option("--push", metavar="URL", help="Send them to this Pushgateway and stop.")
    ] = None,
    home: Home = None,
) -> None:
    """Serve figures of all runs to Prometheus: editions, deliveries, seconds, rows, lateness.

    They are read from the ledger, so one exporter speaks for all workers. The reports are needed to know which editions
    are due; figures of reports that are not named are served all the same. Stops with Ctrl-C.
    """
    if once and push:
        raise InputError("--once prints and --push sends: give one of them")
    registry = _registry(reports, home)
    if once:
        from prometheus_client import generate_latest

        typer.echo(generate_latest(registry).decode(), nl=False)
    elif push:
        _push(push, registry)
    else:
        _serve(host, port, registry)


def _registry(reports: Sequence[Path] | None, home: Path | None) -> CollectorRegistry:
    try:
        from prometheus_client import CollectorRegistry
    except ModuleNotFoundError as error:
        raise PluginError(
            "metrics need a package that is not installed: pip install 'kpi-assets[metrics]'"
        ) from error
    from kpi_assets.cli.exporter import Exporter
    from kpi_assets.session import home_from, utc_now

    registry = CollectorRegistry(auto_describe=False)
    folder = home or home_from(os.environ)
    registry.register(Exporter(folder, os.environ, _files(reports), utc_now, datetime.now(UTC)))
    return registry


def _files(reports: Sequence[Path] | None) -> list[Path]:
    """The report files; none where nobody named any: the demo is due to nobody. Raises InputError."""
    from kpi_assets.definitions import report_files, report_paths
    from kpi_assets.demo import REPORT

    for path in reports or ():
        if not path.exists():
            raise InputError(f"{path} does not exist: name report files, or folders of them")
    paths = reports or report_paths(os.environ)
    return [] if paths == [REPORT] else report_files(paths)


def _serve(host: str, port: int, registry: CollectorRegistry) -> None:
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise InputError(f"port {port} on {host} cannot be used for metrics: {error.strerror}") from error
    over = Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    err.print(f"metrics [bold]http://{host}:{server.server_port}/metrics[/]   Ctrl-C stops")
    try:
        over.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _push(url: str, registry: CollectorRegistry) -> None:
    from urllib.error import URLError

    from prometheus_client import push_to_gateway

    try:
        push_to_gateway(url, job=JOB, registry=registry, timeout=PATIENCE)
    except ValueError as error:
        raise InputError(f"--push '{url}' is not a URL; write it as http://gateway:9091") from error
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise RetriableError(f"the Pushgateway did not take the metrics: {reason}") from error
