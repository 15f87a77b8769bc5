"""Lengths of time as Prometheus writes them: `15m`, `1h30m`, `1d`."""

from __future__ import annotations

import math
import re

UNITS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
"""Milliseconds in each; a day has 24 hours, a year 365 days, as Prometheus counts."""
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_WHOLE = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")


def parse_duration(value: object) -> int:
    """Milliseconds in `15m`, `1h30m` or a number of seconds. Raises ValueError for what is no positive duration."""
    text = str(value).strip()
    if _WHOLE.fullmatch(text):
        found = sum(int(number) * UNITS[unit] for number, unit in _PART.findall(text))
    else:
        found = _seconds(text)
    if found < 1:
        raise ValueError(
            f"'{text}' is no duration: write a number and a unit (ms, s, m, h, d, w, y), e.g. 15m or 1h"
        )
    return found


def _seconds(text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        return 0
    return round(seconds * 1000) if math.isfinite(seconds) else 0
