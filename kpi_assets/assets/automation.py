"""Does what runs by itself start switched on? On a server yes; in a trial at a desk it must not mail the board."""

from __future__ import annotations

import os

import dagster as dg

from kpi_assets.errors import InputError

VARIABLE = "KPI_ASSETS_AUTOMATION"
"""`on` (default) or `off`: with `off` every schedule and sensor starts switched off; the UI switches them on."""


def is_on() -> bool:
    """What the variable says. Raises InputError for anything else than on and off."""
    written = os.environ.get(VARIABLE, "on") or "on"
    if written not in {"on", "off"}:
        raise InputError(f"{VARIABLE} is '{written}'; allowed: on, off")
    return written == "on"


def schedule_status(wanted: bool = True) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if wanted and is_on() else dg.DefaultScheduleStatus.STOPPED


def sensor_status(wanted: bool = True) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if wanted and is_on() else dg.DefaultSensorStatus.STOPPED
