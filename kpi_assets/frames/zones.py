"""Time zones as text and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpi_assets.errors import DataError


def zone_name(zone: tzinfo) -> str:
    """`Europe/Berlin` where the zone has a name, else its fixed offset: `+02:00`. Raises DataError for neither."""
    for attribute in ("key", "zone"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str):
            return name
    if str(zone) in ("tzutc()", "UTC"):
        return "UTC"
    offset = zone.utcoffset(None)
    if offset is not None:
        return _offset_name(offset)
    return _file_name(zone)


@cache
def zone_from_name(name: str) -> tzinfo:
    """The zone that `zone_name` named."""
    if name[0] in "+-":
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo or UTC
    return ZoneInfo(name)


def _offset_name(offset: timedelta) -> str:
    if not offset:
        return "UTC"
    return datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[19:]


def _file_name(zone: tzinfo) -> str:
    """dateutil's zones know only the file they were read from."""
    path = str(getattr(zone, "_filename", ""))
    parts = path.split("/")
    for start in range(len(parts)):
        name = "/".join(parts[start:])
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise DataError(
        f"timestamps in the zone {zone!r} cannot be stored: use an IANA zone such as Europe/Berlin"
    )
