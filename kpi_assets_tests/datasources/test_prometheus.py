"""The prometheus datasource: its grid, its answers, and servers that misbehave, over HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.prometheus import PrometheusArgs, PrometheusDatasource
from kpi_assets.datasources.promql.answer import Points, points_of
from kpi_assets.datasources.promql.grid import runs
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets.style.durations import parse_duration
from kpi_assets_tests.datasources.helpers import WEEK, ask, babbling, make
from kpi_assets_tests.outputs.http_peers import Answer, Asked, served
from kpi_assets_tests.secrets import secret

PASSWORD = secret("geheim")

DAY = Window(date(2024, 11, 18), date(2024, 11, 19), "Europe/Berlin")
SERIES = {"metric": {"from": "ü"}, "values": [[1731884400, "1"], [1731888000.001, "2.5"]]}


def matrix(*series: Any, **more: Any) -> Answer:
    return Answer(
        200, {"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more}
    )


@contextmanager
def prometheus(answer: Callable[[Asked], Answer], **args: Any) -> Iterator[PrometheusDatasource]:
    with served(answer) as address:
        found = make("prometheus", **{"host": address, "retry_for": 0, **args})
        try:
            yield found
        finally:
            found.close()


def test_the_request_is_kpi_reporters() -> None:
    """GET query_range with start, end and step in seconds; the end is the last point, not the window's end."""
    asked: list[Asked] = []
    with prometheus(lambda one: asked.append(one) or matrix(SERIES)) as source:
        frame = ask(source, "  up \n", DAY)
    form = {"query": "up", "start": "1731884400", "end": "1731967200", "step": "3600"}
    assert (asked[0].method, asked[0].path.partition("?")[0], asked[0].form) == (
        "GET",
        "/api/v1/query_range",
        form,
    )
    assert frame["from"].tolist() == ["ü", "ü"]
    assert frame["time"][1] == pd.Timestamp("2024-11-18 01:00:00.001", tz="Europe/Berlin")


@settings(max_examples=60)
@given(
    st.dates(date(1995, 1, 1), date(2030, 1, 1)),
    st.integers(1, 20),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    st.sampled_from([300_000, 3_600_000, 7_200_000, 86_400_000, 25_200_000, 604_800_000]),
    st.integers(1, 50),
)
def test_the_grid_holds_each_point_once_inside_the_window(
    day: date, days: int, zone: str, step: int, most: int
) -> None:
    """No range has more points than allowed; all points rise, the first is the window's start, none is its end."""
    window = Window.ending(day, days, zone)
    if window.starts_at.timestamp() == window.ends_at.timestamp():
        return  # the day that Samoa left out
    found = list(runs(window, step, most))
    points = [run.first + i * step for run in found for i in range(run.count)]
    assert max(run.count for run in found) <= most
    assert points == sorted(set(points))
    assert points[0] == window.starts_at.timestamp() * 1000
    assert points[-1] < window.ends_at.timestamp() * 1000 <= points[-1] + step * 1.5


@settings(max_examples=60)
@given(
    st.dates(date(1995, 1, 1), date(2030, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.sampled_from([300_000, 3_600_000, 14_400_000, 86_400_000]),
)
def test_a_windows_points_are_those_of_its_days(day: date, zone: str, step: int) -> None:
    """A step that divides a day gives each day the same points, whatever the range."""
    window = Window.ending(day, 5, zone)

    def points(one: Window) -> list[int]:
        return [run.first + i * step for run in runs(one, step) for i in range(run.count)]

    assert points(window) == [point for each in window.days for point in points(Window.of_day(each, zone))]


@pytest.mark.parametrize(
    ("text", "step", "grain"),
    [
        ("up", "1h", "day"),
        ('up{a="@ end()"} # end()', "1d", "day"),
        ("avg_over_time(up[1d:1h])", "15m", "day"),
        ("up", "7h", "window"),
        ("up", "1w", "window"),
        ("topk(3, up @ end())", "1h", "window"),
        ("up @ START ()", "1h", "window"),
    ],
)
def test_days_are_cut_only_where_that_is_proven(text: str, step: str, grain: str) -> None:
    """A step that divides a day, and nothing in the query that looks at the range."""
    assert PrometheusDatasource.analyse(Query("q", "p", text, {"step": step}), None).grain == grain


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"step": "often"}, "'often' is no duration"),
        ({"step": "0s"}, "no duration"),
        ({"steps": "1h"}, "did you mean 'step'"),
    ],
)
def test_options_are_checked_before_anything_is_sent(args: dict[str, Any], words: str) -> None:
    """Mistakes in `query_args` are told by validate."""
    with pytest.raises(QueryError) as caught:
        PrometheusDatasource.analyse(Query("q", "p", "up", args), None)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("1d", 86400), (60, 60), ("0.5", 0.5), ("250ms", 0.25)],
)
def test_durations_are_prometheus_own(text: object, seconds: float) -> None:
    """Units and bare seconds."""
    assert parse_duration(text) == seconds * 1000


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}),
            "parse error (bad_data)",
        ),
        (
            Answer(422, {"status": "error", "errorType": "execution", "error": "too many samples"}),
            "too many samples",
        ),
        (
            Answer(503, {"status": "error", "errorType": "timeout", "error": "query timed out"}),
            "query timed out",
        ),
        (Answer(401, "Unauthorized"), "refused the login (401): check `basic_auth` or `bearer_token`"),
        (Answer(403, "no"), "does not allow this (403)"),
        (Answer(404, "404 page not found"), "has no Prometheus API (404)"),
        (Answer(302, "", {"Location": "https://sso/x?y=1"}), "redirects to https://sso/x (302)"),
        (Answer(200, "<html>", {"Content-Type": "text/html"}), "not Prometheus' JSON (text/html)"),
        (Answer(200, '{"status": "success", "data":'), "not Prometheus' JSON"),
        (Answer(200, {"status": "success", "data": {"resultType": "vector", "result": []}}), "a vector"),
        (Answer(200, {"status": "success", "data": {}}), "malformed (KeyError)"),
        (matrix({"metric": {}, "values": [[1, "x"]]}), "malformed (ValueError)"),
        (matrix({"metric": {}, "values": [["now", "1"]]}), "malformed (ValueError)"),
        (matrix({"metric": {}, "histograms": [[1, {"count": "1"}]]}), "histogram_quantile()"),
    ],
)
def test_what_is_no_answer_is_told_at_once(answer: Answer, words: str) -> None:
    """The server's words or what came instead, one request, query and datasource named."""
    asked: list[Asked] = []
    with (
        prometheus(lambda one: asked.append(one) or answer, retry_for=30) as source,
        pytest.raises(QueryError, match="query 'q' on datasource 'shop'") as caught,
    ):
        ask(source, "up", DAY)
    assert words in str(caught.value)
    assert len(asked) == 1


def test_a_busy_server_is_asked_again() -> None:
    """502, 503 without PromQL error, 429 and a broken line pass."""
    answers = [
        matrix(SERIES),
        Answer(503, "starting"),
        Answer(429, "slow down"),
        Answer(502, ""),
        Answer(0, hang_up=True),
    ]
    with prometheus(lambda _: answers.pop(), retry_for=60) as source:
        assert len(ask(source, "up", DAY)) == 2


def test_a_server_that_asks_for_a_pause_gets_it_or_is_left_alone() -> None:
    """`Retry-After` within `retry_for` is kept; one beyond it ends the query at once and is told."""
    answers = [matrix(SERIES), Answer(429, "slow down", {"Retry-After": "0"})]
    with prometheus(lambda _: answers.pop(), retry_for=60) as source:
        assert len(ask(source, "up", DAY)) == 2
    asked: list[Asked] = []

    def busy(question: Asked) -> Answer:
        asked.append(question)
        return Answer(429, "slow down", {"Retry-After": "3600"})

    with prometheus(busy, retry_for=60) as source, pytest.raises(RetriableError, match="asks to wait 3600 s"):
        ask(source, "up", DAY)
    assert len(asked) == 1


def test_what_does_not_speak_http_is_told() -> None:
    """A port of another protocol, or of TLS, is told as such."""
    with babbling(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n") as port:
        source = make("prometheus", host=f"127.0.0.1:{port}", retry_for=0)
        with pytest.raises(RetriableError, match="does not answer in HTTP: is the port right"):
            source.check()
        source.close()


def test_a_dead_and_a_slow_server_are_worth_another_try() -> None:
    """RetriableError says which datasource and what happened."""

    def slow(_: Asked) -> Answer:
        time.sleep(0.4)
        return matrix()

    with (
        prometheus(slow, timeout=0.05) as source,
        pytest.raises(RetriableError, match=r"datasource 'shop': http://127.*did not answer within 0.05 s"),
    ):
        ask(source, "up", DAY)
    with pytest.raises(RetriableError, match="cannot be reached"):
        source.check()
    source.close()


@pytest.mark.parametrize(
    ("args", "header"),
    [
        (
            {"basic_auth": {"username": "ü", "password": PASSWORD}},
            "Basic " + base64.b64encode(f"ü:{PASSWORD}".encode()).decode(),
        ),
        ({"bearer_token": PASSWORD}, f"Bearer {PASSWORD}"),
        ({"headers": {"Authorization": f"Own {PASSWORD}"}}, f"Own {PASSWORD}"),
    ],
)
def test_logins_travel_and_never_show(args: dict[str, Any], header: str) -> None:
    """Each kind of login is sent as documented, and blotted out where the server repeats it."""
    asked: list[Asked] = []
    error = Answer(400, {"status": "error", "errorType": "bad_data", "error": f"you sent {PASSWORD}"})
    with (
        prometheus(lambda one: asked.append(one) or error, **args) as source,
        pytest.raises(QueryError) as caught,
    ):
        ask(source, "up", DAY)
    assert asked[0].headers["Authorization"] == header
    assert PASSWORD not in str(caught.value)
    assert "***" in str(caught.value)


def test_the_servers_warnings_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """They do not stop a report."""
    with prometheus(lambda _: matrix(SERIES, warnings=["half the stores are away"])) as source:
        ask(source, "up", DAY)
    assert "half the stores are away" in caplog.text


def test_more_points_than_allowed_are_an_error_not_an_empty_memory() -> None:
    """`max_rows` is named."""
    with (
        prometheus(lambda _: matrix(SERIES), max_rows=1) as source,
        pytest.raises(QueryError, match="max_rows"),
    ):
        ask(source, "up", DAY)


def test_series_with_different_labels_share_a_frame() -> None:
    """A label that a series does not have is missing; rows are in the order of time, then of labels."""
    data = {
        "resultType": "matrix",
        "result": [
            {"metric": {"b": "2"}, "values": [[0, "1"], [60, "2"]]},
            {"metric": {"a": "1"}, "values": [[0, "NaN"], [60, "+Inf"]]},
        ],
    }
    points = Points(10)
    for part in points_of(data):
        points.add(part)
    frame = points.frame("UTC")
    assert list(frame.columns) == ["time", "value", "a", "b"]
    assert frame["b"].tolist() == ["2", None, "2", None]
    assert frame["time"].dt.tz == ZoneInfo("UTC")


def test_a_million_points_are_read() -> None:
    """A hundred series of 10,000 points become a million rows."""
    values = [[1731884400 + i, "1.5"] for i in range(10_000)]
    data = json.loads(
        json.dumps(
            {
                "resultType": "matrix",
                "result": [{"metric": {"i": str(i)}, "values": values} for i in range(100)],
            }
        )
    )
    points = Points(1_000_000)
    for part in points_of(data):
        points.add(part)
    assert points.frame("Europe/Berlin").shape == (1_000_000, 3)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("prometheus:9090", "http://prometheus:9090"),
        ("httpd:80/prom/", "http://httpd:80/prom"),
        ("https://p.example", "https://p.example"),
    ],
)
def test_http_is_added_where_no_scheme_stands(given: str, address: str) -> None:
    """As KPI Reporter did, but for hosts whose name begins with http too."""
    assert PrometheusArgs.model_validate({"host": given}).host == address


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"host": "ftp://x"}, "no address"),
        ({"host": "a b"}, "no address"),
        ({"host": "x:99999"}, "no address"),
        ({"host": "x", "basic_auth": {"username": "u"}}, "password"),
        ({"host": "x", "basic_auth": {"username": "u", "password": "p"}, "bearer_token": "t"}, "not both"),
    ],
)
def test_arguments_that_cannot_work_are_refused(args: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError, match=words):
        PrometheusArgs.model_validate(args)


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    """A missing `ca_file` is no passing fault."""
    source = make("prometheus", host="https://127.0.0.1:1", ca_file="/no/such.pem", retry_for=30)
    with pytest.raises(QueryError, match=r"`ca_file` /no/such.pem cannot be read"):
        ask(source, "up", WEEK)
