"""The same number and date words for Vega, whose axes are written by d3."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from kpi_assets.style.dates import month_name, weekday_name
from kpi_assets.style.digits import MINUS, NARROW
from kpi_assets.style.numbers import NumberStyle

SUNDAY = date(2024, 9, 1)
"""d3's weeks start on Sundays."""


@dataclass(frozen=True)
class D3Number:
    """d3-format's locale."""

    decimal: str
    thousands: str
    grouping: tuple[int, ...]
    currency: tuple[str, str]
    percent: str
    minus: str


@dataclass(frozen=True)
class D3Time:
    """d3-time-format's locale."""

    dateTime: str  # noqa: N815 - d3's name
    date: str
    time: str
    periods: tuple[str, str]
    days: tuple[str, ...]
    shortDays: tuple[str, ...]  # noqa: N815 - d3's name
    months: tuple[str, ...]
    shortMonths: tuple[str, ...]  # noqa: N815 - d3's name


def d3_number(style: NumberStyle, money: str = "$") -> D3Number:
    """Separators, money sign and percent sign as `NumberStyle` prints them."""
    signs = style.symbols
    first, further = signs.sizes
    # d3 repeats nothing but its own list, so a locale of unequal groups gets enough of them.
    grouping = (first,) if first == further else (first, *[further] * 9)
    return D3Number(
        decimal=signs.decimal,
        thousands=signs.group,
        grouping=grouping,
        currency=("", NARROW + money) if signs.money_after else (money, ""),
        percent=f"{NARROW}%",
        minus=MINUS,
    )


def d3_time(style: NumberStyle) -> D3Time:
    """Names of months and weekdays."""
    days = [SUNDAY + timedelta(days=i) for i in range(7)]
    months = [date(2024, month, 1) for month in range(1, 13)]
    return D3Time(
        dateTime="%a %b %e %X %Y",
        date="%Y-%m-%d",
        time="%H:%M:%S",
        periods=("AM", "PM"),
        days=tuple(weekday_name(day, style.locale, short=False) for day in days),
        shortDays=tuple(weekday_name(day, style.locale) for day in days),
        months=tuple(month_name(day, style.locale, short=False) for day in months),
        shortMonths=tuple(month_name(day, style.locale) for day in months),
    )


def d3_locale(style: NumberStyle, money: str = "$") -> dict[str, Any]:
    """`{"number": ..., "time": ...}` for `config.locale` of a Vega-Lite spec."""
    return {"number": asdict(d3_number(style, money)), "time": asdict(d3_time(style))}
