"""Ends runs whose worker was killed, so that Dagster's `run_retries` start them again. See `heartbeat`."""

import os
from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from kpi_assets.assets.heartbeat import heartbeat_lease
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.sensors.base import Clock, utc_now

NAME = "kpi_assets__lost_runs"
SECONDS = 15


def lost_runs_sensor(
    home: KpiAssetsResource, clock: Clock = utc_now, *, name: str = NAME
) -> dg.SensorDefinition | None:
    """The sensor of a code location; None where runs give no signs of life."""
    if heartbeat_lease(os.environ) is None:
        return None

    @dg.sensor(
        name=name,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose worker is silent; the instance's run_retries start them again.",
        asset_selection=dg.AssetSelection.all(),
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_lost_runs(context.instance, home, clock())
        return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "every run is heard of")

    return sense


def end_lost_runs(instance: dg.DagsterInstance, home: KpiAssetsResource, now: datetime) -> Sequence[str]:
    """Mark as failed what has fallen silent; the ids of those runs."""
    from kpi_assets.ledger.database import open_database
    from kpi_assets.ledger.heartbeats import Heartbeats

    running = {
        run.run_id: run for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    }
    if not running:
        return ()
    silent = Heartbeats(open_database(home.folder, os.environ)).silent(running, now=now)
    for run_id, host in silent.items():
        words = (
            f"The worker on {host} was lost: it has given no sign of life for {heartbeat_lease(os.environ)}."
        )
        instance.report_run_failed(running[run_id], message=words)
    return tuple(silent)
