"""Shares and steps: how long a bar is, how deep a colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kpi_assets.style.digits import to_decimal

STEPS = 7


def number(value: Any) -> float | None:
    """A finite float, or None."""
    amount = to_decimal(value)
    if amount is None:
        return None
    result = float(amount)
    return result if math.isfinite(result) else None


def bar_shares(values: Sequence[Any]) -> list[float | None]:
    """Each value's share of the largest, from 0 to 1; below zero there is no bar to draw."""
    numbers = [number(value) for value in values]
    largest = max((n for n in numbers if n is not None), default=0.0)
    if largest <= 0:
        return [None] * len(numbers)
    return [None if n is None else round(max(0.0, n) / largest, 4) for n in numbers]


def heat_steps(values: Sequence[Any]) -> list[int | None]:
    """Each value's step of the ramp, 0 to 6: equal parts of the range from the least to the greatest."""
    numbers = [number(value) for value in values]
    known = [n for n in numbers if n is not None]
    if not known:
        return [None] * len(numbers)
    low, high = min(known), max(known)
    return [None if n is None else _step(n, low, high) for n in numbers]


def _step(value: float, low: float, high: float) -> int:
    if low == high:
        return STEPS // 2
    # Halves first: the range of two huge numbers may be beyond all floats.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return min(STEPS - 1, int(share * STEPS))
