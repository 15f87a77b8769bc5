"""How a spreadsheet shows a number as the page does: Excel's number formats, read off the page's own text."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from kpi_assets.contracts import Value
from kpi_assets.style.digits import MINUS, Symbols, to_decimal

GENERAL, DAY, MINUTE, SECOND, LENGTH = (
    "General",
    "yyyy-mm-dd",
    "yyyy-mm-dd hh:mm",
    "yyyy-mm-dd hh:mm:ss",
    "[h]:mm:ss",
)
SIGNS = f"+±-{MINUS}"
PERCENT, PERMILLE = "%", "‰"


def cell_format(text: str, value: Value, signs: Symbols) -> str:
    """The format under which `value` looks like `text`; `General` for text that rounds to thousands, millions, ..."""
    if isinstance(value, bool):
        return GENERAL
    if isinstance(value, datetime):
        return SECOND if value.second else MINUTE
    if isinstance(value, date):
        return DAY
    if isinstance(value, timedelta):
        return LENGTH
    return _number_format(text, value, signs)


def _number_format(text: str, value: float | int, signs: Symbols) -> str:
    found = _digits(signs).search(text)
    if found is None:
        return GENERAL
    decimals = len(found["decimals"] or "")
    printed = Decimal(found["whole"].replace(signs.group, "") + "." + (found["decimals"] or "0"))
    before, after = text[: found.start()].strip(SIGNS), text[found.end() :]
    grouped = signs.group in found["whole"] or abs(value) < 1000
    form = ("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else "")
    if _is_shown(value, printed, decimals):
        return _signed(text, f"{_quoted(before)}{form}{_quoted(after)}")
    if after.strip() == PERCENT and _is_shown(value * 100, printed, decimals):
        return _signed(text, form.removeprefix("#,##") + "%")
    return GENERAL


def _digits(signs: Symbols) -> re.Pattern[str]:
    group, decimal = re.escape(signs.group), re.escape(signs.decimal)
    return re.compile(rf"(?P<whole>\d+(?:{group}\d+)*)(?:{decimal}(?P<decimals>\d+))?")


def _is_shown(value: float | int, printed: Decimal, decimals: int) -> bool:
    """Is `printed` the value, rounded to its decimals?"""
    amount = to_decimal(value)
    if amount is None:
        return False
    return abs(abs(amount) - printed) <= Decimal("0.5000001").scaleb(-decimals)


def _quoted(words: str) -> str:
    """Words that stand with a number, as a format has them; spaces that fonts lack become plain."""
    plain = " ".join(words.replace('"', "").split()) if words.strip() else ""
    if not plain:
        return ""
    gaps = (" " if words[:1].isspace() else "", " " if words[-1:].isspace() else "")
    return f'"{gaps[0]}{plain}{gaps[1]}"'


def _signed(text: str, form: str) -> str:
    """Where the page prints a plus, the spreadsheet does."""
    return f"+{form};-{form};{form}" if text[:1] in {"+", "±"} else form
