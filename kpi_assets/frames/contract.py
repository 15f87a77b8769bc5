"""A frame held against the contract of its columns.

Messages tell columns, bounds, counts and row numbers, never values: those may be secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from kpi_assets.contracts import ColumnContract
from kpi_assets.errors import suggest

Rule = Literal["present", "type", "nullable", "unique", "min", "max", "allowed"]

EXAMPLES = 5


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
    checks: dict[Rule, tuple[str, Check | None]] = {
        "type": (f"is not of type {contract.type}", _type_check(contract)),
        "nullable": ("has missing values", _missing_check(contract)),
        "unique": ("has values that occur before", _unique_check(contract)),
        "min": (f"has values below {contract.min}", _bound_check(contract.min, -1)),
        "max": (f"has values above {contract.max}", _bound_check(contract.max, +1)),
        "allowed": ("has values that are not allowed", _allowed_check(contract)),
    }
    for rule, (reason, check) in checks.items():
        broken = check(column) if check else None
        if broken is not None and broken.any():
            where = np.flatnonzero(broken)
            yield Violation(
                contract.name,
                rule,
                reason,
                len(where),
                tuple(int(row) for row in where[:EXAMPLES]),
            )


def _absence(names: list[str], wanted: str) -> str:
    if wanted in names:
        return f"is there {names.count(wanted)} times; name the columns apart"
    return f"is not there; {suggest(wanted, names)}"


Check = Callable[["pd.Series[Any]"], "np.ndarray[Any, Any]"]
"""Which rows break a promise."""


def _type_check(contract: ColumnContract) -> Check | None:
    if contract.type is None:
        return None
    fits = TYPES[contract.type]

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        return ~(fits(column) | _missing(column))

    return check


def _missing_check(contract: ColumnContract) -> Check | None:
    return None if contract.nullable else _missing


def _unique_check(contract: ColumnContract) -> Check | None:
    if not contract.unique:
        return None
    return lambda column: (column.duplicated() & column.notna()).to_numpy(bool)


def _allowed_check(contract: ColumnContract) -> Check | None:
    if contract.allowed is None:
        return None
    allowed = contract.allowed

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        texts = {str(value) for value in allowed} if _days(column).any() else set[str]()
        fits = [value in allowed or bool(texts & _ways_to_write(value)) for value in column.astype(object)]
        return ~(np.array(fits, dtype=bool) | _missing(column))

    return check


def _ways_to_write(value: Any) -> set[str]:
    """A day or moment as YAML may have it."""
    if not isinstance(value, date):
        return set()
    return (
        {str(value), value.isoformat(), f"{value:%Y-%m-%d}"}
        if _is_midnight(value)
        else {str(value), value.isoformat()}
    )


def _bound_check(bound: float | str | None, side: int) -> Check | None:
    if bound is None:
        return None

    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        """Values that cannot be compared with the bound break it too."""
        missing = _missing(column)
        broken = [
            False if gone else _beyond(value, bound, side)
            for value, gone in zip(column, missing, strict=True)
        ]
        return np.array(broken, dtype=bool)

    return _fast_bound_check(bound, side, check)


def _fast_bound_check(bound: float | str, side: int, slow: Check) -> Check:
    def check(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
        if isinstance(bound, str) or not pd.api.types.is_numeric_dtype(column.dtype):
            return slow(column)
        values = column.to_numpy(float, na_value=np.nan)
        return values < bound if side < 0 else values > bound

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


# ---------------------------------------------------------------- types, row by row


def _missing(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return column.isna().to_numpy(bool)


def _all_or(column: pd.Series[Any], whole: bool, one: Callable[[Any], bool]) -> np.ndarray[Any, Any]:
    """True for every row where the column's own type says so, else value by value in object columns."""
    if whole:
        return np.ones(len(column), dtype=bool)
    if column.dtype.kind != "O":
        return np.zeros(len(column), dtype=bool)
    return np.array([one(value) for value in column], dtype=bool)


def _texts(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return _all_or(column, isinstance(column.dtype, pd.StringDtype), lambda value: isinstance(value, str))


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    return _all_or(column, numeric, _is_number)


def _whole_numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Integers, also where gaps made floats of them."""
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy(float, na_value=np.nan)
        return np.isfinite(values) & (values == np.round(values))
    return _all_or(
        column,
        pd.api.types.is_integer_dtype(column.dtype),
        lambda value: _is_number(value) and value == value // 1,
    )


def _flags(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """True and False, and the 0 and 1 that SQLite and MySQL keep them as."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return column.isin([0, 1]).to_numpy(bool)
    return _all_or(
        column,
        pd.api.types.is_bool_dtype(column.dtype) and column.dtype.kind != "O",
        lambda value: value in (0, 1),
    )


def _moments(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return _all_or(column, column.dtype.kind == "M", lambda value: isinstance(value, datetime))


def _days(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Dates, and moments at midnight."""
    if column.dtype.kind == "M":
        return (column == column.dt.normalize()).to_numpy(bool)
    return _all_or(column, False, lambda value: isinstance(value, date) and _is_midnight(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool)


def _is_midnight(value: date) -> bool:
    return not isinstance(value, datetime) or (value.hour, value.minute, value.second, value.microsecond) == (
        0,
        0,
        0,
        0,
    )


TYPES: Mapping[str, Callable[[pd.Series[Any]], np.ndarray[Any, Any]]] = {
    "string": _texts,
    "integer": _whole_numbers,
    "float": _numbers,
    "number": _numbers,
    "boolean": _flags,
    "date": _days,
    "datetime": _moments,
}
"""Which values are of a contract's type; missing values are asked of `nullable` alone."""


# ---------------------------------------------------------------- drift

KINDS = {"b": "boolean", "i": "number", "u": "number", "f": "number", "M": "datetime", "m": "duration"}


def drift(stored: Sequence[tuple[str, str]], fresh: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What changed in a query's columns, (name, type) then and now: columns gone or new, and kinds that differ.

    Integers and floats are one kind, since a gap makes one of the other; `object` may be anything and says nothing.
    """
    before, after = dict(stored), dict(fresh)
    gone = [
        f"column '{name}' ({before[name]}) is gone; now: {_listed(after)}"
        for name in before
        if name not in after
    ]
    new = [
        f"column '{name}' ({after[name]}) is new; before: {_listed(before)}"
        for name in after
        if name not in before
    ]
    changed = [
        f"column '{name}' was {before[name]} and is now {after[name]}"
        for name in before
        if name in after
        and _kind(before[name])
        and _kind(after[name])
        and _kind(before[name]) != _kind(after[name])
    ]
    return (*gone, *new, *changed)


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(columns) or "none"


def _kind(dtype: str) -> str:
    """The kind of a type as the store writes it; "" where it says nothing."""
    if dtype.startswith(("string", "pyarrow|", "python|")):
        return "text"
    if "|" in dtype or dtype.startswith("timestamp"):
        return "datetime"
    if dtype.startswith(("Int", "UInt", "Float")):
        return "number"
    try:
        return KINDS.get(np.dtype(dtype).kind, "")
    except TypeError:
        return ""
