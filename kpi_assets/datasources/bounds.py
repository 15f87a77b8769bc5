"""Instants -> the values that are bound for `{from}` and `{to}`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

TimestampFormat = Literal["native", "text", "iso", "epoch", "epoch_ms"]
"""How the backend's columns hold time: the `timestamp_format` argument; `native` are real timestamp columns."""


def bound_value(instant: datetime, zone: str, form: TimestampFormat) -> datetime | str | int:
    """The instant as the columns hold it.

    Text is cut to the shortest form that says the same (`2024-11-18`, `2024-11-17 23:00`): a prefix sorts before
    everything that starts with it, so the bound compares right with days, minutes, seconds and fractions alike.
    """
    if form == "epoch":
        return int(instant.timestamp())
    if form == "epoch_ms":
        return int(instant.timestamp() * 1000)
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if form == "native":
        return local.replace(fold=0)
    return _shortest(local, "T" if form == "iso" else " ")


def is_ambiguous(instant: datetime, zone: str) -> bool:
    """Whether the zone's clocks show the instant's wall time twice, so that only an offset tells which one is meant."""
    local = instant.astimezone(ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a day, zone-aware."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def _shortest(local: datetime, between: str) -> str:
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return local.date().isoformat()
    return local.isoformat(between, "seconds" if local.second else "minutes")
