"""Grids of numbers: rows by columns, from rows in long or wide form, or from moments."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from kpi_assets.errors import ViewError
from kpi_assets.style.digits import to_decimal
from kpi_assets.views.columns import column, is_infinite, names, number_column
from kpi_assets.views.tables.kinds import Holding, hold

if TYPE_CHECKING:
    import pandas as pd

Aggregate = Literal["sum", "mean"] | None
Value = Decimal | None
Place = tuple[Hashable, Hashable]
WEEKDAYS = tuple(range(7))


@dataclass(frozen=True)
class Grid:
    """Keys of rows and columns and the value at each crossing, None where there is none.

    `sizes` belong to the rows (cohorts). `row_name`, `column_name` are what the keys are of.
    """

    rows: tuple[Any, ...]
    columns: tuple[Any, ...]
    values: tuple[tuple[Value, ...], ...]
    row_name: str = ""
    column_name: str = ""
    sizes: tuple[Value, ...] | None = None
    infinite: bool = False

    def last(self, count: int) -> Grid:
        """The last `count` rows."""
        sizes = None if self.sizes is None else self.sizes[-count:]
        return replace(self, rows=self.rows[-count:], values=self.values[-count:], sizes=sizes)

    def without_first_column(self) -> Grid:
        return replace(self, columns=self.columns[1:], values=tuple(row[1:] for row in self.values))

    def per_size(self) -> Grid:
        """Each value as percentage of its row's size."""
        sizes = self.sizes or (None,) * len(self.rows)
        rows = zip(self.values, sizes, strict=True)
        return replace(
            self, values=tuple(tuple(_percent(value, size) for value in row) for row, size in rows)
        )


@dataclass(frozen=True)
class Names:
    """The columns of a frame that a grid is made from; None = by position."""

    row: str | None = None
    column: str | None = None
    value: str | None = None
    size: str | None = None


@dataclass(frozen=True)
class Source:
    """A frame to be read into a grid, for the view `view`, times in `zone`."""

    view: str
    frame: pd.DataFrame
    zone: str

    @property
    def names(self) -> list[str]:
        return names(self.frame)

    def held(self, name: str) -> Holding:
        return hold(name, column(self.view, self.frame, name), self.zone)

    def numbers(self, name: str) -> list[Value]:
        return [to_decimal(value) for value in number_column(self.view, self.frame, name)]

    def infinite(self, wanted: Iterable[str]) -> bool:
        return any(is_infinite(v) for name in wanted for v in number_column(self.view, self.frame, name))

    def gathered(
        self, places: Iterable[Place], numbers: Iterable[Value], how: Aggregate
    ) -> dict[Place, Value]:
        """The value of each place; several at one place need a rule."""
        found: dict[Place, list[Decimal]] = {}
        for place, value in zip(places, numbers, strict=True):
            found.setdefault(place, []).extend([] if value is None else [value])
        doubled = next((place for place, values in found.items() if len(values) > 1), None)
        if doubled is not None and how is None:
            at = f"row '{doubled[0]}', column '{doubled[1]}'"
            fix = "add `aggregate: sum` or `aggregate: mean`, or group the query"
            raise ViewError(self.view, f"there are several values at {at}; {fix}")
        return {place: _together(values, how) for place, values in found.items()}


def long_grid(source: Source, wanted: Names, how: Aggregate) -> Grid:
    """From rows of (row, column, value): by default the first three columns, leaving out the size."""
    row, col, value = _three(source, wanted)
    rows, columns = source.held(row).values, source.held(col).values
    cells = source.gathered(zip(rows, columns, strict=True), source.numbers(value), how)
    row_keys, column_keys = list(dict.fromkeys(rows)), in_order(dict.fromkeys(columns))
    sizes: tuple[Value, ...] | None = None
    if wanted.size:
        # Backwards, so that a row's first size is the one that stays.
        by_row = dict(zip(reversed(rows), reversed(source.numbers(wanted.size)), strict=True))
        sizes = tuple(by_row.get(key) for key in row_keys)
    return Grid(
        rows=tuple(row_keys),
        columns=tuple(column_keys),
        values=tuple(tuple(cells.get((r, c)) for c in column_keys) for r in row_keys),
        row_name=row,
        column_name=col,
        sizes=sizes,
        infinite=source.infinite([value]),
    )


def wide_grid(source: Source, wanted: Names) -> Grid:
    """From one row per row: its name first, then (for cohorts) its size, then a column per column."""
    row = wanted.row or source.names[0]
    others = [name for name in source.names if name not in {row, wanted.size}]
    if not others:
        raise ViewError(
            source.view, f"a wide table needs a column per column; the query returns only '{row}'"
        )
    by_column = [source.numbers(name) for name in others]
    return Grid(
        rows=source.held(row).values,
        columns=tuple(others),
        values=tuple(zip(*by_column, strict=True)),
        row_name=row,
        sizes=tuple(source.numbers(wanted.size)) if wanted.size else None,
        infinite=source.infinite(others),
    )


def week_grid(source: Source, wanted: Names, how: Aggregate, hours: int) -> Grid:
    """Weekday by `hours` of the day, from a column of moments and one of values; else the rows are counted."""
    time = wanted.row or source.names[0]
    held = source.held(time)
    if held.kind not in {"datetime", "date", "empty"}:
        raise ViewError(source.view, f"column '{time}' holds {held.kind} values, not times")
    others = [name for name in source.names if name != time]
    value = wanted.value or next(iter(others), None)
    numbers: Sequence[Value] = [Decimal(1)] * len(held.values) if value is None else source.numbers(value)
    known = [(m, n) for m, n in zip(held.values, numbers, strict=True) if m is not None]
    places = [_slot(moment, hours) for moment, _ in known]
    cells = source.gathered(places, [number for _, number in known], how or "sum")
    # A slot without rows is a true zero where rows are counted, and nothing where values are added.
    empty = Decimal(0) if value is None else None
    starts = tuple(range(0, 24, hours))
    return Grid(
        rows=WEEKDAYS,
        columns=starts,
        values=tuple(tuple(cells.get((day, hour), empty) for hour in starts) for day in WEEKDAYS),
        row_name="day",
        infinite=value is not None and source.infinite([value]),
    )


def in_order(keys: Iterable[Any]) -> list[Any]:
    """Keys sorted where they are numbers or days throughout, else in the order they came."""
    found = list(keys)
    if all(to_decimal(key) is not None for key in found):
        return sorted(found, key=lambda key: to_decimal(key) or Decimal(0))
    moments = all(isinstance(key, datetime) for key in found)
    days = all(isinstance(key, date) and not isinstance(key, datetime) for key in found)
    return sorted(found) if moments or days else found


def _three(source: Source, wanted: Names) -> list[str]:
    chosen = [wanted.row, wanted.column, wanted.value]
    free = [name for name in source.names if name != wanted.size and name not in chosen]
    if len(free) < chosen.count(None):
        has = ", ".join(source.names)
        raise ViewError(
            source.view, f"a long table needs columns for row, column and value; the query returns {has}"
        )
    return [name or free.pop(0) for name in chosen]


def _slot(moment: date | datetime, hours: int) -> Place:
    hour = moment.hour if isinstance(moment, datetime) else 0
    return moment.weekday(), hour // hours * hours


def _together(values: list[Decimal], how: Aggregate) -> Value:
    if not values:
        return None
    return sum(values, Decimal(0)) / (len(values) if how == "mean" else 1)


def _percent(value: Value, size: Value) -> Value:
    return value / size * 100 if value is not None and size is not None and size > 0 else None
