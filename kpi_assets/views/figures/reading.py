"""The one number that a frame says, or why it says none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_assets.errors import ViewError
from kpi_assets.style.digits import to_decimal
from kpi_assets.views.columns import is_infinite, kind_of, names, number_column, total

if TYPE_CHECKING:
    import pandas as pd

NO_ROWS = "No rows in this window."
ALL_MISSING = "All values of this window are missing."
INFINITE = "The values of this window are infinite."


@dataclass(frozen=True)
class Reading:
    """A number (None where there is none, and then the reason, as a sentence). Durations are in seconds."""

    value: object = None
    reason: str = ""
    duration: bool = False

    @property
    def number(self) -> float | None:
        amount = to_decimal(self.value)
        number = math.nan if amount is None else float(amount)
        return number if math.isfinite(number) else None


def read(
    view: str, frame: pd.DataFrame, column: str | None = None, *, empty_is_zero: bool = False
) -> Reading:
    """The sum of `column`, by default of the second one, or of the only one.

    As in KPI Reporter the first of several columns tells what a row is of, not how much. Rows without a value do not
    count. A frame without rows, or with missing values alone, says nothing (SQL's sum over no rows is NULL as well):
    that is not zero, unless `empty_is_zero` says that no rows mean none.
    """
    nothing = 0 if empty_is_zero else None
    if frame.empty and not len(frame.columns):
        return Reading(nothing, "" if empty_is_zero else NO_ROWS)
    series = number_column(view, frame, column or value_column(view, frame))
    if series.empty:
        return Reading(nothing, "" if empty_is_zero else NO_ROWS)
    value = total(series)
    if value is None:
        return Reading(nothing, "" if empty_is_zero else ALL_MISSING)
    if is_infinite(value) or to_decimal(value) is None:
        return Reading(None, INFINITE)
    return Reading(value, duration=kind_of(series) == "duration")


def value_column(view: str, frame: pd.DataFrame) -> str:
    """The column that is added up where none is named."""
    columns = names(frame)
    if not columns:
        raise ViewError(view, "the query returns no columns")
    return columns[1] if len(columns) > 1 else columns[0]
