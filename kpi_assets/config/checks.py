"""What a report's settings must be beyond their types: zones, dates and cron lines that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from kpi_assets.config.dates import Day, read_day
from kpi_assets.config.repair import value_at
from kpi_assets.config.source_map import SourceMap
from kpi_assets.config.zones import is_zone, zone_fault
from kpi_assets.errors import Problem

ANY_DAY = date(2024, 1, 1)
"""Stands for today where only the form of a date is checked."""
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,?#-]+")
_DATES = ("start_date", "end_date")


def problems_in(data: Mapping[str, Any], source_map: SourceMap) -> Iterator[Problem]:
    """What is wrong; values that are references are left to the time when they are resolved."""
    for path in (("timezone",), ("schedule", "timezone")):
        name = value_at(data, path)
        fault = zone_fault(name) if isinstance(name, str) else ""
        if fault:
            yield source_map.problem(f"'{'.'.join(path)}': {fault}", path)
    yield from _date_problems(data, source_map)
    cron = value_at(data, ("schedule", "cron"))
    if isinstance(cron, str) and not _is_cron(cron):
        text = "'schedule.cron' must have five fields (minute hour day month weekday), e.g. '0 6 * * 1'"
        yield source_map.problem(text, ("schedule", "cron"))


def _date_problems(data: Mapping[str, Any], source_map: SourceMap) -> Iterator[Problem]:
    days: list[date] = []
    for name in _DATES:
        try:
            found = _day(data, name)
        except ValueError as error:
            yield source_map.problem(f"'{name}' {error}", (name,))
        else:
            days += [found.day] if found else []
    if len(days) == 2 and days[1] <= days[0]:
        text = f"'end_date' ({days[1]}, not included) must be later than 'start_date' ({days[0]})"
        yield source_map.problem(text, ("end_date",))


def warnings_in(data: Mapping[str, Any], source_map: SourceMap) -> Iterator[Problem]:
    """What is understood, but maybe not as it was meant. Call it when there are no problems."""
    for name in _DATES:
        day = _day(data, name)
        if day and day.time:
            text = f"'{name}': a window is made of whole days; {day.day} {day.time:%H:%M} is taken as {day.day} 00:00"
            yield source_map.problem(text, (name,))
        if day and day.other:
            text = f"'{name}' is read as {day.day}, month first, not as {day.other}: write it as YYYY-MM-DD"
            yield source_map.problem(text, (name,))
    if not data.get("views"):
        yield source_map.problem(
            "the report has no views: its page will be empty; add some under `views`", ()
        )


def _day(data: Mapping[str, Any], name: str) -> Day | None:
    value = data.get(name)
    zone = data.get("timezone")
    if not isinstance(value, date | str) or value == "":
        return None
    return read_day(value, zone=zone if isinstance(zone, str) and is_zone(zone) else "UTC", today=ANY_DAY)


def _is_cron(text: str) -> bool:
    fields = text.split()
    return len(fields) == 5 and all(_CRON_FIELD.fullmatch(field) for field in fields)
