"""Which rows of a table stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpi_assets.style.digits import to_decimal
from kpi_assets.views.tables.scales import number

Rows = frozenset[int]


def matching(values: Mapping[str, Sequence[Any]], wanted: Mapping[str, object]) -> Rows:
    """Positions of the rows whose columns all hold what is wanted: a value, or `max` or `min` of the column."""
    found = [
        extreme(values[name], str(want)) if want in ("max", "min") else _equal(values[name], want)
        for name, want in wanted.items()
    ]
    return frozenset.intersection(*found) if found else frozenset()


def extreme(values: Sequence[Any], which: str) -> Rows:
    """Positions of the greatest (`max`) or least (`min`) value, all of them where there are several."""
    known = [(value, i) for i, value in enumerate(map(number, values)) if value is not None]
    if not known:
        return frozenset()
    best = max(known)[0] if which == "max" else min(known)[0]
    return frozenset(i for value, i in known if value == best)


def _equal(values: Sequence[Any], wanted: object) -> Rows:
    return frozenset(i for i, value in enumerate(values) if _same(value, wanted))


def _same(value: object, wanted: object) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted or str(value) == str(wanted)
    a, b = to_decimal(value), to_decimal(wanted)
    return a == b if a is not None and b is not None else str(value) == str(wanted)
