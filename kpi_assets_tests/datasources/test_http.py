from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.rest.client import same_origin
from kpi_assets.datasources.waiting import retry_after
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.api import Answering, Api, Asked, Reply, serving
from kpi_assets_tests.datasources.helpers import WEEK, ask, make
from kpi_assets_tests.secrets import secret

PASS = secret("http")
BASIC = base64.b64encode(f"ann:{PASS}".encode()).decode()

ORDERS = [
    {"at": "2024-11-17T22:59:59Z", "n": 1},
    {"at": "2024-11-17T23:00:00Z", "n": 2},
    {"at": "2024-11-24T22:59:59Z", "n": 3},
    {"at": "2024-11-24T23:00:00Z", "n": 4},
]


def got(answer: Answering, text: str = "orders", window: Window = WEEK, **options: Any) -> pd.DataFrame:
    """The frame of a query to a server; arguments of the datasource stand in `source`."""
    args = {"deadline": 10, **options.pop("source", {})}
    with serving(answer) as api:
        source = make("http", base_url=api.url, **args)
        try:
            return ask(source, text, window, **options)
        finally:
            source.close()


def refused(answer: Answering, **options: Any) -> str:
    with pytest.raises(QueryError) as caught:
        got(answer, **options)
    return str(caught.value)


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("bounds", "sent"),
    [
        ("iso", ("2024-11-18T00:00:00+01:00", "2024-11-25T00:00:00+01:00")),
        ("utc", ("2024-11-17T23:00:00Z", "2024-11-24T23:00:00Z")),
        ("date", ("2024-11-18", "2024-11-25")),
        ("epoch", ("1731884400", "1732489200")),
        ("epoch_ms", ("1731884400000", "1732489200000")),
        ("%d.%m.%Y", ("18.11.2024", "25.11.2024")),
    ],
)
def test_bounds_are_sent(bounds: str, sent: tuple[str, str]) -> None:
    """The window is sent in the format that is asked for, in the address and in parameters alike."""

    def answer(asked: Asked) -> Any:
        assert asked.params == {"in_address": sent[0], "until": sent[1], "last": "2024-11-24", "own": "a b&c"}
        return [{"ok": True}]

    params = {"until": "{to}", "last": "{last:date}", "own": "a b&c"}
    assert got(answer, "orders?in_address={from}", params=params, bounds=bounds)["ok"].all()


def test_bounds_in_days_reach_a_server_with_other_days() -> None:
    """Days of the server's zone are rounded outwards, so that it gives every row of the window."""

    def answer(asked: Asked) -> Any:
        assert asked.params == {"a": "2024-11-17", "b": "2024-11-25", "c": "2024-11-24"}
        return ORDERS

    params = {"a": "{from}", "b": "{to}", "c": "{last}"}
    found = got(answer, source={"timezone": "UTC"}, params=params, bounds="date", time_column="at")
    assert list(found["n"]) == [2, 3]


def test_a_body_is_posted() -> None:
    """A body is sent as JSON; text that is one bound becomes its number, at any depth."""

    def answer(asked: Asked) -> Any:
        assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
        assert json.loads(asked.body) == {"range": [{"gte": 1731884400}], "text": "since 2024-11-18"}
        return [{"n": 1}]

    body = {"range": [{"gte": "{from:epoch}"}], "text": "since {from:date}"}
    assert list(got(answer, method="POST", body=body)["n"]) == [1]


@pytest.mark.parametrize(
    ("source", "header", "value"),
    [
        ({"basic_auth": {"username": "ann", "password": PASS}}, "authorization", f"Basic {BASIC}"),
        ({"bearer_token": PASS}, "authorization", f"Bearer {PASS}"),
        ({"headers": {"X-Api-Key": PASS}}, "x-api-key", PASS),
    ],
)
def test_logins(source: dict[str, Any], header: str, value: str) -> None:
    """Each login is sent; a refused one names the arguments and shows no secret, nor the server's copy of it."""

    def answer(asked: Asked) -> Any:
        given = asked.headers.get(header)
        return [{"n": 1}] if given == value else Reply(f"no: {given}", 401)

    assert list(got(answer, source=source)["n"]) == [1]
    wrong = json.loads(json.dumps(source).replace(PASS, f"{PASS}-wrong"))
    message = refused(answer, source=wrong)
    assert "answers 401" in message
    assert "`bearer_token`" in message
    assert PASS not in message


def test_keys_in_parameters_do_not_show() -> None:
    """A key that is sent as a parameter is in no message, even where the server repeats it."""
    message = refused(
        lambda asked: Reply(f"bad key {asked.params['key']}", 400), source={"params": {"key": f"{PASS} key"}}
    )
    assert "bad key ***" in message


# ---------------------------------------------------------------- what comes back


def test_the_window_is_half_open() -> None:
    """Rows are cut at the report's midnights, and times are those of its zone."""
    found = got(lambda _: ORDERS, time_column="at")
    assert list(found["n"]) == [2, 3]
    assert str(found.dtypes["at"]) == "datetime64[ns, Europe/Berlin]"
    assert found["at"].dt.hour.tolist() == [0, 23]


def test_times_of_all_sorts() -> None:
    """Epochs, own formats and wall times become time of the report's zone."""
    records = [{"ms": 1731920400000, "s": 1731920400, "own": "18.11.2024 10:00", "wall": "2024-11-18 10:00"}]
    found = got(
        lambda _: records, time_column="s", parse_dates={"ms": "ms", "own": "%d.%m.%Y %H:%M", "wall": None}
    )
    assert {str(value) for value in found.iloc[0]} == {"2024-11-18 10:00:00+01:00"}


def test_records_and_nesting() -> None:
    """JMESPath finds the records; objects become columns with dots, lists JSON text, `from` is a name like others."""
    document = {
        "data": {
            "rows": [{"from": "Zoë", "user": {"id": 7, "tags": ["a", "ü"]}}, {"from": None, "extra": 1.5}]
        }
    }
    found = got(lambda _: document, records="data.rows")
    assert list(found.columns) == ["from", "user.id", "user.tags", "extra"]
    assert list(found.iloc[0])[:3] == ["Zoë", 7, '["a", "ü"]']
    projected = got(lambda _: document, records="data.rows[?extra].{x: extra}")
    assert projected.to_dict("list") == {"x": [1.5]}


@pytest.mark.parametrize("answer", [[], Reply("", headers={"Content-Type": "text/csv"})], ids=["json", "csv"])
def test_nothing(answer: Any) -> None:
    """An empty answer is a frame without rows, with the time column where one is named."""
    assert len(got(lambda _: answer)) == 0
    found = got(lambda _: answer, time_column="at")
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {"at": "datetime64[ns, Europe/Berlin]"}


def test_null_for_no_records() -> None:
    """A list that the server writes as null is empty; a place that is not there is an error that shows the keys."""
    assert len(got(lambda _: {"items": None}, records="items")) == 0
    assert "its keys are items" in refused(lambda _: {"items": None}, records="itmes")


@pytest.mark.parametrize(
    ("reply", "options", "words"),
    [
        (Reply('{"a": ', headers={"Content-Type": "application/json"}), {}, "not JSON (line 1"),
        (Reply("<p>Log in", headers={"Content-Type": "text/html"}), {}, "the page of a login"),
        (Reply({"data": [{"n": 1}], "total": 1}), {}, "`records: data`"),
        (Reply([[1, 2]]), {}, "rows[].{day: [0]"),
        (Reply({"n": 5}), {"records": "n"}, "finds int, not a list"),
        (Reply("a,b\n1,secret,3\n"), {"format": "csv"}, "Expected 2 columns, got 3"),
        (Reply("a,a\n1,2\n"), {"format": "csv"}, "two columns are called 'a'"),
        (Reply([{"n": "x"}]), {"time_column": "n"}, "cannot be read as time"),
        (Reply([{"n": 1}]), {"time_column": "at"}, "no column 'at'; the columns are n"),
        (Reply("gone", 404), {}, "answers 404: gone"),
    ],
)
def test_malformed_answers(reply: Reply, options: dict[str, Any], words: str) -> None:
    """What cannot be read is told with what to do about it, without quoting data."""
    message = refused(lambda _: reply, **options)
    assert words in message
    assert "secret" not in message


def test_csv_and_lines() -> None:
    """CSV and JSON lines are known by type or suffix, packed or not, with types found over all rows."""
    csv = "day;from;n\n2024-11-18;ä;1\n2024-11-19;NA;2.5\n".encode()
    found = got(lambda _: gzip.compress(csv), "export.csv.gz", delimiter=";", time_column="day")
    assert found.to_dict("list") == {
        "day": [pd.Timestamp("2024-11-18"), pd.Timestamp("2024-11-19")],
        "from": ["ä", "NA"],
        "n": [1.0, 2.5],
    }
    latin = Reply("n\nZoë\n".encode("latin-1"), headers={"Content-Type": "text/csv; charset=latin-1"})
    assert list(got(lambda _: latin)["n"]) == ["Zoë"]
    lines = Reply('{"n": 1}\n\n{"n": 2}\n', headers={"Content-Type": "application/x-ndjson"})
    assert list(got(lambda _: lines)["n"]) == [1, 2]


# ---------------------------------------------------------------- pages


def paged(asked: Asked) -> Any:
    """Five records, two a page, in every way that servers do it."""
    kind = asked.path.strip("/")
    here = int(asked.params.get("page", 1)) - 1 if kind == "page" else int(asked.params.get("at", 0)) // 2
    offset = int(asked.params["offset"]) if kind == "offset" else here * 2
    records = [{"n": n} for n in range(5)][offset : offset + 2]
    following = None if offset + 2 >= 5 else offset + 2
    headers = {"Link": f'</{kind}?at={following}>; rel="next"'} if following and kind == "link" else {}
    address = f"/{kind}?at={following}" if following else None
    return Reply({"items": records, "meta": {"cursor": following, "next": address}}, headers=headers)


@pytest.mark.parametrize(
    "paging",
    [
        {"kind": "link"},
        {"kind": "next", "next": "meta.next"},
        {"kind": "cursor", "next": "meta.cursor", "param": "at"},
        {"kind": "page"},
        {"kind": "page", "size": 2},
        {"kind": "offset", "size": 2, "size_param": "limit"},
    ],
    ids=str,
)
def test_pages(paging: dict[str, Any]) -> None:
    """Every kind of paging gives each record once."""
    found = got(paged, paging["kind"], records="items", paging=paging)
    assert list(found["n"]) == [0, 1, 2, 3, 4]


def test_pages_are_bounded() -> None:
    """Pages stop at `max_pages`; a server that ignores the parameter, or walks in a circle, is found out."""
    count = iter(range(1000))
    endless = {"kind": "page", "max_pages": 3}
    assert "more than 3 pages" in refused(lambda _: [{"n": next(count)}], paging=endless)
    assert "parameter `page`" in refused(lambda _: [{"n": 1}], paging={"kind": "page"})
    circle = Reply([{"n": 1}], headers={"Link": "</orders>; rel=next"})
    assert "came again" in refused(lambda _: circle, paging={"kind": "link"})


def test_a_login_stays_with_its_server() -> None:
    """Neither a next page nor a redirect takes a login to another server, and queries cannot name one."""
    with serving(lambda _: [{"n": 1}]) as other:
        link = Reply([{"n": 1}], headers={"Link": f"<{other.url}/x>; rel=next"})
        assert "on another server" in refused(lambda _: link, paging={"kind": "link"})
        away = Reply("", 302, {"Location": f"{other.url}/x?token=abc"})
        message = refused(lambda _: away, source={"bearer_token": PASS})
        assert f"redirects to {other.url}/x:" in message
        assert "below `base_url`" in refused(lambda _: [], text=other.url)
        assert other.asked == []


def test_redirects_within_the_server_are_followed() -> None:
    """A path that moved is found, with the parameters that its redirect gives it."""

    def answer(asked: Asked) -> Any:
        return [dict(asked.params)] if asked.path == "/new" else Reply("", 301, {"Location": "/new?a=1"})

    assert got(answer).to_dict("list") == {"a": ["1"]}
    assert "again and again" in refused(lambda _: Reply("", 302, {"Location": "/orders"}))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a/x", "http://a/y", True),
        ("http://a/", "https://a/", True),
        ("https://a/", "http://a/", False),
        ("https://a/", "https://a:8443/", False),
        ("https://a/", "https://a.evil/", False),
        ("http://a:80/", "https://a:81/", False),
    ],
)
def test_same_origin(one: str, other: str, same: bool) -> None:
    """An origin is a scheme, a host and a port; only a step up to TLS is allowed."""
    assert same_origin(one, other) is same


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_servers_are_asked_again(status: int) -> None:
    """A busy server is asked again after the time that it asks for."""
    replies = iter([Reply("slow down", status, {"Retry-After": "0"})] * 2 + [Reply([{"n": 1}])])
    assert list(got(lambda _: next(replies))["n"]) == [1]


def test_waiting_beyond_the_deadline_is_not_begun() -> None:
    """A server that asks for more time than there is ends the query at once, with its words."""
    count: list[Asked] = []

    def answer(asked: Asked) -> Any:
        count.append(asked)
        return Reply("quota used up", 429, {"Retry-After": "3600"})

    with pytest.raises(
        RetriableError, match=r"answers 429: quota used up; it asks to wait 3600 s.*`deadline`"
    ):
        got(answer)
    assert len(count) == 1


def test_retry_after() -> None:
    """Seconds and moments are understood, moments by the server's own clock; anything else is no wish."""
    assert retry_after("12", "") == 12
    assert retry_after("Mon, 18 Nov 2024 10:00:30 GMT", "Mon, 18 Nov 2024 10:00:00 GMT") == 30
    assert retry_after("Mon, 18 Nov 2024 10:00:00 GMT", "Mon, 18 Nov 2024 10:00:30 GMT") == 0
    assert retry_after("soon", "Mon, 18 Nov 2024 10:00:30 GMT") is None


def test_server_down() -> None:
    """Where nobody listens, the error is a passing one that names the address without its key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    source = make("http", base_url=url, deadline=0.3, params={"key": PASS})
    with pytest.raises(RetriableError, match=f"datasource 'shop': {url}/x cannot be reached") as caught:
        ask(source, "x")
    assert PASS not in str(caught.value)
    source.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_timeout(gate: threading.Event) -> None:
    """A server that does not answer is given up at the deadline."""

    def answer(_: Asked) -> Any:
        gate.wait(5)
        return []

    with serving(answer) as api:
        source = make("http", base_url=api.url, deadline=0.4, timeout=0.2)
        with pytest.raises(RetriableError, match=r"did not answer within 0\.2 s"):
            ask(source, "x")
        source.close()
        gate.set()


def test_check() -> None:
    """A check is content with any answer but a refused login and a server that is away."""
    with serving(lambda asked: Reply("", 401 if asked.params.get("key") == "wrong" else 404)) as api:
        for params in ({}, {"key": "wrong"}):
            source = make("http", base_url=api.url, params=params)
            if params:
                with pytest.raises(QueryError, match="answers 401"):
                    source.check()
            else:
                source.check()
            source.close()
        assert len(api.asked) == 2
    source = make("http", base_url=api.url, retry_for=0)
    with pytest.raises(RetriableError, match="cannot be reached"):
        source.check()
    source.close()


def test_limits() -> None:
    """Answers with too many rows or bytes end with the argument's name."""
    assert "`max_rows`" in refused(lambda _: [{"n": 1}] * 3, source={"max_rows": 2})
    assert "`max_bytes`" in refused(lambda _: "x" * 100, source={"max_bytes": 10})


# ---------------------------------------------------------------- before asking


def analysed(text: str = "orders", **options: Any) -> Any:
    source = make("http", base_url="https://shop.example/v1")
    return source.analyse(Query("q", "shop", text, options), source.args)


def test_grain() -> None:
    """Days are cut where a time column is named, unless the window's length is sent."""
    assert (analysed().grain, analysed().day_column) == ("window", None)
    assert (analysed(time_column="at").grain, analysed(time_column="at").day_column) == ("day", "at")
    assert analysed(time_column="at", params={"days": "{interval}"}).grain == "window"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recrods": "x"}, "no argument 'recrods': did you mean 'records'?"),
        ({"records": "a[["}, "'a[[' is not JMESPath"),
        ({"bounds": "rfc"}, "'rfc' is no format of bounds; allowed: iso, utc"),
        ({"params": {"a": "{from:epcoh}"}}, "'epcoh' is no format of bounds"),
        ({"paging": {"kind": "cursor", "next": "x"}}, "needs `param`"),
        ({"paging": {"kind": "offset"}}, "needs `size`"),
        ({"method": "PUT"}, "query_args.method"),
        ({"text": "https://else.example/x"}, "not below `base_url`"),
    ],
)
def test_mistakes_are_told_at_plan_time(options: dict[str, Any], words: str) -> None:
    """A query that could not be asked is refused before anything is sent."""
    with pytest.raises(QueryError) as caught:
        analysed(**options)
    assert words in str(caught.value)


@settings(max_examples=12)
@given(
    st.lists(st.integers(-3 * 86_400, 10 * 86_400), max_size=30),
    st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kolkata"]),
)
def test_days_make_the_whole(seconds: list[int], zone: str) -> None:
    """The frames of the days, one after the other, are the frame of the window."""
    window = Window(date(2024, 3, 29), date(2024, 4, 2), zone)
    start = datetime.fromisoformat("2024-03-29T00:00:00+00:00")
    records = [{"at": (start + timedelta(seconds=s)).isoformat(), "n": n} for n, s in enumerate(seconds)]

    def answer(asked: Asked) -> Any:
        first, end = int(asked.params["a"]), int(asked.params["b"])
        return [r for r in records if first <= datetime.fromisoformat(str(r["at"])).timestamp() < end]

    with serving(answer) as api:
        days, whole = _both(api, window)
    assert [list(row) for row in days] == [list(row) for row in whole]


def _both(api: Api, window: Window) -> tuple[list[Any], list[Any]]:
    source = make("http", base_url=api.url)
    options = {"params": {"a": "{from}", "b": "{to}"}, "bounds": "epoch", "time_column": "at"}
    parts = [ask(source, "x", Window.of_day(day, window.zone), **options) for day in window.days]
    whole = ask(source, "x", window, **options)
    source.close()
    rows = [row for part in parts for row in part.itertuples(index=False)]
    return rows, list(whole.itertuples(index=False))
