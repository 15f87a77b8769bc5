"""What makes reports run by themselves, besides their schedules; and what tells their owners when they do not."""

import os
from collections.abc import Iterator, Sequence

import dagster as dg

from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.sensors.catch_up import catch_up_sensor
from kpi_assets.assets.sensors.lost_runs import lost_runs_sensor
from kpi_assets.assets.sensors.owner import owner_sensor
from kpi_assets.assets.sensors.upstream import upstream_sensor
from kpi_assets.assets.sensors.watch import watch_sensor
from kpi_assets.owner import DAGSTER_URL
from kpi_assets.plan import ReportPlan

__all__ = ["report_sensors"]


def report_sensors(
    plans: Sequence[ReportPlan], home: KpiAssetsResource, *, merged: bool = False
) -> Iterator[dg.SensorDefinition]:
    """The sensors of a code location: those of each report, one that tells all owners, one that ends lost runs.

    `merged`: of a part of one. The last two then go by the part's first report: those of two parts do not clash.
    """
    for plan in plans:
        made = (catch_up_sensor(plan), upstream_sensor(plan), watch_sensor(plan, home))
        yield from (sensor for sensor in made if sensor)
    part = plans[0].id if merged and plans else "kpi_assets"
    owners = owner_sensor(plans, home, os.environ.get(DAGSTER_URL, ""), name=f"{part}__owners")
    lost = lost_runs_sensor(home, name=f"{part}__lost_runs") if plans or not merged else None
    yield from (sensor for sensor in (owners, lost) if sensor)
