"""Days, windows and zones as text, in a locale's words. The last day is named, never the exclusive end."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from kpi_assets.calendar_windows import Days
from kpi_assets.contracts.window import Window
from kpi_assets.style.digits import MINUS, babel_locale


@lru_cache(maxsize=4096)
def skeleton(day: date, pattern: str, locale: str = "en") -> str:
    """`day` by a CLDR skeleton (`MMMd`, `yMMMEd`, ...), in the order that the locale uses."""
    from babel.dates import format_skeleton

    return format_skeleton(pattern, day, locale=babel_locale(locale))


def weekday_text(day: date, locale: str = "en") -> str:
    """`Mon, Nov 18`."""
    return skeleton(day, "MMMEd", locale)


def day_text(day: date, locale: str = "en", *, year: bool = False) -> str:
    """`Nov 18`, or `Nov 18, 2024`."""
    return skeleton(day, "yMMMd" if year else "MMMd", locale)


def month_text(day: date, locale: str = "en", *, year: bool = False) -> str:
    """`Nov`, or `Nov 2024`."""
    return skeleton(day, "yMMM" if year else "MMM", locale)


def weekday_name(day: date, locale: str = "en", *, short: bool = True) -> str:
    """`Mon`, or `Monday`."""
    return _part(day, "ccc" if short else "cccc", locale)


def month_name(day: date, locale: str = "en", *, short: bool = True) -> str:
    """`Nov`, or `November`."""
    return _part(day, "LLL" if short else "LLLL", locale)


def window_text(window: Window, locale: str = "en") -> str:
    """`Mon, Nov 18 – Sun, Nov 24, 2024`; both years where they differ, one day alone where it is one."""
    first, last = window.start, window.last_day
    end = skeleton(last, "yMMMEd", locale)
    if first == last:
        return end
    return f"{skeleton(first, 'MMMEd' if first.year == last.year else 'yMMMEd', locale)} – {end}"


def window_short(window: Window, locale: str = "en") -> str:
    """`Nov 18–24`, `Aug 27 – Nov 24`; with years only where they differ."""
    first, last = window.start, window.last_day
    return days_text(first, last, locale)


@lru_cache(maxsize=512)
def days_text(first: date, last: date, locale: str = "en") -> str:
    """The days from `first` to `last`, both included, as short as they can be said."""
    from babel.dates import format_interval

    if first == last:
        return day_text(first, locale)
    pattern = "MMMd" if first.year == last.year else "yMMMd"
    text = str(format_interval(first, last, pattern, locale=babel_locale(locale))).replace("\u2009", " ")
    return re.sub(r"(?<=\d) – (?=\d+\b(?! \D*\d))", "–", text) if first.month == last.month else text


def zone_text(window: Window) -> str:
    """`Europe/Berlin (UTC+1)`; both offsets where the clock changes inside the window."""
    zone = ZoneInfo(window.zone)
    first = _offset(window.starts_at.astimezone(zone))
    last = _offset((window.ends_at - timedelta(microseconds=1)).astimezone(zone))
    return f"{window.zone} ({first})" if first == last else f"{window.zone} ({first}, then {last})"


def moment_text(moment: datetime, locale: str = "en") -> str:
    """`Mon, Nov 25, 2024, 06:00 (UTC+1)`, in the zone that `moment` carries."""
    day = skeleton(moment.date(), "yMMMEd", locale)
    offset = f" ({_offset(moment)})" if moment.tzinfo else ""
    return f"{day}, {moment:%H:%M}{offset}"


def earlier_words(window: Window) -> str:
    """What the window before this one is called: `the week before`, `the month before`."""
    return (window.rule or Days(window.length)).earlier


@lru_cache(maxsize=256)
def _part(day: date, pattern: str, locale: str) -> str:
    from babel.dates import format_date

    return format_date(day, pattern, locale=babel_locale(locale))


def _offset(moment: datetime) -> str:
    minutes = round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "±" if minutes == 0 else MINUS if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")
