"""`kpi-assets dev`: the Dagster UI on this project."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from kpi_assets.cli import interrupts
from kpi_assets.cli.console import err
from kpi_assets.cli.reports import Home


def dev(
    reports: Annotated[
        list[Path] | None, typer.Argument(help="Report files or folders; default: ./reports, else the demo.")
    ] = None,
    port: Annotated[int, typer.Option("-p", "--port", help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option("--host", help="Address of the UI.")] = "127.0.0.1",
    automation: Annotated[
        bool,
        typer.Option("--automation", help="Start with schedules and sensors switched on, as a server does."),
    ] = False,
    home: Home = None,
) -> None:
    """Open the Dagster UI on the reports of this project, with editions one click away.

    Schedules and sensors start switched off, so that a look at the graph mails nobody. Stops with Ctrl-C. Editions are
    served on the port after the UI's.
    """
    from kpi_assets.assets.instance import prepare_dagster_home
    from kpi_assets.cli.serve import serve_editions
    from kpi_assets.session import home_from

    state = (home or home_from(os.environ)).absolute()
    environ = {**os.environ, "KPI_ASSETS_HOME": str(state)}
    environ["DAGSTER_HOME"] = str(prepare_dagster_home(state, environ))
    environ.setdefault("KPI_ASSETS_AUTOMATION", "on" if automation else "off")
    if reports:
        environ["KPI_ASSETS_REPORTS"] = os.pathsep.join(str(path.absolute()) for path in reports)
    with serve_editions(state, host, port + 1) as url:
        environ.setdefault("KPI_ASSETS_PUBLIC_URL", url)
        environ.setdefault("KPI_ASSETS_DAGSTER_URL", f"http://{host}:{port}")
        err.print(f"UI [bold]http://{host}:{port}[/]   editions [bold]{url}[/]   Ctrl-C stops both")
        if environ["KPI_ASSETS_AUTOMATION"] == "off":
            err.print("schedules and sensors start switched off; --automation starts them as a server does")
        raise typer.Exit(_dagster_dev(host, port, environ))


def _dagster_dev(host: str, port: int, environ: dict[str, str]) -> int:
    command = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    arguments = [command, "dev", "-m", "kpi_assets.definitions", "-h", host, "-p", str(port)]
    # `dagster dev` advises its successor on every start; `dg dev` would need a project of its own layout.
    environ = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded", **environ}
    process = subprocess.Popen(arguments, env=environ, start_new_session=True)  # noqa: S603 - our own arguments  # nosec B603
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    interrupts.stop_watching()
    try:
        return process.wait()
    except KeyboardInterrupt:
        return _end(process)


def _end(process: subprocess.Popen[bytes]) -> int:
    """End Dagster's web server, daemon and code server together: politely first, since they ignore what is too soon."""
    for number, patience in ((signal.SIGINT, 15), (signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(patience)
            return 0
    return process.wait()
