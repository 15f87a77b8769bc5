"""Numbers as an edition prints them, by the look's table "Numbers". Never prints NaN, None or inf."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from kpi_assets.style.digits import (
    CONTEXT,
    MINUS,
    NARROW,
    NO_BREAK,
    SECONDS,
    Symbols,
    rounded,
    significant,
    spell,
    symbols,
    to_decimal,
)
from kpi_assets.style.formats import NumberFormat, parse_format

if TYPE_CHECKING:
    from kpi_assets.contracts import Change

ChangeKind = Literal["percent", "raw", "points"]

SCALES = ((12, "T"), (9, "B"), (6, "M"), (3, "k"), (0, ""))
BYTES = ((15, "PB"), (12, "TB"), (9, "GB"), (6, "MB"), (3, "kB"), (0, "B"))
LARGEST, SMALLEST = 21, -6
"""Powers of ten beyond which digits say nothing and the exponent is printed."""


def is_money(unit: str) -> bool:
    """Is `unit` a money sign (`€`, `US$`)?"""
    return bool(unit) and unicodedata.category(unit[-1]) == "Sc"


def plain_spaces(text: str) -> str:
    """For mail and chat, whose fonts lack the narrow no-break space: U+202F becomes U+00A0."""
    return text.replace(NARROW, NO_BREAK)


@dataclass(frozen=True)
class NumberStyle:
    """Number forms of one locale (`en`, `de_DE`, `fr`)."""

    locale: str = "en"

    @property
    def symbols(self) -> Symbols:
        return symbols(self.locale)

    def missing(self) -> str:
        """What stands where no number is."""
        return "n/a"

    def number(self, value: object, precision: int | None = None, unit: str = "", format: str = "") -> str:
        """`value` as text; `n/a` where it is missing or infinite.

        `unit` is printed with it: a money sign in front (behind where the locale does so), `%` for values
        that already are percentages, any word behind. `format`: see `formats`; `percent` multiplies
        fractions by 100, `duration` takes seconds or what `unit` says (ms, s, min, h, d). `precision`:
        decimals, over the format's.
        """
        amount = to_decimal(value)
        if amount is None:
            return self.missing()
        return self._text(amount, parse_format(format), precision, unit)

    def signed(self, value: object, precision: int | None = None, unit: str = "", format: str = "") -> str:
        """As `number`, but the sign is always printed: `+3`, `−3`, `±0`."""
        amount = to_decimal(value)
        if amount is None:
            return self.missing()
        text = self._text(amount, parse_format(format), precision, unit)
        if text.startswith(("+", MINUS, "±")):
            return text
        return ("±" if self.is_zero(text, unit) else "+") + text

    def axis(self, value: object, unit: str = "") -> str:
        """A tick's label: at most 3 significant digits, `€20k`, `40 %`; units that are words are left out."""
        amount = to_decimal(value)
        if amount is None:
            return self.missing()
        body, suffix = self._scaled(amount, SCALES, 3)
        return self._dress(amount, body + suffix, unit if is_money(unit) or len(unit) <= 3 else "")

    def percent(self, value: object, precision: int = 1) -> str:
        """A fraction as percentage: 0.068 is `6.8 %`."""
        return self.number(value, precision, format="percent")

    def share(self, part: object, whole: object, precision: int = 1) -> str:
        """`part` of `whole` as percentage; `n/a` where the whole is not above zero."""
        a, b = to_decimal(part), to_decimal(whole)
        if a is None or b is None or b <= 0:
            return self.missing()
        return self.percent(CONTEXT.divide(a, b), precision)

    def duration(self, value: object, unit: str = "s") -> str:
        """A length of time with at most two units: `3 h 12 min`, `41 ms`."""
        return self.number(value, unit=unit, format="duration")

    def change(  # noqa: PLR0913, PLR0917 - independent options, the last ones by keyword
        self,
        value: object,
        base: object,
        kind: ChangeKind = "percent",
        precision: int | None = None,
        higher_is_better: bool | None = None,
        *,
        unit: str = "",
        format: str = "",
    ) -> Change:
        """The change from `base` to `value`, see `changes.change`; `unit`, `format` are for `raw`."""
        from kpi_assets.style.changes import ChangeRule, change

        return change(self, value, base, ChangeRule(kind, precision, higher_is_better, unit, format))

    def is_zero(self, text: str, unit: str = "") -> bool:
        """Does a printed number hold no digit but 0? `unit` is what was printed with it (`m2`)."""
        digits = text.replace(unit, "") if unit else text
        return not any(sign in "123456789" for sign in digits)

    def _text(self, amount: Decimal, form: NumberFormat, precision: int | None, unit: str) -> str:
        places = form.places if precision is None else precision
        if form.money and not is_money(unit):
            unit = unit or "$"
        match form.kind:
            case "duration":
                return _duration(amount * SECONDS.get(unit, Decimal(1)), self)
            case "bytes":
                body, suffix = self._scaled(amount, BYTES, 3, places)
                return self._dress(amount, f"{body} {suffix}", "")
            case "compact" | "significant":
                digits = 3 if form.kind == "compact" or places is None else places
                body, suffix = self._scaled(
                    amount, SCALES, digits, places if form.kind == "compact" else None
                )
                return self._dress(amount, body + suffix, unit, form.plus)
            case "percent":
                amount, unit = CONTEXT.multiply(amount, Decimal(100)), "%"
            case _:
                pass
        return self._plain(amount, form, places, unit)

    def _plain(self, amount: Decimal, form: NumberFormat, places: int | None, unit: str) -> str:
        if amount and not SMALLEST <= amount.adjusted() < LARGEST:
            return self._dress(amount, self._scientific(amount), unit, form.plus)
        trim = form.trim
        if places is None:
            places, loose = _suitable_places(amount, form, unit)
            trim = trim or loose
        number = rounded(amount, places)
        return self._dress(number, spell(number, self.symbols, group=form.group, trim=trim), unit, form.plus)

    def _scaled(
        self, amount: Decimal, scales: tuple[tuple[int, str], ...], digits: int, places: int | None = None
    ) -> tuple[str, str]:
        """Digits and suffix of the largest scale that the rounded amount reaches."""
        near = significant(amount, digits)
        if near and not SMALLEST <= near.adjusted() < LARGEST:
            return self._scientific(amount), scales[-1][1]
        power, suffix = next(((p, s) for p, s in scales if abs(near) >= Decimal(10) ** p), scales[-1])
        if places is None:
            return spell(near.scaleb(-power), self.symbols, trim=True), suffix
        return spell(rounded(amount.scaleb(-power, context=CONTEXT), places), self.symbols), suffix

    def _scientific(self, amount: Decimal) -> str:
        near = significant(amount, 3)
        power = near.adjusted()
        return f"{spell(near.scaleb(-power), self.symbols, trim=True)}e{str(power).replace('-', MINUS)}"

    def _dress(self, amount: Decimal, body: str, unit: str, plus: bool = False) -> str:
        """Sign, money sign and unit around the digits. The sign belongs to what is printed: never `−0`."""
        sign = _sign(amount, zero=self.is_zero(body), plus=plus)
        if is_money(unit):
            return f"{sign}{body}{NARROW}{unit}" if self.symbols.money_after else f"{sign}{unit}{body}"
        if unit in {"%", "‰"}:
            return f"{sign}{body}{NARROW}{unit}"
        gap = "" if not unit or unit.startswith(("/", "°")) else " "
        return f"{sign}{body}{gap}{unit}"


def _sign(amount: Decimal, *, zero: bool, plus: bool) -> str:
    if zero:
        return "±" if plus else ""
    return MINUS if amount < 0 else "+" if plus else ""


def _suitable_places(amount: Decimal, form: NumberFormat, unit: str) -> tuple[int, bool]:
    """Decimals that suit kind, unit and size where nobody asked for a number, and whether zeros are cut."""
    whole = amount == amount.to_integral_value()
    if form.kind == "integer":
        return 0, False
    if form.kind in {"decimal", "percent"} or unit == "%":
        return 1, False
    if form.money or is_money(unit):
        return (0 if whole or abs(rounded(amount, 2)) >= 1000 else 2), False
    if whole:
        return 0, False
    return (2, True) if abs(amount) >= 1 else (2 - amount.adjusted(), True)


def _duration(seconds: Decimal, style: NumberStyle) -> str:
    sign = MINUS if seconds < 0 else ""
    seconds = abs(seconds)
    if seconds.adjusted() >= LARGEST:
        return f"{sign}{style.number(seconds)} s"
    if not seconds or seconds < 1:
        milliseconds = rounded(seconds * 1000, 0)
        if milliseconds < 1000:
            return f"{sign if milliseconds else ''}{milliseconds:f} {'ms' if milliseconds else 's'}"
    if rounded(seconds, 1) < 60:
        return f"{sign}{spell(rounded(seconds, 1), style.symbols, trim=True)} s"
    return sign + _two_units(int(rounded(seconds, 0)), style)


def _two_units(seconds: int, style: NumberStyle) -> str:
    """From minutes up, rounded to the smaller of the two units that are printed."""
    steps = ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s"))
    fitting = (step for step in steps if _to_multiple(seconds, step[1]) >= step[0])
    large, small, name, smaller = next(fitting, steps[-1])
    first, rest = divmod(_to_multiple(seconds, small), large)
    head = f"{style.number(first)} {name}"
    return f"{head} {rest // small} {smaller}" if rest else head


def _to_multiple(seconds: int, step: int) -> int:
    return (seconds + step // 2) // step * step
