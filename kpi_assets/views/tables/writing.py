"""How a column's values are written: one number of decimals per column, days in the locale's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kpi_assets.contracts import Value
from kpi_assets.errors import ViewError
from kpi_assets.style.dates import day_text
from kpi_assets.style.digits import length_of, plain_number, rounded, to_decimal
from kpi_assets.style.formats import check_format, parse_format
from kpi_assets.style.numbers import LARGEST, SMALLEST, NumberStyle, is_money
from kpi_assets.views.columns import is_infinite
from kpi_assets.views.tables.kinds import Holding

DATE_PATTERN = re.compile(r"%[-_#]?[A-Za-z]")


def check_cell_format(text: str) -> str:
    """`text` if it is a number's format or a pattern for days (`%d %b`)."""
    return text if is_date_pattern(text) else check_format(text)


def is_date_pattern(text: str) -> bool:
    return bool(DATE_PATTERN.search(text)) and not re.fullmatch(r"[-+$,.~\d]*%", text)


@dataclass(frozen=True)
class Writer:
    """Writes the cells of one column. `precision` None = each value as it suits."""

    numbers: NumberStyle
    kind: str
    unit: str = ""
    format: str = ""
    precision: int | None = None
    year: bool = False

    def text(self, value: Any) -> str:
        """The cell's text; `n/a` for missing and infinite values."""
        if value is None or is_infinite(value):
            return self.numbers.missing()
        match self.kind:
            case "number" | "duration":
                return self.numbers.number(value, self.precision, self.unit, self.format)
            case "boolean":
                return "yes" if value else "no"
            case "date" | "datetime":
                return self._day(value)
            case _:
                return as_text(value)

    def value(self, value: Any) -> Value | None:
        """What `text` is written from: lengths of time as such, also where they came as numbers; None for text."""
        if value is None or is_infinite(value):
            return None
        if self.kind in ("date", "datetime"):
            return value
        if self.kind == "boolean":
            return bool(value)
        if self.kind == "duration" or (self.kind == "number" and self.format == "duration"):
            return length_of(value, self.unit)
        return plain_number(value) if self.kind == "number" else None

    def _day(self, value: date | datetime) -> str:
        if self.format:
            return value.strftime(self.format)
        day = value.date() if isinstance(value, datetime) else value
        text = day_text(day, self.numbers.locale, year=self.year)
        return f"{text}, {value:%H:%M}" if isinstance(value, datetime) else text


def writer(view: str, held: Holding, numbers: NumberStyle, *, unit: str, format: str, year: int) -> Writer:
    """The writer of a column. `year` is the window's: days of other years are written with theirs."""
    _check_fits(view, held, format)
    if held.kind in {"number", "boolean"} and (unit or format):
        return Writer(numbers, "number", unit, format, _precision(held.values, unit, format))
    if held.kind == "number":
        if held.names_things:
            return Writer(numbers, "number", format="d")
        return Writer(numbers, "number", precision=_decimals(held.values))
    if held.kind == "duration":
        return Writer(numbers, "duration", unit, format or "duration")
    other_year = any(value.year != year for value in held.values if isinstance(value, date))
    return Writer(numbers, held.kind, format=format, year=other_year)


def as_text(value: object) -> str:
    """Any value as text on one or more lines."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def _check_fits(view: str, held: Holding, format: str) -> None:
    days = held.kind in {"date", "datetime"}
    numeric = held.kind in {"number", "boolean", "duration"}
    if not format or held.kind == "empty" or (days if is_date_pattern(format) else numeric):
        return
    kinds = "days, e.g. '%d %b'" if days else "numbers, e.g. ',.1f'"
    if days or numeric:
        raise ViewError(view, f"format '{format}' does not suit column '{held.name}'; use one for {kinds}")
    raise ViewError(view, f"column '{held.name}' holds {held.kind} values, which take no format")


def _precision(values: Sequence[Any], unit: str, format: str) -> int | None:
    """Decimals that all values of the column get, where the format leaves them open."""
    form = parse_format(format)
    if form.places is not None or form.kind not in {"auto", "money"}:
        return None
    if not (form.money or is_money(unit)):
        return None if unit == "%" else _decimals(values)
    amounts = [amount for amount in map(to_decimal, values) if amount is not None]
    exact = all(amount == amount.to_integral_value() for amount in amounts)
    return 0 if exact or any(abs(rounded(amount, 2)) >= 1000 for amount in amounts) else 2


def _decimals(values: Sequence[Any]) -> int | None:
    """The most decimals that any value wants: two from 1, three significant digits below, four at most."""
    amounts = [amount for amount in map(to_decimal, values) if amount is not None]
    if any(amount and not SMALLEST <= amount.adjusted() < LARGEST for amount in amounts):
        return None
    return max((_wanted(amount) for amount in amounts), default=0)


def _wanted(amount: Decimal) -> int:
    if not amount:
        return 0
    most = 2 if abs(amount) >= 1 else min(4, 2 - amount.adjusted())
    shortest = rounded(amount, most).normalize()
    return max(0, -int(shortest.as_tuple().exponent))
