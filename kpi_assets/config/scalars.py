"""What a plain scalar means: YAML 1.1 without its traps.

`true`, `false`, `yes`, `no` are booleans; `on`, `off`, `y`, `n` stay text. `12:30:00` and `0755` stay text (no base 60,
no octal). Dates and times are read when they exist, else they stay text. Whatever a plain scalar became, a field that
wants text gets it as written (see `kpi_assets.config.repair`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from kpi_assets.config.env import REFERENCE, EnvRef

Plain = str | int | float | bool | date | datetime | EnvRef | None

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO"), False),
}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,400})")
_HEX = re.compile(r"0x[0-9a-fA-F_]{1,400}")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{1,2}:[0-9]{2}.*")
_FIRST = frozenset("0123456789+-.")


def plain_value(text: str) -> Plain:
    """The value of a plain (unquoted) scalar."""
    if text in WORDS:
        return WORDS[text]
    if "${" in text and REFERENCE.search(text):
        return EnvRef(text)
    return _number_or_date(text) if text[0] in _FIRST else text


def _number_or_date(text: str) -> Plain:
    if _INT.fullmatch(text):
        return _int(text)
    if _HEX.fullmatch(text) and text.strip("0x_"):
        return int(text.replace("_", ""), 16)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    special = _SPECIAL.fullmatch(text)
    if special:
        return float((special[1] or "") + (special[2] or special[3]))
    if _DATE.fullmatch(text):
        return _or_text(date.fromisoformat, text)
    return _or_text(datetime.fromisoformat, text) if _TIME.fullmatch(text) else text


def _int(text: str) -> int:
    return int(text.replace("_", ""))


def _or_text(read: Callable[[str], date], text: str) -> date | str:
    try:
        return read(text)
    except ValueError:
        return text
