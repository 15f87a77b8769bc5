"""A run on another machine gives signs of life while it works; a sensor ends those that have fallen silent.

Dagster itself notices a killed Celery worker only when the run's longest allowed time is over. Once a run is marked as
failed, Dagster's `run_retries` start it again elsewhere. Deliveries are safe either way: the ledger keeps them single.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING

import dagster as dg

from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.logs import inherited, logger

if TYPE_CHECKING:
    from kpi_assets.ledger.heartbeats import Heartbeats

log = logger("kpi_assets")

VARIABLE = "KPI_ASSETS_HEARTBEAT"
"""Seconds after which a silent run counts as lost. Unset: no signs are given; on one machine Dagster sees its runs."""


def heartbeat_lease(environ: Mapping[str, str]) -> timedelta | None:
    """What the variable says; None where it is not set. Raises InputError for what is no time."""
    written = environ.get(VARIABLE, "")
    if not written:
        return None
    if not written.isdigit() or int(written) < 4:
        raise InputError(f"{VARIABLE} is '{written}'; write whole seconds, at least 4, as in 45")
    return timedelta(seconds=int(written))


def keep_alive(
    instance: dg.DagsterInstance, run_id: str, home: Path, environ: Mapping[str, str] = os.environ
) -> None:
    """From now until Dagster says that the run is over, it is heard of every quarter of the lease.

    Between its steps too: there Dagster writes down what they made, which takes a while after a long backfill. Does
    nothing where no lease is set, nor for a run of this process that is heard of already.
    """
    lease = heartbeat_lease(environ)
    if lease is None or run_id in _beating:
        return
    _beating.add(run_id)
    heart = _Heart(instance, run_id, home, environ, lease)
    heart.beat()
    Thread(target=inherited(heart.beat_to_the_end), name=f"heartbeat {run_id}", daemon=True).start()


_beating: set[str] = set()
"""The runs of this process; each has one thread, whichever of its steps comes first."""


@dataclass(frozen=True)
class _Heart:
    instance: dg.DagsterInstance
    run_id: str
    home: Path
    environ: Mapping[str, str]
    lease: timedelta

    @cached_property
    def book(self) -> Heartbeats:
        from kpi_assets.ledger.database import open_database
        from kpi_assets.ledger.heartbeats import Heartbeats

        return Heartbeats(open_database(self.home, self.environ))

    def beat_to_the_end(self) -> None:
        sleep(self.lease.total_seconds() / 4)
        while not self.over():
            self.beat()
            sleep(self.lease.total_seconds() / 4)
        _beating.discard(self.run_id)

    def over(self) -> bool:
        run = self.instance.get_run_by_id(self.run_id)
        return run is None or run.is_finished

    def beat(self) -> None:
        """One sign; a database that is away for a while is no reason to end the run."""
        try:
            self.book.beat(self.run_id, socket.gethostname(), until=datetime.now(UTC) + self.lease)
        except KpiAssetsError as error:
            log.warning("run %s gives no sign of life: %s", self.run_id, error)
