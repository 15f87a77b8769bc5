"""Kinds of windows: which is the newest, which comes before, what is refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.calendar_windows import allowed, ends_on, window_rule
from kpi_assets.config import load_report
from kpi_assets.contracts import Window
from kpi_assets.errors import ConfigError, InputError
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.workdays import Workdays
from kpi_assets_tests.shop import write_report

ZONE = "Europe/Berlin"
BAVARIA = Workdays("DE", "BY")
KINDS = [*allowed(), "1 business day", "1 day"]


def shop_plan(folder: Path, **settings: object) -> ReportPlan:
    """The plan of the shop's report with further settings."""
    file = write_report(folder)
    file.write_text(yaml.safe_dump(settings) + file.read_text(encoding="utf-8"), encoding="utf-8")
    return build_plan(load_report([file]), {})


def newest(kind: str, by: str, workdays: Workdays = BAVARIA, **options: str) -> tuple[str, str]:
    window = window_rule(kind, workdays=workdays, **options).newest(date.fromisoformat(by), ZONE)
    return window.start.isoformat(), window.end.isoformat()


@pytest.mark.parametrize(
    ("kind", "by", "start", "end"),
    [
        ("yesterday", "2024-03-01", "2024-02-29", "2024-03-01"),
        ("last_week", "2024-11-25", "2024-11-18", "2024-11-25"),
        ("Last Week", "2024-12-01", "2024-11-18", "2024-11-25"),
        ("last_month", "2024-03-01", "2024-02-01", "2024-03-01"),
        ("last_month", "2024-02-29", "2024-01-01", "2024-02-01"),
        ("last_quarter", "2024-01-02", "2023-10-01", "2024-01-01"),
        ("last_year", "2024-12-31", "2023-01-01", "2024-01-01"),
        ("month_to_date", "2024-12-01", "2024-11-01", "2024-12-01"),
        ("month_to_date", "2024-12-02", "2024-12-01", "2024-12-02"),
        ("quarter-to-date", "2024-12-02", "2024-10-01", "2024-12-02"),
        ("year to date", "2024-03-01", "2024-01-01", "2024-03-01"),
        ("week_to_date", "2024-11-27", "2024-11-25", "2024-11-27"),
        ("28 days", "2024-11-25", "2024-10-28", "2024-11-25"),
    ],
)
def test_the_newest_window_of_a_kind(kind: str, by: str, start: str, end: str) -> None:
    """It is the last one that has ended by the start of the day asked for."""
    assert newest(kind, by) == (start, end)


def test_on_monday_send_fridays_numbers() -> None:
    """`1 business day` is Friday when asked on Saturday, Sunday or Monday, and Monday on Tuesday."""
    days = [newest("1 business day", f"2024-11-{day}")[0] for day in (23, 24, 25, 26)]
    assert days == ["2024-11-22", "2024-11-22", "2024-11-22", "2024-11-25"]


def test_public_holidays_are_no_business_days() -> None:
    """After All Saints' Day in Bavaria (a Friday) Thursday's numbers are due on Monday, and Friday's in Berlin."""
    assert newest("1 business day", "2024-11-04")[0] == "2024-10-31"
    assert newest("1 business day", "2024-11-04", Workdays("DE", "BE"))[0] == "2024-11-01"


def test_a_report_names_days_of_its_own() -> None:
    """A day off and a Saturday that is worked beat the calendar."""
    own = Workdays("DE", free=frozenset({date(2024, 11, 22)}), worked=frozenset({date(2024, 11, 23)}))
    assert newest("2 business days", "2024-11-25", own) == ("2024-11-21", "2024-11-24")


def test_a_weekend_is_where_the_country_has_it() -> None:
    """In Israel Friday and Saturday are free, and Sunday is worked."""
    assert newest("1 business day", "2024-11-25", Workdays("IL"))[0] == "2024-11-24"
    assert newest("1 business day", "2024-11-24", Workdays("IL"))[0] == "2024-11-21"


def test_weeks_start_where_the_report_says() -> None:
    """With `week_starts: sunday` the last week ends on a Saturday."""
    assert newest("last_week", "2024-11-25", week_starts="sunday") == ("2024-11-17", "2024-11-24")


@pytest.mark.parametrize(
    ("kind", "by", "before"),
    [
        ("last_month", "2024-04-01", ("2024-02-01", "2024-03-01")),
        ("last_quarter", "2024-01-01", ("2023-07-01", "2023-10-01")),
        ("month_to_date", "2024-03-31", ("2024-02-01", "2024-03-01")),
        ("month_to_date", "2024-04-01", ("2024-02-01", "2024-03-01")),
        ("month_to_date", "2024-03-16", ("2024-02-01", "2024-02-16")),
        ("quarter_to_date", "2024-05-11", ("2024-01-01", "2024-02-11")),
        ("year_to_date", "2024-03-01", ("2023-01-01", "2023-03-01")),
        ("week_to_date", "2024-11-27", ("2024-11-18", "2024-11-20")),
        ("5 business days", "2024-11-25", ("2024-11-11", "2024-11-16")),
    ],
)
def test_a_window_is_compared_with_the_one_before_it(kind: str, by: str, before: tuple[str, str]) -> None:
    """Whole periods with whole periods, periods to date with the same days of the period before."""
    window = window_rule(kind, workdays=BAVARIA).newest(date.fromisoformat(by), ZONE).back(1)
    assert (window.start.isoformat(), window.end.isoformat()) == before


@given(kind=st.sampled_from(KINDS), by=st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_windows_end_in_time_and_come_one_before_the_other(kind: str, by: date) -> None:
    """The newest has ended by the day asked for, none newer has, and those before it are earlier and do not overlap."""
    rule = window_rule(kind)
    window = rule.newest(by, ZONE)
    assert window.end <= by
    assert not any(ends_on(rule, window.end + timedelta(days=n)) for n in range((by - window.end).days))
    assert window.back(1).end <= window.start
    assert window.back(2) == window.back(1).back(1)


@pytest.mark.parametrize("text", ["", "last fortnight", "0 days", "99999 days", "5 busy days"])
def test_an_unknown_kind_is_refused_with_what_is_allowed(text: str) -> None:
    """The message lists the kinds."""
    with pytest.raises(ValueError, match="is not a window; allowed: yesterday, last_week"):
        window_rule(text)


def test_holidays_can_be_written_short(tmp_path: Path) -> None:
    """`holidays: DE-BY` is Bavaria."""
    plan = shop_plan(tmp_path, window="1 business day", holidays="DE-BY")
    assert plan.window("2024-10-31").start == date(2024, 10, 31)
    with pytest.raises(
        InputError, match=r"no edition of .* ends on 2024-11-01: its window is '1 business day'"
    ):
        plan.window("2024-11-01")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": "last fortnight"}, "'last fortnight' is not a window"),
        ({"window": "last_week", "interval_days": 7}, "both say how long"),
        ({"window": "last_week", "start_date": "2024-11-01"}, "both say how long"),
        ({"window": "1 business day", "holidays": "QQ"}, "holidays of 'QQ' are not known"),
        ({"window": "1 business day", "holidays": "DE-XY"}, "'XY' is no part of DE"),
    ],
)
def test_what_contradicts_itself_is_the_files_fault(
    tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    """Each is a ConfigError that says what is wrong."""
    with pytest.raises(ConfigError, match=words):
        shop_plan(tmp_path, **settings)


def test_an_edition_of_another_length_is_one_of_its_own(tmp_path: Path) -> None:
    """The regular month has its key as id; other days that end with it say their length."""
    plan = shop_plan(tmp_path, window="last_month")
    assert plan.edition(plan.window("2024-11-30")) == "2024-11-30"
    assert plan.edition(Window.ending("2024-11-30", 7, plan.zone)) == "2024-11-30_7d"


def test_a_range_of_days_holds_the_editions_that_end_in_it(tmp_path: Path) -> None:
    """A year of months has twelve, a week inside a month none."""
    plan = shop_plan(tmp_path, window="last_month")
    assert len(plan.windows(date(2024, 1, 1), date(2024, 12, 31))) == 12
    assert plan.windows(date(2024, 11, 4), date(2024, 11, 10)) == ()
