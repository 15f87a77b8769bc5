"""The prometheus datasource against Debian's server."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd
import pytest

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.prometheus import PrometheusDatasource
from kpi_assets.errors import QueryError
from kpi_assets.frames.split import split_by_day
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.prometheus_server import CHANGE, WEEK

pytestmark = pytest.mark.prometheus
HOURS = "last_over_time(hours[1h])"
BUSY = '100 - avg by (instance) (irate(node_cpu_seconds_total{mode="idle"}[15m])) * 100\n'


@pytest.fixture
def source(prometheus: str) -> Iterator[PrometheusDatasource]:
    found = make("prometheus", host=prometheus, retry_for=0)
    yield found
    found.close()


def test_a_range_query_gives_a_row_per_point_and_series(source: PrometheusDatasource) -> None:
    """Time in the report's zone, value, and a column per label, in the order of time."""
    frame = ask(source, BUSY, WEEK, step="30m")
    assert list(frame.columns) == ["time", "value", "instance"]
    assert str(frame["time"].dt.tz) == "Europe/Berlin"
    assert frame["time"].is_monotonic_increasing
    assert frame["time"].iloc[-1] == pd.Timestamp("2024-11-24 23:30", tz="Europe/Berlin")
    assert dict(frame.groupby("instance")["value"].median().round(6)) == {"a": 25.0, "b": 50.0}
    assert len(frame) == 2 * 335  # nothing is known yet at the first midnight


def test_no_number_and_infinity_arrive_as_they_are(source: PrometheusDatasource) -> None:
    """NaN, +Inf and -Inf are values; labels keep their text, and those that clash get Prometheus' own prefix."""
    frame = ask(source, "odd", Window(WEEK.start, WEEK.days[1], WEEK.zone), step="15m")
    assert math.isnan(frame["value"][1])
    assert [frame["value"][i] for i in (0, 2, 3)] == [1.5, math.inf, -math.inf]
    assert dict(frame.iloc[0, 2:]) == {
        "__name__": "odd",
        "from": "x",
        "name": "Zürich ☃",
        "exported_time": "y",
        "exported_value": "z",
    }


def test_more_points_than_the_server_allows_come_in_parts_without_doubles(
    source: PrometheusDatasource,
) -> None:
    """60,480 points of a week, every ten seconds, each once and none missing."""
    frame = ask(source, "vector(1)", WEEK, step="10s")
    assert len(frame) == 7 * 8640
    assert frame["time"].diff().dropna().unique().tolist() == [pd.Timedelta("10s")]


@pytest.mark.parametrize("step", ["15m", "1h", "2h", "6h", "1d"])
def test_days_cut_from_a_range_are_the_days_asked_for_alone(source: PrometheusDatasource, step: str) -> None:
    """Around a change of clocks too: so `analyse` may say `day`."""
    assert PrometheusDatasource.analyse(Query("q", "shop", HOURS, {"step": step}), source.args).grain == "day"
    parts = split_by_day(ask(source, HOURS, CHANGE, step=step), "time", CHANGE)
    for day, part in parts.items():
        alone = ask(source, HOURS, Window.of_day(day, CHANGE.zone), step=step)
        pd.testing.assert_frame_equal(part, alone)
    assert len(parts[CHANGE.days[1]]) == {"15m": 100, "1h": 25, "2h": 12, "6h": 4, "1d": 1}[step]


def test_a_step_that_does_not_divide_a_day_runs_through(source: PrometheusDatasource) -> None:
    """Points of a 7 h step stand 7 h apart over all days."""
    frame = ask(source, "vector(1)", CHANGE, step="7h")
    assert len(frame) == 11
    assert frame["time"].dt.tz_convert("UTC").diff().dropna().unique().tolist() == [pd.Timedelta("7h")]


def test_nothing_found_is_an_empty_frame(source: PrometheusDatasource) -> None:
    """A metric that does not exist gives no rows and no error."""
    assert len(ask(source, "no_such_metric", WEEK)) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sum(", "unclosed left parenthesis"),
        ('"a"', 'invalid expression type "string"'),
        ("up[5m]", "range vector"),
    ],
)
def test_promql_errors_are_told_in_the_servers_words(
    source: PrometheusDatasource, text: str, words: str
) -> None:
    """The server's message, with the query and the datasource."""
    with pytest.raises(QueryError, match=r"query 'q' on datasource 'shop'") as caught:
        ask(source, text, WEEK)
    assert words in str(caught.value)


def test_a_query_longer_than_an_address_may_be_is_sent_too(source: PrometheusDatasource) -> None:
    """10,000 characters of query."""
    text = "vector(1)" + " + vector(1)" * 900
    assert set(ask(source, text, WEEK)["value"]) == {901.0}


def test_check_asks_something_trivial(source: PrometheusDatasource) -> None:
    """A server that answers passes."""
    source.check()
