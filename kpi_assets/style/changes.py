"""The change between two numbers, worded so that it never says more than the numbers do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from kpi_assets.contracts.block import Change, Verdict
from kpi_assets.style.digits import CONTEXT, MINUS, to_decimal

if TYPE_CHECKING:
    from kpi_assets.style.numbers import NumberStyle

Direction = Literal["up", "down", "flat", "none"]

UNKNOWN = Change(text="n/a", direction="none", verdict="none")


@dataclass(frozen=True)
class ChangeRule:
    """How a change is worded.

    `higher_is_better` None = no verdict. `unit` and `format` word a `raw` difference.
    """

    kind: Literal["percent", "raw", "points"] = "percent"
    precision: int | None = None
    higher_is_better: bool | None = None
    unit: str = ""
    format: str = ""


def change(style: NumberStyle, value: object, base: object, rule: ChangeRule) -> Change:
    """The change from `base` to `value`.

    percent: of the base; from zero it is `new`, from below zero `n/a` (a percentage would turn the sign).
    points: difference of two percentages. raw: difference in the value's own unit. Nothing to compare: `n/a`.
    Sign, direction and verdict come from the text that is printed, so `±0.0 %` is flat.
    """
    now, before = to_decimal(value), to_decimal(base)
    if now is None or before is None:
        return UNKNOWN
    if rule.kind == "percent" and before <= 0 and now != before:
        return Change(text="new", direction="none", verdict="none") if _is_new(now, before) else UNKNOWN
    text = _difference_text(style, now, before, rule)
    direction = _direction(style, text, rule.unit)
    return Change(text=text, direction=direction, verdict=verdict(direction, rule.higher_is_better))


def no_change_reason(value: object, base: object, kind: str = "percent") -> str:
    """Why `change` says `n/a`, as a sentence for a footnote; empty where it does not."""
    now, before = to_decimal(value), to_decimal(base)
    if now is None:
        return "There is no value for this window."
    if before is None:
        return "There is no earlier value to compare with."
    if kind == "percent" and before <= 0 and now != before and not _is_new(now, before):
        below = "below zero" if before < 0 else "zero"
        return f"The earlier value is {below}, so a percentage would mean nothing."
    return ""


def verdict(direction: Direction, higher_is_better: bool | None) -> Verdict:
    """Good or bad, where a good direction was declared."""
    if higher_is_better is None or direction == "none":
        return "none"
    if direction == "flat":
        return "same"
    return "better" if (direction == "up") == higher_is_better else "worse"


def _is_new(now: Decimal, before: Decimal) -> bool:
    return before == 0 and now > 0


def _difference_text(style: NumberStyle, now: Decimal, before: Decimal, rule: ChangeRule) -> str:
    difference = CONTEXT.subtract(now, before)
    places = rule.precision
    if rule.kind == "percent":
        fraction = CONTEXT.divide(difference, before) if difference else Decimal(0)
        return style.signed(fraction, 1 if places is None else places, format="percent")
    if rule.kind == "points":
        return style.signed(difference, 1 if places is None else places, "points")
    return style.signed(difference, places, rule.unit, rule.format)


def _direction(style: NumberStyle, text: str, unit: str) -> Direction:
    if style.is_zero(text, unit):
        return "flat"
    return "down" if text.startswith(MINUS) else "up"
