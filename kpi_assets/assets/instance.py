"""The Dagster instance of a project: `DAGSTER_HOME`, or a folder of our own beside the frames."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg

from kpi_assets.editions.swap import locked
from kpi_assets.errors import InputError

SETTINGS = "dagster.yaml"

PLANNED_IN_ONE = "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS"
"""One planned event per asset and run, not per edition: a third less work in backfills."""


def prepare_dagster_home(home: Path, environ: Mapping[str, str]) -> Path:
    """The folder of the instance, made and furnished if it is our own. Raises InputError where it cannot be."""
    chosen = environ.get("DAGSTER_HOME")
    folder = Path(chosen).expanduser().absolute() if chosen else home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / SETTINGS
        if not chosen and not settings.exists():
            settings.write_bytes(files("kpi_assets").joinpath(SETTINGS).read_bytes())
    except OSError as error:
        variable = "DAGSTER_HOME" if chosen else "KPI_ASSETS_HOME"
        raise InputError(
            f"cannot make {folder} for Dagster's records: {error.strerror}; set {variable} to another folder"
        ) from error
    return folder


@contextmanager
def open_instance(home: Path, environ: Mapping[str, str]) -> Generator[dg.DagsterInstance]:
    """The instance, closed at the end."""
    from kpi_assets.assets.migrations import read_once
    from kpi_assets.assets.records import write_in_batches

    os.environ.setdefault(PLANNED_IN_ONE, "1")
    folder = str(prepare_dagster_home(home, environ))
    with read_once(), _opened(folder) as instance:
        write_in_batches(instance)
        yield instance


def _opened(folder: str) -> dg.DagsterInstance:
    """Two first runs at once would both make Dagster's tables, and one of them would fail: one after the other."""
    with locked(Path(folder)):
        return dg.DagsterInstance.from_config(folder)
