"""What a table's column holds, looked at more closely than its dtype: SQLite and CSV bring days as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_assets.views.columns import Kind, kind_of

if TYPE_CHECKING:
    import pandas as pd

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
NAMING_NUMBERS = re.compile(r"(?:^|_)(?:id|year|zip|code)$", re.IGNORECASE)


@dataclass(frozen=True)
class Holding:
    """A column's values in order, missing ones as None, and what they are. Days and times are Python's own."""

    name: str
    kind: Kind
    values: tuple[Any, ...]

    @property
    def names_things(self) -> bool:
        """Numbers that are names: a year, an id."""
        return self.kind == "number" and bool(NAMING_NUMBERS.search(self.name))


def hold(name: str, series: pd.Series, zone: str) -> Holding:
    """What `series` holds; times in `zone`."""
    kind = kind_of(series)
    values = [None if gone else value for value, gone in zip(series, series.isna(), strict=True)]
    if kind == "text":
        values, kind = _days_in_text(values)
    if kind in {"date", "datetime"}:
        values = [_local(value, ZoneInfo(zone)) for value in values]
        kind = "date" if all(_is_day(value) for value in values) else "datetime"
    if kind == "date":
        values = [value.date() if isinstance(value, datetime) else value for value in values]
    return Holding(name, kind, tuple(values))


def _days_in_text(values: list[Any]) -> tuple[list[Any], Kind]:
    """Text that is days or times throughout, as such."""
    present = [value for value in values if value is not None]
    for pattern, read in ((ISO_DAY, date.fromisoformat), (ISO_TIME, datetime.fromisoformat)):
        if present and all(isinstance(value, str) and pattern.fullmatch(value) for value in present):
            try:
                return [None if value is None else read(value) for value in values], "datetime"
            except ValueError:  # 2024-02-31 is text
                break
    return values, "text"


def _local(value: Any, zone: ZoneInfo) -> date | datetime | None:
    moment = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    return moment.astimezone(zone) if isinstance(moment, datetime) and moment.tzinfo else moment


def _is_day(value: date | datetime | None) -> bool:
    if not isinstance(value, datetime):
        return True
    return (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
