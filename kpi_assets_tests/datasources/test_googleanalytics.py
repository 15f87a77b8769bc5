"""The googleanalytics datasource: Google's own client against a server that speaks its documented API."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.googleanalytics import GoogleAnalyticsArgs, GoogleAnalyticsDatasource
from kpi_assets.errors import PluginError, QueryError, RetriableError
from kpi_assets_tests.datasources.ga4_peer import (
    TOKEN,
    Google,
    Visit,
    error,
    google,
    key_file,
    private_pem,
)
from kpi_assets_tests.datasources.helpers import WEEK, ask, make
from kpi_assets_tests.outputs.http_peers import Answer, served

REPORT = ":runReport"
ACCOUNTS = [
    {
        "name": "accountSummaries/1",
        "account": "accounts/100",
        "displayName": "Quillmoor",
        "propertySummaries": [
            {"property": "properties/4711", "displayName": "Shop", "propertyType": "PROPERTY_TYPE_ORDINARY"},
            {"property": "properties/4712", "displayName": "Blog"},
        ],
    },
    {
        "account": "accounts/200",
        "displayName": "Mill",
        "propertySummaries": [{"property": "properties/9", "displayName": "Shop"}],
    },
]


def visits(days: int = 9, first: int = 17) -> list[Visit]:
    """Visits at 1, 9 and 23 o'clock of some November days, from two countries."""
    return [
        Visit(
            datetime(2024, 11, first, hour) + timedelta(days=day),
            {"country": country, "from": "mail", "sessionMedium": "organic" if hour == 9 else "cpc"},
            {"sessions": day + 1, "totalUsers": 1, "bounceRate": 0.25, "purchaseRevenue": 1.5},
        )
        for day in range(days)
        for hour in (1, 9, 23)
        for country in ("Côte d’Ivoire", "日本")
    ]


@contextmanager
def source(
    folder: Path, *facts: Visit, args: Any = None, **more: Any
) -> Iterator[tuple[GoogleAnalyticsDatasource, Google]]:
    """A datasource of property 4711 on a Google with these visits; `args` over the right login."""
    with google(folder, *facts, **more) as (login, held):
        found = make("googleanalytics", **{**login, "property_id": 4711, "retry_for": 0, **(args or {})})
        try:
            yield found, held
        finally:
            found.close()


def test_days_are_the_first_column_and_numbers_are_typed(tmp_path: Path) -> None:
    """Days of the window as midnights, whole numbers and fractions by Google's headers, other names as they are."""
    with source(tmp_path, *visits()) as (found, held):
        frame = ask(
            found,
            "report",
            dimensions=["country", "date"],
            metrics=["sessions", "bounceRate"],
            filters_expression="",
        )
    assert frame.columns.tolist() == ["date", "country", "sessions", "bounceRate"]
    assert frame["date"].dt.date.unique().tolist() == list(WEEK.days)
    assert [str(kind) for kind in frame.dtypes] == ["datetime64[ns]", "object", "int64", "float64"]
    assert frame["sessions"].tolist() == [3 * n for n in range(2, 9) for _ in range(2)]
    assert frame["country"].tolist() == ["Côte d’Ivoire", "日本"] * 7
    asked = held.reports[0].date_ranges[0]
    assert (asked.start_date, asked.end_date) == ("2024-11-18", "2024-11-24")


def test_kpi_reporters_names_are_translated_and_kept_as_columns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`ga:users` asks for totalUsers; what has another meaning is warned about."""
    with source(tmp_path, *visits()) as (found, held):
        frame = ask(found, "report", dimensions=["ga:date"], metrics=["ga:users", "ga:bounceRate"])
    assert frame.columns.tolist() == ["ga:date", "ga:users", "ga:bounceRate"]
    assert [item.name for item in held.reports[0].metrics] == ["totalUsers", "bounceRate"]
    assert "'ga:users' is now 'totalUsers'" in caplog.text
    assert "a share from 0 to 1" in caplog.text


def test_no_arguments_ask_for_users_by_day(tmp_path: Path) -> None:
    """As KPI Reporter's defaults did."""
    with source(tmp_path, *visits()) as (found, _):
        assert ask(found, "report").columns.tolist() == ["date", "totalUsers"]


def test_hours_of_a_property_in_another_zone_are_the_reports_window(tmp_path: Path) -> None:
    """Hours become instants of the report's zone; a day more is asked for, and what lies outside cut off."""
    with source(tmp_path, *visits(), zone="America/New_York") as (found, held):
        frame = ask(found, "report", dimensions="dateHour", metrics="sessions")
        again = ask(found, "report", dimensions="dateHour", metrics="sessions")
    assert str(frame["dateHour"].dtype) == "datetime64[ns, Europe/Berlin]"
    assert frame["dateHour"].iloc[0] == pd.Timestamp("2024-11-18 05:00", tz="Europe/Berlin")
    assert frame["dateHour"].iloc[-1] == pd.Timestamp("2024-11-24 15:00", tz="Europe/Berlin")
    asked = [(r.date_ranges[0].start_date, r.date_ranges[0].end_date) for r in held.reports]
    assert asked == [("2024-11-18", "2024-11-24"), ("2024-11-17", "2024-11-24"), ("2024-11-17", "2024-11-24")]
    pd.testing.assert_frame_equal(frame, again)


def test_days_of_a_property_in_another_zone_are_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They cannot be converted: the log says whose days they are."""
    with source(tmp_path, *visits(), zone="America/New_York") as (found, _):
        assert ask(found, "report", dimensions="date", metrics="sessions")["date"].dt.day.tolist() == [
            *range(18, 25)
        ]
    assert "counts days in America/New_York, the report in Europe/Berlin" in caplog.text


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "asked",
    [
        {"dimensions": ["date", "country"], "metrics": ["sessions", "totalUsers"]},
        {"dimensions": ["country", "dateHour"], "metrics": "sessions"},
        {
            "dimensions": ["date", "from"],
            "metrics": "purchaseRevenue",
            "order_bys": ["date", "-purchaseRevenue"],
        },
        {"dimensions": "dateHourMinute", "metrics": "sessions", "filters_expression": "country=@Ivoire"},
    ],
)
def test_days_asked_one_by_one_give_the_rows_of_the_window(
    tmp_path: Path, asked: dict[str, Any], zone: str
) -> None:
    """That is what day grain promises; on the day that clocks change too, and for a column called `from`."""
    week = Window(date(2024, 10, 24), date(2024, 10, 31), "Europe/Berlin")
    facts = [
        Visit(
            datetime(2024, 10, 22) + timedelta(minutes=47 * n),
            {"country": "Ivoire" if n % 3 else "Mali", "from": "x"},
        )
        for n in range(330)
    ]
    with source(tmp_path, *facts, zone=zone) as (found, _):
        whole = ask(found, "report", week, **asked)
        days = [ask(found, "report", Window.of_day(day, week.zone), **asked) for day in week.days]
    assert len(whole) >= 7
    pd.testing.assert_frame_equal(pd.concat(days, ignore_index=True), whole)


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        ({}, "date"),
        ({"dimensions": ["ga:country", "ga:date"], "metrics": ["ga:users", "ga:sessions"]}, "ga:date"),
        ({"dimensions": ["date", "dateHour"], "filters_expression": "sessionMedium!=(none)"}, "dateHour"),
        ({"dimensions": ["date", "customEvent:author"], "metrics": "keyEvents:purchase"}, "date"),
    ],
)
def test_rows_of_one_day_are_cut_by_days(asked: dict[str, Any], column: str) -> None:
    """Users of a day are those of that day in a month too; the column that tells the day is named as written."""
    found = GoogleAnalyticsDatasource.analyse(Query("q", "shop", "report", asked), None)
    assert (found.grain, found.day_column) == ("day", column)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"dimensions": "country"}, "no dimension tells the day"),
        ({"dimensions": "yearWeek"}, "no dimension tells the day"),
        ({"dimensions": "date", "limit": 10}, "limit"),
        (
            {"dimensions": "date", "metrics": "sessions", "filters_expression": "sessions>5"},
            "filters by a metric",
        ),
        (
            {"dimensions": "date", "metrics": "sessions", "order_bys": "-sessions"},
            "order is not by day first",
        ),
        ({"dimensions": "date", "order_bys": "-date"}, "order is not by day first"),
        ({"dimensions": "date", "metrics": "active7DayUsers"}, "active7DayUsers"),
        ({"dimensions": ["date", "nthDay"]}, "nthDay"),
        ({"dimensions": "date", "filters_expression": "audienceName==Fans"}, "audienceName"),
    ],
)
def test_what_is_not_certain_to_be_cut_by_days_is_not(asked: dict[str, Any], reason: str) -> None:
    """The reason names what it is."""
    found = GoogleAnalyticsDatasource.analyse(Query("q", "shop", "report", asked), None)
    assert found.grain == "window"
    assert reason in found.reason


def test_all_pages_are_fetched_in_one_order(tmp_path: Path) -> None:
    """Each page begins where the last one ended, and the order is whole, so that no row is lost or comes twice."""
    with source(tmp_path, *visits(), args={"page_size": 4}) as (found, held):
        frame = ask(found, "report", dimensions=["date", "country"], metrics=["sessions"])
    assert [(r.offset, r.limit) for r in held.reports] == [(0, 4), (4, 4), (8, 4), (12, 4)]
    assert len(frame) == len(frame.drop_duplicates()) == 14
    assert [order.dimension.dimension_name for order in held.reports[0].order_bys] == ["date", "country"]


def test_a_limit_ends_the_pages(tmp_path: Path) -> None:
    """`limit` rows come, the greatest first where no day orders them."""
    with source(tmp_path, *visits(), args={"page_size": 2}) as (found, held):
        frame = ask(found, "report", dimensions=["hour"], metrics=["sessions"], limit=3, order_bys=["-hour"])
    assert frame["hour"].tolist() == ["23", "09", "01"]
    assert [r.limit for r in held.reports] == [2, 1]


def test_filters_and_orders_are_googles(tmp_path: Path) -> None:
    """The old expression becomes GA4's filters; a metric that is only filtered by is asked for invisibly."""
    with source(tmp_path, *visits()) as (found, held):
        frame = ask(
            found,
            "report",
            dimensions=["ga:country"],
            metrics=["ga:users"],
            filters_expression=r"ga:country==日本,ga:country=~^Côte;ga:medium!=organic;ga:sessions>=5",
            order_bys=[{"fieldName": "ga:users", "sortOrder": "DESCENDING"}],
        )
    assert frame.to_dict("list") == {"ga:country": ["Côte d’Ivoire", "日本"], "ga:users": [14, 14]}
    request = held.reports[0]
    assert [(item.name, item.invisible) for item in request.metrics] == [
        ("totalUsers", False),
        ("sessions", True),
    ]
    assert request.order_bys[0].metric.metric_name == "totalUsers"
    assert request.order_bys[0].desc


def test_weeks_and_months_are_their_first_days(tmp_path: Path) -> None:
    """ISO weeks begin on Mondays, Google's own on Sundays; both are not cut at the window's edge."""
    with source(tmp_path, *visits()) as (found, _):
        weeks = ask(found, "report", dimensions="isoYearIsoWeek", metrics="sessions")
        months = ask(found, "report", dimensions="yearMonth", metrics="sessions")
    assert weeks["isoYearIsoWeek"].tolist() == [pd.Timestamp("2024-11-18")]
    assert months["yearMonth"].tolist() == [pd.Timestamp("2024-11-01")]


def test_an_empty_answer_is_a_typed_frame(tmp_path: Path) -> None:
    """A new property gives columns without rows."""
    with source(tmp_path) as (found, _):
        frame = ask(found, "report", dimensions=["dateHour", "country"], metrics=["sessions", "bounceRate"])
    assert [str(kind) for kind in frame.dtypes] == [
        "datetime64[ns, Europe/Berlin]",
        "object",
        "int64",
        "float64",
    ]
    assert len(frame) == 0


def test_a_property_is_found_by_its_name(tmp_path: Path) -> None:
    """As in KPI Reporter: the name or the number of account and property; all pages of the list are read."""
    with source(tmp_path, *visits(), args={"property_id": None}, accounts=ACCOUNTS) as (found, held):
        by_name = ask(found, "report", account_like="quillmoor", property_like="Shop")
        by_number = ask(found, "report", property_like=4711)
        pd.testing.assert_frame_equal(by_name, by_number)
        assert held.paths.count("/v1beta/accountSummaries") == 4


@pytest.mark.parametrize(
    ("asked", "accounts", "words"),
    [
        ({"property_like": "Shop"}, ACCOUNTS, r"fits several.*4711 \(Shop, account Quillmoor\), 9 \(Shop"),
        ({"property_like": "Wiki"}, ACCOUNTS, r"no property fits property_like 'Wiki'; there are 4711"),
        ({}, ACCOUNTS, r"may read several properties, write `property_id`: 4711"),
        ({}, [], r"may read no property: add its address"),
    ],
)
def test_a_property_that_is_not_certain_is_refused(
    tmp_path: Path, asked: dict[str, str], accounts: Any, words: str
) -> None:
    """KPI Reporter took the first; a report on the wrong shop is worse than none."""
    with (
        source(tmp_path, args={"property_id": None}, accounts=accounts) as (found, _),
        pytest.raises(QueryError, match=words),
    ):
        ask(found, "report", **asked)


def test_the_only_property_needs_no_name(tmp_path: Path) -> None:
    """One that the account may read is the one that is meant."""
    only = [{**ACCOUNTS[0], "propertySummaries": ACCOUNTS[0]["propertySummaries"][:1]}]  # type: ignore[index]
    with source(tmp_path, *visits(), args={"property_id": None}, accounts=only) as (found, _):
        assert len(ask(found, "report")) == 7
        found.check()


def test_a_wrong_key_is_told_plainly_and_at_once(tmp_path: Path) -> None:
    """Google's own words, what to do, and nothing of the key."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    stranger = private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    with source(tmp_path, args={"retry_for": 30}) as (found, held):
        key_file(tmp_path, found.args.data_url, private_key=stranger)
        with pytest.raises(QueryError, match=r"invalid_grant: Invalid JWT Signature.*JSON key") as caught:
            ask(found, "report")
        assert held.paths == ["/token"]
    assert not any(line in str(caught.value) for line in stranger.splitlines())


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"type": "authorized_user"}', "not json", None])
def test_a_file_that_is_no_key_is_told(tmp_path: Path, content: str | None) -> None:
    """Its path, and where a key comes from; a broken private key too."""
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with (
        source(tmp_path, args={"key_file": str(path)}) as (found, _),
        pytest.raises(
            QueryError, match=r"`key_file` .*other\.json (is no key|cannot be read).*download a JSON key"
        ),
    ):
        ask(found, "report")


def test_a_broken_private_key_does_not_show(tmp_path: Path) -> None:
    """Not even a part of it."""
    with source(tmp_path) as (found, _):
        key_file(tmp_path, "http://127.0.0.1:9", private_key="-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n")
        with pytest.raises(QueryError, match="is no key of a service account") as caught:
            ask(found, "report")
    assert "c2VjcmV0" not in str(caught.value)


def test_an_account_without_rights_is_told_what_to_do(tmp_path: Path) -> None:
    """403 is not tried again."""
    with source(tmp_path, args={"property_id": 1, "retry_for": 30}) as (found, held):
        with pytest.raises(QueryError, match=r"\(403\): User does not have.*as Viewer"):
            ask(found, "report")
        assert len(held.paths) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, "<html>Sign in</html>"), "not as Google documents it"),
        (Answer(200, {"rows": 7}), "not as Google documents it"),
        (Answer(200, []), "not as Google documents it"),
        (Answer(200, {"rowCount": 3}), "instead of date"),
        (Answer(404, "<html>gone</html>"), "404"),
        (error(400, "INVALID_ARGUMENT", f"Field x is not valid {TOKEN}"), r"Field x is not valid \*\*\*"),
        (error(401, "UNAUTHENTICATED", "no"), "no"),
    ],
)
def test_answers_that_are_not_googles_are_told(tmp_path: Path, answer: Answer, words: str) -> None:
    """A proxy's page, an unknown field: the message says what came, without the token."""
    with (
        source(tmp_path, next={REPORT: [answer] * 3}) as (found, _),
        pytest.raises(QueryError, match=words) as caught,
    ):
        ask(found, "report")
    assert TOKEN not in str(caught.value)


def _row(day: str = "20241118", users: str = "1") -> dict[str, Any]:
    return {"dimensionValues": [{"value": day}], "metricValues": [{"value": users}]}


@pytest.mark.parametrize(
    ("rows", "count", "words"),
    [
        ([_row("yesterday")], 1, "'yesterday', which is no time"),
        ([_row("20241399")], 1, "'20241399', which is no time"),
        ([_row(users="many")], 1, "totalUsers has a value that is no number"),
        ([{"dimensionValues": [{"value": "20241118"}]}], 1, "a row has not a value for each header"),
        ([], 5, "it ends after 0 of 5 rows"),
    ],
)
def test_malformed_rows_are_told(tmp_path: Path, rows: list[Any], count: int, words: str) -> None:
    """No wrong number, no missing page goes unseen."""
    body = {
        "dimensionHeaders": [{"name": "date"}],
        "metricHeaders": [{"name": "totalUsers", "type": "TYPE_INTEGER"}],
        "rows": rows,
        "rowCount": count,
        "metadata": {"timeZone": "Europe/Berlin"},
    }
    with (
        source(tmp_path, next={REPORT: [Answer(200, body)]}) as (found, _),
        pytest.raises(QueryError, match=words),
    ):
        ask(found, "report")


def test_the_row_of_others_has_no_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Google gathers rare values under (other); their day is missing, and the log says so."""
    body = {
        "dimensionHeaders": [{"name": "date"}],
        "metricHeaders": [{"name": "totalUsers", "type": "TYPE_INTEGER"}],
        "rows": [_row(), _row("(other)", "9")],
        "rowCount": 2,
        "metadata": {"timeZone": "Europe/Berlin", "dataLossFromOtherRow": True},
    }
    with source(tmp_path, next={REPORT: [Answer(200, body)]}) as (found, _):
        assert ask(found, "report")["date"].isna().tolist() == [False, True]
    assert "1 rows have no date" in caplog.text
    assert "ask for fewer dimensions" in caplog.text


def test_what_google_says_against_its_numbers_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Samples and thresholds."""
    sampled = {"samplesReadCount": "10", "samplingSpaceSize": "40"}
    about = {"subjectToThresholding": True, "samplingMetadatas": [sampled]}
    with source(tmp_path, *visits(), metadata=about) as (found, _):
        ask(found, "report")
    assert "a sample of 25.0 %" in caplog.text
    assert "(thresholds)" in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(tmp_path: Path, status: int) -> None:
    """Too many requests at once, a hiccup: the second answer counts."""
    busy = error(status, "RESOURCE_EXHAUSTED", "Exhausted concurrent requests quota.")
    with source(tmp_path, *visits(), args={"retry_for": 20}, next={REPORT: [busy]}) as (found, held):
        assert len(ask(found, "report")) == 7
        assert sum(path.endswith(REPORT) for path in held.paths) == 2


def test_a_quota_that_is_used_up_is_not_asked_again(tmp_path: Path) -> None:
    """Tokens of the hour or day come back later than a run can wait; each try would cost more of them."""
    words = "Exhausted property tokens per day. These quota tokens will return in under 24 hours."
    answers = [error(429, "RESOURCE_EXHAUSTED", words)] * 2
    with source(tmp_path, args={"retry_for": 30}, next={REPORT: answers}) as (found, _):
        with pytest.raises(RetriableError, match=r"quota is used up: .*under 24 hours"):
            ask(found, "report")
        assert len(answers) == 1


def test_a_slow_and_a_dead_server_are_told_apart(tmp_path: Path) -> None:
    """Both are worth another try later; the message says which it was."""
    with source(tmp_path, args={"timeout": 0.3}) as (found, held):
        found.check()
        held.pause = 0.8
        with pytest.raises(RetriableError, match=r"did not answer within 0.3 s"):
            ask(found, "report")
    with pytest.raises(RetriableError, match="cannot be reached") as caught:
        ask(found, "report")
    assert "object at" not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("body", ["<html>Log in", [], {"token": "x"}])
def test_a_page_in_the_place_of_a_token_is_told(tmp_path: Path, body: Any) -> None:
    """What answers 200 and gives no token, such as a proxy's page, is an error of the login, not of Python."""
    with (
        source(tmp_path, next={"/token": [Answer(200, body)]}) as (found, _),
        pytest.raises(QueryError) as caught,
    ):
        ask(found, "report")
    assert "login" in str(caught.value)


def test_a_login_server_that_is_away_is_worth_another_try(tmp_path: Path) -> None:
    """The key may be right."""
    with served(lambda _: Answer(503, {"error": "internal_failure"})) as address:
        key = key_file(tmp_path, address)
        found = make("googleanalytics", key_file=key, property_id=1, retry_for=0, data_url=address)
        with pytest.raises(RetriableError, match="login"):
            ask(found, "report")


def test_the_deadline_ends_a_query_of_many_pages(tmp_path: Path) -> None:
    """Time for all pages together."""
    args = {"page_size": 1, "deadline": 0.5}
    with source(tmp_path, *visits(), args=args) as (found, held):
        found.check()
        held.pause = 0.15
        with pytest.raises(RetriableError, match=r"not finished after 0.5 s|did not answer"):
            ask(found, "report")


def test_too_many_rows_are_an_error_before_they_are_fetched(tmp_path: Path) -> None:
    """The first page says how many there are."""
    args = {"max_rows": 3, "page_size": 2}
    with source(tmp_path, *visits(), args=args) as (found, held):
        with pytest.raises(QueryError, match=r"more than 3 rows.*`max_rows`"):
            ask(found, "report")
        assert len(held.reports) == 1


@pytest.mark.parametrize(
    ("text", "args", "words"),
    [
        ("users", {}, "write report"),
        ("report", {"view_like": "All"}, "GA4 has no views: remove it"),
        ("report", {"segments": []}, "no segments"),
        ("report", {"metric": "sessions"}, "did you mean 'metrics'"),
        ("report", {"metrics": []}, "name at least one"),
        ("report", {"metrics": ["ga:uniquePageviews"]}, "use screenPageViews"),
        ("report", {"metrics": ["ga:zzz"]}, "not known here"),
        ("report", {"dimensions": ["ga:dimension4"]}, "customEvent"),
        ("report", {"dimensions": ["no name"]}, "no name of a field"),
        ("report", {"dimensions": ["date", "date"]}, "asked for twice"),
        ("report", {"order_bys": ["country"]}, "neither in `dimensions`"),
        ("report", {"order_bys": [{"by": "x"}]}, "with a minus before it"),
        ("report", {"limit": 0}, "limit"),
        ("report", {"property_id": "UA-12-1"}, "which Google closed"),
        ("report", {"property_id": "G-ABC"}, "id of a data stream"),
    ],
)
def test_other_queries_are_refused_before_anything_is_sent(
    text: str, args: dict[str, Any], words: str
) -> None:
    """With what replaced them."""
    with pytest.raises(QueryError) as caught:
        GoogleAnalyticsDatasource.analyse(Query("q", "shop", text, args), None)
    assert words in str(caught.value)


def test_a_wrong_property_id_is_told_with_the_file() -> None:
    """Arguments are checked before a run."""
    with pytest.raises(ValidationError, match="id of a data stream"):
        GoogleAnalyticsArgs.model_validate({"property_id": "G-1X"})


def test_a_missing_library_is_told_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is a command that can be run."""
    monkeypatch.setitem(sys.modules, "google.analytics.data_v1beta", None)
    with source(tmp_path) as (found, _), pytest.raises(PluginError, match=r"pip install 'kpi-assets\[ga4\]'"):
        ask(found, "report")


def test_logs_hold_no_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At any level."""
    caplog.set_level(logging.DEBUG)
    with source(tmp_path, *visits(), args={"property_id": None}, accounts=ACCOUNTS) as (found, _):
        ask(found, "report", property_like="4711")
    assert TOKEN not in caplog.text
    assert json.loads((tmp_path / "key.json").read_text())["private_key"][40:80] not in caplog.text


def test_queries_side_by_side_log_in_once(tmp_path: Path) -> None:
    """One token serves all threads."""
    from concurrent.futures import ThreadPoolExecutor

    with source(tmp_path, *visits(), pause=0.02) as (found, held):
        with ThreadPoolExecutor(4) as pool:
            frames = list(pool.map(lambda _: ask(found, "report"), range(8)))
        assert held.paths.count("/token") == 1
    assert {len(frame) for frame in frames} == {7}
