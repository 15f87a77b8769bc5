"""`kpi-assets preview`: the same document without Dagster; nothing is delivered."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err, out
from kpi_assets.cli.reports import (
    ConfigFiles,
    EndDate,
    Home,
    IntervalDays,
    MoreFiles,
    OneRecipient,
    Refresh,
    StartDate,
    ThemeDir,
    choose_window,
    read_plan,
)

if TYPE_CHECKING:
    from kpi_assets.contracts import Document, Window
    from kpi_assets.session import Session


def preview(
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    interval_days: IntervalDays = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Where to write the page.")] = Path("preview"),
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    refresh: Refresh = None,
    theme_dir: ThemeDir = None,
    home: Home = None,
    recipient: OneRecipient = None,
) -> None:
    """Make the page without Dagster, fast; nothing is delivered and no edition is kept.

    Fetched rows are kept in the frame store, so `--refresh missing` makes the second look instant.
    A view that cannot be made is shown as a placeholder, and the command ends with 1. What `when` would leave out or
    hold back is said, and shown all the same.
    """
    from rich.markup import escape

    from kpi_assets.cli.progress import show
    from kpi_assets.pipeline import preview_document
    from kpi_assets.session import home_from, open_session

    started = time.perf_counter()
    plan = read_plan(config_file, more, refresh=refresh, theme_dir=theme_dir)
    window = choose_window(plan, start_date, end_date, interval_days)
    with (
        open_session(plan, home or home_from(os.environ)) as session,
        tempfile.TemporaryDirectory() as scratch,
    ):
        document, faults = preview_document(session, window, Path(scratch), show, recipient=recipient)
        _say_whose(session, window, recipient)
    page = _write(document, out_dir)
    if document.unmet:
        err.print(f"  [yellow]nobody would be told[/] [dim]{escape(document.unmet)}[/]")
    err.print(f"made in {time.perf_counter() - started:.1f} s; nothing was delivered")
    out.print(str(page), markup=False)
    if open_page:
        typer.launch(page.as_uri())
    if faults:
        raise typer.Exit(1)


def _say_whose(session: Session, window: Window, recipient: str | None) -> None:
    """Of a report whose recipients have editions of their own: whose was made, and that there are others."""
    from rich.markup import escape

    from kpi_assets.readers import audience_of, reader_named

    if session.plan.is_divided:
        _, address = reader_named(session, window, recipient)
        count = len(audience_of(session, window).recipients)
        more = "" if recipient else ", the first; --recipient ADDRESS makes another's"
        err.print(f"  the edition of [bold]{escape(address)}[/], one of {count} recipients{more}")


def _write(document: Document, folder: Path) -> Path:
    from kpi_assets.errors import InputError

    try:
        for file in document.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    except OSError as error:
        raise InputError(f"--out {folder} cannot be written: {error.strerror}") from error
    return (folder / "index.html").absolute()
