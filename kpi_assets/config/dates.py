"""Days as people write them -> dates in the report's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from kpi_assets.config.zones import is_zone

ISO = "write it as YYYY-MM-DD"


@dataclass(frozen=True)
class Day:
    """A day that was asked for. `time` is the time of day that came with it and is not midnight, else None.

    `other` is the day that the text would mean with day and month swapped, where both readings exist.
    """

    day: date
    time: time | None = None
    other: date | None = None


def read_day(value: date | datetime | str, *, zone: str, today: date) -> Day:
    """The day in the zone. An explicit offset is converted; a text without a year means the year of `today`.

    Raises ValueError with a sentence for what is no date, or does not name day and month.
    """
    moment = _parse(value, today) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        return Day(moment)
    if moment.tzinfo is not None:
        moment = _in_zone(moment, zone)
    clock = moment.time().replace(tzinfo=None)
    other = _swapped(value, today) if isinstance(value, str) else None
    return Day(moment.date(), clock if clock != time() else None, other if other != moment.date() else None)


def _in_zone(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise ValueError(f"is outside the calendar in {zone}") from None


def _parse(text: str, today: date, *, dayfirst: bool = False) -> datetime:
    first, second = (_dateutil(text, date(today.year, month, month), dayfirst) for month in (1, 2))
    if (first.month, first.day) != (second.month, second.day):
        raise ValueError(f"names no whole date: {ISO}")
    return first


def _dateutil(text: str, default: date, dayfirst: bool) -> datetime:
    from dateutil import parser

    try:
        found = parser.parse(
            text, default=datetime.combine(default, time()), dayfirst=dayfirst, tzinfos=_zone_named
        )
    except _UnknownZoneError as error:
        raise ValueError(
            f"names the time zone '{error}', which is unknown: write an offset such as +01:00"
        ) from None
    except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError):
        raise ValueError(f"is not a date: {ISO}") from None
    return found


class _UnknownZoneError(Exception):
    """Carried through dateutil, which turns other errors into its own."""


def _zone_named(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if is_zone(name):
        return ZoneInfo(name)
    raise _UnknownZoneError(name)


def _swapped(text: str, today: date) -> date | None:
    """The reading with the day first, for texts like 01/02/2024."""
    if re.match(r"\s*[0-9]{4}", text):
        return None
    try:
        return _parse(text, today, dayfirst=True).date()
    except ValueError:
        return None
