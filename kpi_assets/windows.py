"""Which window is asked for: the report's settings, overridden by the command line. Pure; `today` is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kpi_assets.config.dates import Day, read_day
from kpi_assets.config.models import ReportConfig
from kpi_assets.contracts import Window, WindowRule
from kpi_assets.errors import ConfigError, InputError, Problem

MAX_DAYS = 3660

Moment = date | datetime | str


def resolve_window(  # noqa: PLR0913 - the file, and what the command line may override
    config: ReportConfig,
    rule: WindowRule,
    *,
    today: date,
    zone: str,
    start: Moment | None = None,
    end: Moment | None = None,
    interval_days: int | None = None,
) -> Window:
    """The window `[start, end)` in `zone`; one of the report's kind (`rule`) where no length is asked for.

    `end` defaults to the report's `end_date`, then to `today`; `start` to its `start_date`, then to `interval_days`
    before the end. `interval_days` given here beats the report's `start_date`, and counts from `start` where only
    that is given. Raises InputError for what was given here, ConfigError for what the report says.
    """
    asked = _Asked(config, today, zone)
    first, last = asked.day("start_date", start), asked.day("end_date", end)
    if first and last and interval_days and (last - first).days != interval_days:
        raise InputError(
            f"--start-date, --end-date and --interval-days contradict each other: from {first} to {last} are "
            f"{(last - first).days} days, not {interval_days}; leave one of them out"
        )
    try:
        if not (first or interval_days or asked.configured("start_date")):
            return rule.newest(last or asked.configured("end_date") or today, zone)
        span = _span(asked, first, last, interval_days)
    except OverflowError:
        raise InputError("the window leaves the calendar: give other dates or fewer days") from None
    window = _checked(span, zone, from_input=bool(start or end or interval_days))
    regular = rule.newest(window.end, zone)
    return regular if regular == window else window


def _span(asked: _Asked, first: date | None, last: date | None, interval: int | None) -> tuple[date, date]:
    length = timedelta(days=interval or asked.config.interval_days)
    if interval and first:
        return first, first + length
    stop = last or asked.configured("end_date") or asked.today
    if first:
        return first, stop
    begin = None if interval else asked.configured("start_date")
    return begin or stop - length, stop


@dataclass(frozen=True)
class _Asked:
    config: ReportConfig
    today: date
    zone: str

    def day(self, name: str, value: Moment | None) -> date | None:
        """A day of the command line, which must be exact."""
        option = f"--{name.replace('_', '-')}"
        if value is None:
            return None
        try:
            found = read_day(value, zone=self.zone, today=self.today)
        except ValueError as error:
            raise InputError(f"{option} '{value}' {error}") from None
        if found.time:
            raise InputError(f"{option} '{value}' is {_clock(found)} in {self.zone}; {_whole_days(found)}")
        if found.other:
            raise InputError(
                f"{option} '{value}' may be {found.day} or {found.other}: write it as YYYY-MM-DD"
            )
        return found.day

    def configured(self, name: str) -> date | None:
        """A day of the report file; its time of day was warned about when it was loaded, and is cut off."""
        value = getattr(self.config, name)
        if value is None:
            return None
        try:
            return read_day(value, zone=self.zone, today=self.today).day
        except ValueError as error:
            raise ConfigError([Problem(f"'{name}' {error}", (name,))]) from None


def _clock(found: Day) -> str:
    return f"{found.day} {found.time:%H:%M}"


def _whole_days(found: Day) -> str:
    return f"a window is made of whole days: write {found.day} or {found.day + timedelta(days=1)}"


def _checked(span: tuple[date, date], zone: str, *, from_input: bool) -> Window:
    begin, stop = span
    reason = ""
    if begin == stop:
        reason = f"the window is empty: it starts and ends on {begin}, and the end is not included"
    elif begin > stop:
        reason = f"the window is reversed: it starts on {begin} and ends on {stop}; swap them"
    elif (stop - begin).days > MAX_DAYS:
        reason = f"the window has {(stop - begin).days:,} days, more than {MAX_DAYS:,}: is a year mistyped?"
    if reason and from_input:
        raise InputError(reason)
    if reason:
        raise ConfigError([Problem(reason, ("start_date",))])
    return Window(begin, stop, zone)
