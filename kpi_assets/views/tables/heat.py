"""A heat table made from a grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Cell, Column, RenderContext, Table
from kpi_assets.style.dates import day_text, days_text, weekday_name
from kpi_assets.style.digits import plain_number, to_decimal
from kpi_assets.views.charts.text import text_width
from kpi_assets.views.columns import is_infinite
from kpi_assets.views.composing import days_of, header_of, measure_of
from kpi_assets.views.tables.grid import Grid, Value
from kpi_assets.views.tables.scales import heat_steps

if TYPE_CHECKING:
    from kpi_assets.views.heat_table import HeatTableArgs

TYPE, GAP, SIZE, MOST_NAME = 13, 10, 52, 160
"""CSS pixels: the type of row names, the room after them, the size column, and where a name is cut."""
MONDAY = date(2024, 1, 1)
FEWEST = 4
"""With fewer cells the table itself is the sentence."""


@dataclass(frozen=True)
class HeatMaker:
    """Makes the table, and the sentence above it."""

    args: HeatTableArgs
    whole: Grid
    context: RenderContext

    @cached_property
    def grid(self) -> Grid:
        """The last rows, as many as are shown."""
        return self.whole.last(self.args.max_rows)

    def table(self) -> Table:
        steps = iter(heat_steps([value for row in self.grid.values for value in row]))
        rows: list[tuple[Cell, ...]] = []
        for i, values in enumerate(self.grid.values):
            cells = [self._cell(value, next(steps)) for value in values]
            size = [] if self.grid.sizes is None else [self._size_cell(self.grid.sizes[i])]
            rows.append((Cell(text=self.row_labels[i]), *size, *cells))
        return Table(
            style="heat",
            caption=f"{measure_of(self.context)}, {days_of(self.context, self.args.days)}",
            columns=self._columns(),
            rows=tuple(rows),
            rule_before=tuple(i for i in self._rules if i > 0),
        )

    def note(self) -> str:
        shown, all_rows = len(self.grid.rows), len(self.whole.rows)
        sentences = [f"Showing the last {shown} of {all_rows} rows."] if shown < all_rows else []
        sentences += ["Blank where a value is infinite or missing."] if self.grid.infinite else []
        return " ".join([*sentences, *([self.args.note] if self.args.note else [])])

    def unit_words(self) -> str:
        """The unit for the grey line; the cells do without."""
        return {"%": "percent"}.get(self._unit, self._unit)

    def days(self) -> str:
        """The days that the cells are of: cohorts reach back to the first one."""
        first, last = self.grid.rows[0], self.context.window.last_day
        if self.args.kind == "cohorts" and isinstance(first, date) and self.args.days is None:
            start = first.date() if isinstance(first, datetime) else first
            if start < last:
                return days_text(start, last, self.context.numbers.locale)
        return days_of(self.context, self.args.days)

    def finding(self) -> str:
        if self.args.kind == "cohorts":
            return self._cohort_finding()
        return self._highest()

    @cached_property
    def row_labels(self) -> tuple[str, ...]:
        return tuple(self._label(key, weekday=self.args.kind == "weekday_hours") for key in self.grid.rows)

    @cached_property
    def column_labels(self) -> tuple[str, ...]:
        if self.args.kind == "weekday_hours":
            return tuple(f"{hour:02d}" for hour in self.grid.columns)
        return tuple(self._label(key) for key in self.grid.columns)

    @cached_property
    def _rules(self) -> tuple[int, ...]:
        wanted = set(self.args.rule_before)
        keys = zip(self.grid.rows, self.row_labels, strict=True)
        return tuple(i for i, (key, label) in enumerate(keys) if label in wanted or str(key) in wanted)

    @property
    def _unit(self) -> str:
        return "%" if self.args.percent_of_size else self.args.unit

    def _label(self, key: Any, *, weekday: bool = False) -> str:
        if str(key) in self.args.labels:
            return self.args.labels[str(key)]
        if key is None or is_infinite(key):
            return "n/a"
        if weekday:
            return weekday_name(MONDAY + timedelta(days=int(key)), self.context.numbers.locale)
        if isinstance(key, date | datetime):
            return self._day(key)
        amount = None if isinstance(key, str) else to_decimal(key)
        return self.context.numbers.number(amount, format="~f") if amount is not None else str(key)

    def _day(self, key: date | datetime) -> str:
        other_year = any(
            isinstance(k, date) and k.year != self.context.window.last_day.year for k in self.grid.rows
        )
        day = key.date() if isinstance(key, datetime) else key
        text = day_text(day, self.context.numbers.locale, year=other_year)
        return f"{text}, {key:%H:%M}" if isinstance(key, datetime) else text

    def _columns(self) -> tuple[Column, ...]:
        first = self.args.labels.get(self.grid.row_name, header_of(self.grid.row_name))
        size_name = self.args.labels.get(self.args.size or "size", "Size")
        size = [] if self.grid.sizes is None else [Column(label=size_name, align="right", width=SIZE)]
        cells = [Column(label=label, align="center") for label in self.column_labels]
        # Columns of a heat table are equally wide; names need their own room.
        longest = max((text_width(label, TYPE) for label in self.row_labels), default=0.0)
        return (Column(label=first, header=True, width=min(MOST_NAME, round(longest) + GAP)), *size, *cells)

    def _cell(self, value: Value, step: int | None) -> Cell:
        if value is None:
            return Cell(text="", missing=True)
        return Cell(text=self._text(value), value=plain_number(value), heat=step)

    def _size_cell(self, size: Value) -> Cell:
        return Cell(text=self.context.numbers.number(size), value=plain_number(size), missing=size is None)

    def _text(self, value: Value, *, unit: bool = False) -> str:
        """A cell's number: without unit, and without decimals where it has two digits before them."""
        precision = self.args.precision
        if precision is None and not self.args.format:
            precision = self._decimals
        shown = self._unit if unit else ""
        return self.context.numbers.number(value, precision, shown, self.args.format)

    @cached_property
    def _decimals(self) -> int:
        known = [value for row in self.grid.values for value in row if value is not None]
        whole = all(value == value.to_integral_value() for value in known)
        return 0 if whole or max(map(abs, known)) >= 10 else 1 if max(map(abs, known)) >= 1 else 2

    def _highest(self) -> str:
        """`Highest: Tue 14:00 with 213`, where one cell stands alone."""
        cells = [
            (value, r, c)
            for r, row in enumerate(self.grid.values)
            for c, value in enumerate(row)
            if value is not None
        ]
        if len(cells) < FEWEST:
            return ""
        top = max(value for value, _, _ in cells)
        at = [(r, c) for value, r, c in cells if value == top]
        if len(at) > 1 or top == min(value for value, _, _ in cells):
            return ""
        (row, col), text = at[0], self._text(top, unit=True)
        if self.args.kind == "weekday_hours":
            return f"Busiest: {self.row_labels[row]} {self._hours(int(self.grid.columns[col]))} with {text}"
        return f"Highest: {self.row_labels[row]}, {self.column_labels[col]} with {text}"

    def _hours(self, start: int) -> str:
        end = start + self.args.hours
        return f"{start:02d}:00" if self.args.hours == 1 else f"{start:02d}:00–{end:02d}:00"

    def _cohort_finding(self) -> str:
        """The first column after and before the dividing line, else of the newest and the oldest row."""
        known = [(i, row[0]) for i, row in enumerate(self.grid.values) if row[0] is not None]
        if len(known) < 2:
            return ""
        name = f"{self._column_word} {self.column_labels[0]}".strip()
        cut = self._rules[0] if self._rules else 0
        after, before = self._mean(cut, len(self.grid.rows)), self._mean(0, cut)
        if cut and after is not None and before is not None:
            since = self.row_labels[cut]
            return f"{name}: {self._text(after, unit=True)} since {since}, {self._text(before, unit=True)} before"
        (old, first), (new, last) = known[0], known[-1]
        texts = self._text(last, unit=True), self._text(first, unit=True)
        return f"{name}: {texts[0]} of {self.row_labels[new]}, {texts[1]} of {self.row_labels[old]}"

    @property
    def _column_word(self) -> str:
        if self.args.column_title:
            return self.args.column_title
        name = self.args.column or self.grid.column_name
        return self.args.labels.get(name, header_of(name)) if name else "Column"

    def _mean(self, start: int, stop: int) -> Value:
        """The first column's mean over rows, weighted by size where sizes are known."""
        sizes = self.grid.sizes or (Decimal(1),) * len(self.grid.rows)
        pairs = [
            (self.grid.values[i][0], sizes[i] if sizes[i] is not None else Decimal(0))
            for i in range(start, stop)
        ]
        known = [(value, size) for value, size in pairs if value is not None and size]
        weight = sum((size for _, size in known), Decimal(0))
        return sum((value * size for value, size in known), Decimal(0)) / weight if weight > 0 else None
