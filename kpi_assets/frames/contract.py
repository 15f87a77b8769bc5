"""A frame held against the contract of its columns.

Messages tell columns, bounds, counts and row numbers, never values: those may be secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from kpi_assets.contracts import ColumnContract
from kpi_assets.errors import suggest
from kpi_assets.frames.kinds import TYPES, is_midnight, missing

Rule = Literal["present", "type", "nullable", "unique", "min", "max", "allowed"]

EXAMPLES = 5

Check: TypeAlias = Callable[["pd.Series[Any]"], "np.ndarray[Any, Any]"]
"""Tells which rows break a promise."""


@dataclass(frozen=True)
class Violation:
    """One broken promise. `rows` are the first offending row numbers, counted from 0; `count` is how many offend."""

    column: str
    rule: Rule
    reason: str
    count: int = 0
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        text = f"column '{self.column}' {self.reason}"
        if not self.count:
            return text
        more = ", ..." if self.count > len(self.rows) else ""
        plural = "row" if self.count == 1 else "rows"
        return f"{text}: {self.count} {plural} ({', '.join(map(str, self.rows))}{more})"


def violations(frame: pd.DataFrame, contracts: Sequence[ColumnContract]) -> tuple[Violation, ...]:
    """Every promise of the contracts that the frame breaks, in the contracts' order.

    A frame without any column at all (a backend may name none where there are no rows) breaks nothing.
    """
    if not frame.columns.size and not len(frame):
        return ()
    return tuple(found for contract in contracts for found in _of_column(frame, contract))


def _of_column(frame: pd.DataFrame, contract: ColumnContract) -> Iterator[Violation]:
    names = [str(name) for name in frame.columns]
    if names.count(contract.name) != 1:
        yield Violation(contract.name, "present", _absence(names, contract.name))
        return
    column = frame.iloc[:, names.index(contract.name)].reset_index(drop=True)
    for rule, check in _checks(contract).items():
        where = np.flatnonzero(check(column))
        if len(where):
            rows = tuple(int(row) for row in where[:EXAMPLES])
            yield Violation(contract.name, rule, REASONS[rule].format(**_words(contract)), len(where), rows)


def describe(contract: ColumnContract) -> dict[Rule, str]:
    """The promises that a contract makes of a column's values, as short phrases for people."""
    return {rule: PROMISES[rule].format(**_words(contract)) for rule in _checks(contract)}


REASONS: Mapping[Rule, str] = {
    "type": "is not of type {type}",
    "nullable": "has missing values",
    "unique": "has values that occur before",
    "min": "has values below {min}",
    "max": "has values above {max}",
    "allowed": "has values that are not allowed (allowed: {allowed})",
}

PROMISES: Mapping[Rule, str] = {
    "type": "of type {type}",
    "nullable": "no missing values",
    "unique": "no value twice",
    "min": "at least {min}",
    "max": "at most {max}",
    "allowed": "one of {allowed}",
}


def _words(contract: ColumnContract) -> dict[str, str]:
    allowed = [str(value) for value in contract.allowed or ()]
    listed = ", ".join(allowed[:10]) + (f", and {len(allowed) - 10} more" if len(allowed) > 10 else "")
    return {
        "type": str(contract.type),
        "min": _bound(contract.min),
        "max": _bound(contract.max),
        "allowed": listed,
    }


def _bound(bound: float | str | None) -> str:
    return f"{bound:g}" if isinstance(bound, float) and abs(bound) < 1e6 else str(bound)


def _checks(contract: ColumnContract) -> dict[Rule, Check]:
    """What is to be checked, in the order in which it is told."""
    checks: dict[Rule, Check | None] = {
        "type": _type_check(contract),
        "nullable": None if contract.nullable else missing,
        "unique": _repeated if contract.unique else None,
        "min": _bound_check(contract.min, -1),
        "max": _bound_check(contract.max, +1),
        "allowed": _allowed_check(contract),
    }
    return {rule: check for rule, check in checks.items() if check is not None}


def _absence(names: list[str], wanted: str) -> str:
    if wanted in names:
        return f"is there {names.count(wanted)} times; name the columns apart"
    return f"is not there; {suggest(wanted, names)}"


def _type_check(contract: ColumnContract) -> Check | None:
    if contract.type is None:
        return None
    fits = TYPES[contract.type]

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        return ~(fits(column) | missing(column))

    return check


def _repeated(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Values that stand in an earlier row; missing ones may repeat."""
    return (column.duplicated() & column.notna()).to_numpy(bool)


def _allowed_check(contract: ColumnContract) -> Check | None:
    if contract.allowed is None:
        return None
    allowed = list(contract.allowed)
    texts = {str(value) for value in allowed}

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        fits = [value in allowed or not texts.isdisjoint(_written(value)) for value in column.astype(object)]
        return ~(np.array(fits, dtype=bool) | missing(column))

    return check


def _written(value: object) -> tuple[str, ...]:
    """How YAML may have a day or a moment."""
    if not isinstance(value, date) or value is pd.NaT:
        return ()
    return (str(value), value.isoformat(), value.strftime("%Y-%m-%d") if is_midnight(value) else "")


def _bound_check(bound: float | str | None, side: int) -> Check | None:
    """Values beyond the bound, and values that cannot be compared with it."""
    if bound is None:
        return None

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        if not isinstance(bound, str) and pd.api.types.is_numeric_dtype(column.dtype):
            values = column.to_numpy(float, na_value=np.nan)
            return values < bound if side < 0 else values > bound
        pairs = zip(column, missing(column), strict=True)
        return np.array([not gone and _beyond(value, bound, side) for value, gone in pairs], dtype=bool)

    return check


def _beyond(value: Any, bound: float | str, side: int) -> bool:
    try:
        limit: Any = _limit_like(value, bound)
        return bool(value < limit) if side < 0 else bool(value > limit)
    except (TypeError, ValueError, ArithmeticError):
        return True


def _limit_like(value: Any, bound: float | str) -> Any:
    """The bound in the type of the value: a moment in its zone, a day, or as it is."""
    if isinstance(value, datetime):
        limit = pd.Timestamp(bound)
        return limit.tz_localize(value.tzinfo) if value.tzinfo and limit.tzinfo is None else limit
    if isinstance(value, date):
        return pd.Timestamp(bound).date()
    return float(bound) if isinstance(value, int | float | Decimal) else bound
