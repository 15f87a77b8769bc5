"""Decimal numbers and the signs a locale writes them with. Halves are rounded away from zero."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

MINUS = "−"
NARROW = "\u202f"
NO_BREAK = "\u00a0"

SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}

CONTEXT = Context(prec=400, rounding=ROUND_HALF_UP)
"""Wide enough for every float, so that nothing is rounded on the way to the last step."""


@dataclass(frozen=True)
class Symbols:
    """How a locale writes numbers.

    `sizes`: digits in the first group and in the further ones. `money_after`: the money sign stands behind.
    """

    decimal: str
    group: str
    sizes: tuple[int, int]
    money_after: bool


@lru_cache(maxsize=32)
def symbols(locale: str) -> Symbols:
    """The signs of `locale` (`en`, `de_DE`, `pt-BR`). ValueError names a locale that is not known."""
    known = babel_locale(locale)
    signs = known.number_symbols.get("latn") or known.number_symbols[known.default_numbering_system]
    pattern = str(known.currency_formats["standard"].pattern)
    first, further = known.decimal_formats[None].grouping
    return Symbols(
        decimal=signs["decimal"],
        group=signs["group"],
        sizes=(first, further),
        money_after=pattern.index("¤") > pattern.index("0"),
    )


@lru_cache(maxsize=32)
def babel_locale(locale: str):  # type: ignore[no-untyped-def]
    """Babel's `Locale`; a hyphen is as good as an underscore."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"locale '{locale}' is not known; write it like en, de_DE or pt_BR") from None


BEYOND = 100_000
"""Powers of ten that no calculation here survives; what has them counts as infinite."""


def to_decimal(value: object) -> Decimal | None:
    """The finite number in `value` (timedeltas in seconds); None where it is missing or infinite."""
    if value is None or isinstance(value, str | bytes):
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    try:
        # str() of numpy's scalars is their shortest exact form; float() of a float32 is not.
        number = Decimal(value) if isinstance(value, int | Decimal) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) < BEYOND else None


EXACT = 10**15
"""Up to here every spreadsheet and every float keeps all digits of a whole number."""


def plain_number(value: object) -> int | float | None:
    """The finite number in `value` as Python's own, whole ones as int; None where it is missing or infinite."""
    amount = to_decimal(value)
    if amount is None:
        return None
    if amount == amount.to_integral_value() and abs(amount) < EXACT:
        return int(amount)
    number = float(amount)
    return number if math.isfinite(number) else None


def length_of(value: object, unit: str = "") -> timedelta | None:
    """A length of time; numbers are in seconds, or in `unit` (ms, s, min, h, d). None where it is none."""
    amount = to_decimal(value)
    if amount is None:
        return None
    try:
        return timedelta(seconds=float(amount * SECONDS.get(unit, Decimal(1))))
    except OverflowError:
        return None


def rounded(number: Decimal, places: int) -> Decimal:
    """`number` with exactly `places` decimals."""
    return number.quantize(Decimal(1).scaleb(-places), context=CONTEXT)


def significant(number: Decimal, digits: int) -> Decimal:
    """`number` with `digits` significant digits."""
    if not number:
        return Decimal(0)
    return rounded(number, digits - 1 - number.adjusted())


def spell(number: Decimal, signs: Symbols, *, group: bool = True, trim: bool = False) -> str:
    """The digits of an already rounded number, without its sign. `trim` cuts zeros at the end of decimals."""
    whole, _, decimals = f"{abs(number):f}".partition(".")
    if trim:
        decimals = decimals.rstrip("0")
    if group:
        whole = signs.group.join(_groups(whole, signs.sizes))
    return f"{whole}{signs.decimal}{decimals}" if decimals else whole


def _groups(whole: str, sizes: tuple[int, int]) -> Iterator[str]:
    first, further = sizes
    head, tail = whole[:-first], whole[-first:]
    lead = len(head) % further
    if lead:
        yield head[:lead]
    for at in range(lead, len(head), further):
        yield head[at : at + further]
    yield tail
