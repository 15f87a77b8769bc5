"""`kpi-assets preview`: the same document without Dagster; nothing is delivered."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpi_assets.cli.console import err, out, step
from kpi_assets.cli.reports import (
    ConfigFiles,
    EndDate,
    Home,
    IntervalDays,
    MoreFiles,
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
) -> None:
    """Make the page without Dagster, fast; nothing is delivered and no edition is kept.

    Fetched rows are kept in the frame store, so `--refresh missing` makes the second look instant.
    A view that cannot be made is shown as a placeholder, and the command ends with 1.
    """
    from kpi_assets.session import home_from, open_session

    started = time.perf_counter()
    plan = read_plan(config_file, more, refresh=refresh, theme_dir=theme_dir)
    window = choose_window(plan, start_date, end_date, interval_days)
    with (
        open_session(plan, home or home_from(os.environ)) as session,
        tempfile.TemporaryDirectory() as scratch,
    ):
        document, failures = preview_document(session, window, Path(scratch))
    page = _write(document, out_dir)
    err.print(f"made in {time.perf_counter() - started:.1f} s; nothing was delivered")
    out.print(str(page), markup=False)
    if open_page:
        typer.launch(page.as_uri())
    if failures:
        raise typer.Exit(1)


def preview_document(session: Session, window: Window, scratch: Path) -> tuple[Document, int]:
    """The document and how many queries and views failed; editions go to `scratch`."""
    from kpi_assets import pipeline
    from kpi_assets.cli.progress import describe
    from kpi_assets.editions import EditionStore

    session.editions = EditionStore(scratch)
    failures = 0
    for event in (*pipeline.fetch_queries(session, [window]), *pipeline.render_views(session, [window])):
        failures += event.error is not None
        step(describe(event), good=event.error is None)
    blocks = [
        session.editions.load_block(session.plan.id, session.plan.edition(window), v.id)
        for v in session.plan.views
    ]
    return pipeline.compose_document(session, window, blocks), failures


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
