"""Time zones by IANA name: the machine's, and whether a name exists."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from zoneinfo import ZoneInfo, available_timezones

from kpi_assets.errors import suggest


def machine_zone(environ: Mapping[str, str]) -> str:
    """The machine's zone: `$TZ` when it names one, else the system's, else UTC."""
    named = environ.get("TZ", "").removeprefix(":")
    return named if named and is_zone(named) else _system_zone()


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def zone_fault(name: str) -> str:
    """Why the name is no zone, with the nearest one; empty when it is one."""
    if is_zone(name):
        return ""
    names = {zone for zone in available_timezones() if "/" in zone or zone == "UTC"}
    by_folded = {zone.casefold(): zone for zone in names}
    by_city = {zone.casefold().rsplit("/", 1)[-1]: zone for zone in names}
    wanted = name.strip().casefold().replace(" ", "_")
    exact = by_folded.get(wanted) or by_city.get(wanted.rsplit("/", 1)[-1])
    hint = f"did you mean '{exact}'?" if exact else suggest(name, names)
    if not hint.startswith("did you mean"):
        hint = "write an IANA name such as Europe/Berlin, America/New_York or UTC"
    return f"no time zone is called that: {hint}"


def _system_zone() -> str:
    import tzlocal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            name = tzlocal.get_localzone_name()
        except (KeyError, ValueError, OSError):
            return "UTC"
    return name if name and is_zone(name) else "UTC"
