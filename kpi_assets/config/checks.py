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
_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("weekday", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_CRON_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9][0-9]*))?")
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
    if isinstance(cron, str) and (fault := _cron_fault(cron)):
        yield source_map.problem(f"'schedule.cron' {fault}", ("schedule", "cron"))


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


def _cron_fault(text: str) -> str:
    """What is wrong with a cron line; empty where nothing is."""
    fields = text.split()
    if len(fields) != 5:
        return "must have five fields (minute hour day month weekday), e.g. '0 6 * * 1'"
    for field, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        if not all(_is_cron_part(part.lower(), low, high, words) for part in field.split(",")):
            named = f" or {words[0]} to {words[-1]}" if words else ""
            return (
                f"has '{field}' as {name}: write *, {low} to {high}{named}, "
                "a range (1-5), a step (*/2) or a list (1,3)"
            )
    return ""


def _is_cron_part(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None:
        return False
    return all(low <= _cron_number(end, low, words) <= high for end in match.group(1, 2) if end is not None)


def _cron_number(text: str, low: int, words: tuple[str, ...]) -> int:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isascii() and text.isdigit() else -1
