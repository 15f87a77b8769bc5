"""GA4's names, filters and weeks, as they are read before anything is sent."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from kpi_assets.contracts import Query
from kpi_assets.datasources.ga4.asking import read_question
from kpi_assets.datasources.ga4.filters import parse
from kpi_assets.datasources.ga4.names import DIMENSIONS, GONE, METRICS, is_daily, modern, remark
from kpi_assets.datasources.ga4.reading import _read as read_time  # pyright: ignore[reportPrivateUsage]
from kpi_assets.datasources.ga4.wire import request_of


def test_no_name_is_both_translated_and_gone() -> None:
    """Each name of Universal Analytics has one answer."""
    assert not set(DIMENSIONS) & set(METRICS)
    assert not (set(DIMENSIONS) | set(METRICS)) & set(GONE)
    assert all(modern(name) == name for name in (*DIMENSIONS.values(), *METRICS.values()))


def test_only_changes_are_remarked() -> None:
    """`ga:date` is still date; nothing need be said of it."""
    assert remark("ga:date") == remark("sessions") == ""
    assert remark("ga:users") == "'ga:users' is now 'totalUsers'"
    assert "new and returning" in remark("ga:userType")


def test_metrics_that_look_back_are_not_daily() -> None:
    """Users of the last seven days are of more than the day."""
    assert is_daily("totalUsers")
    assert not any(map(is_daily, ("active7DayUsers", "dauPerMau", "nthDay", "cohort", "audienceName")))


def test_and_binds_looser_than_or() -> None:
    """`a,b;c` is (a or b) and c, as in the old API."""
    found = parse("country==DE,country==AT;sessions>3", ["sessions"])
    assert [[item.value for item in group] for group in found.groups] == [["DE", "AT"], ["3"]]
    assert [len(found.of(metric=kind)) for kind in (False, True)] == [1, 1]


def test_escaped_signs_belong_to_the_value() -> None:
    """A comma, a semicolon and a backslash in a title."""
    (group,) = parse(r"pageTitle==a\, b\; c\\d,country==x", []).groups
    assert [item.value for item in group] == [r"a, b; c\d", "x"]


def test_the_value_is_taken_as_it_is() -> None:
    """Blanks, quotes, equal signs and brackets in it are not syntax; blanks around the name are not of it."""
    (group,) = parse(' pagePath =@/a?b=c&d="ü" ', []).groups
    assert (group[0].field, group[0].sign, group[0].value) == ("pagePath", "=@", '/a?b=c&d="ü" ')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("country", "'country' has no operator"),
        ("country=DE", "has no operator"),
        ("country==DE;", "a condition is missing"),
        (",country==DE", "a condition is missing"),
        ("country==", "compared with nothing"),
        ("sessions>many", "'sessions>many': a metric is compared with a number"),
        ("sessions>nan", "compared with a number"),
        ("sessions=@3", "'sessions' is a metric"),
        ("country=~(", "no regular expression"),
        ("country==DE,sessions>3", "cannot join"),
        ("ga:pagePathLevel9==x", "not known here"),
    ],
)
def test_wrong_filters_are_told_with_the_part_at_fault(text: str, words: str) -> None:
    """Nothing is guessed: a filter that is read wrongly gives wrong numbers."""
    with pytest.raises(ValueError) as caught:
        parse(text, ["sessions"])
    assert words in str(caught.value)
    assert str(caught.value).startswith("filters_expression: ")


def test_a_filter_is_sent_as_googles_expression() -> None:
    """Not, and, or; whole numbers as whole numbers."""
    args = {"metrics": "sessions", "filters_expression": "country!@land,city=~^B;sessions!=5;sessions<1.5"}
    request = request_of(
        read_question(Query("q", "s", "report", args)),
        "7",
        (date(2024, 1, 1), date(2024, 1, 2)),
        offset=0,
        limit=9,
    )
    first, second = request.dimension_filter.or_group.expressions
    assert first.not_expression.filter.string_filter.value == "land"
    assert second.filter.string_filter.match_type.name == "PARTIAL_REGEXP"
    not_five, few = request.metric_filter.and_group.expressions
    assert not_five.not_expression.filter.numeric_filter.value.int64_value == 5
    assert few.filter.numeric_filter.operation.name == "LESS_THAN"
    assert few.filter.numeric_filter.value.double_value == 1.5


@pytest.mark.parametrize("year", range(2018, 2032))
def test_googles_weeks_begin_on_sundays_and_on_new_years_day(year: int) -> None:
    """Each week begins where the last one ended, and the year's last within it."""
    first = read_time("yearWeek", f"{year}01")
    assert first == date(year, 1, 1)
    starts = [read_time("yearWeek", f"{year}{week:02}") for week in range(2, 54)]
    assert starts[0] - first <= timedelta(days=7)
    assert {start.isoweekday() for start in starts} == {7}
    assert all(b - a == timedelta(days=7) for a, b in pairwise(starts))
