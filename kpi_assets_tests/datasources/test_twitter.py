"""The twitter datasource against a server that speaks X's documented API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.twitter import TwitterArgs, TwitterDatasource
from kpi_assets.errors import PluginError, QueryError, RetriableError
from kpi_assets_tests.datasources.helpers import WEEK, ask, make
from kpi_assets_tests.datasources.x_peer import BEARER, KEYS, X, post, problem, x
from kpi_assets_tests.outputs.http_peers import Answer, served

BERLIN = ZoneInfo("Europe/Berlin")
SECRETS = (BEARER, *KEYS.values())


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2024, 11, day, hour, minute, tzinfo=BERLIN)


@contextmanager
def source(*posts: dict[str, Any], args: Any = None, **more: Any) -> Iterator[tuple[TwitterDatasource, X]]:
    """A datasource of the user 42 on an X with these posts; `args` over the right login."""
    with x(posts, **more) as (address, held):
        given = {"api_url": address, **KEYS, "retry_for": 0, "pagination_delay_s": 0}
        found = make("twitter", **{**given, **(args or {})})
        try:
            yield found, held
        finally:
            found.close()


def test_the_own_posts_of_the_window_come_with_their_counts() -> None:
    """Times in the report's zone, ids as text, counts as whole numbers, retweets and quotes also together."""
    posts = (
        post(2, at(20, 9, 30), "Grüße &amp; 🚲", 7, replies=1, retweets=2, quotes=3),
        post(1, at(18), likes=1),
    )
    with source(*posts) as (found, _):
        frame = ask(found, "tweets")
    assert frame["time"].tolist() == [pd.Timestamp(at(18)), pd.Timestamp(at(20, 9, 30))]
    assert str(frame["time"].dtype) == "datetime64[ns, Europe/Berlin]"
    assert frame["id"].tolist() == ["1", "2"]
    last = frame.iloc[1]
    assert (last["text"], last["url"]) == ("Grüße & 🚲", "https://x.com/quillmoor/status/2")
    counts = ["like_count", "reply_count", "retweet_count", "quote_count", "retweet_and_quote_count"]
    assert last[counts].tolist() == [7, 1, 2, 3, 5]
    assert {str(frame[name].dtype) for name in counts} == {"int64"}
    assert last["engagements"] == 8.0


def test_the_window_is_half_open_in_the_reports_zone() -> None:
    """A post at the first midnight counts, one at the last does not, though X includes the end."""
    edges = (post(1, at(18, 0)), post(2, at(17, 23, 59)), post(3, at(24, 23, 59)), post(4, at(25, 0)))
    with source(*edges) as (found, held):
        assert ask(found, "tweets")["id"].tolist() == ["1", "3"]
    assert held.asked[1][1]["start_time"] == "2024-11-17T23:00:00Z"
    assert held.asked[1][1]["end_time"] == "2024-11-24T23:00:00Z"


def test_days_asked_one_by_one_give_the_rows_of_the_window() -> None:
    """That is what day grain promises; on the day that clocks change too."""
    week = Window(date(2024, 10, 24), date(2024, 10, 31), "Europe/Berlin")
    first = datetime(2024, 10, 24, tzinfo=UTC)
    posts = [post(n, first + timedelta(minutes=37 * n), likes=n) for n in range(300)]
    with source(*posts) as (found, _):
        whole = ask(found, "tweets", week)
        days = [ask(found, "tweets", Window.of_day(day, week.zone)) for day in week.days]
    assert len(whole) > 250
    pd.testing.assert_frame_equal(pd.concat(days, ignore_index=True), whole)
    assert TwitterDatasource.analyse(Query("q", "shop", "tweets"), None).day_column == "time"


def test_private_counts_do_not_cost_older_posts() -> None:
    """X leaves posts older than 30 days out where private counts are asked for; here they come without them."""
    with source(post(1, at(18)), post(2, at(22)), recent="2024-11-20T00:00:00Z") as (found, _):
        frame = ask(found, "tweets")
    assert frame["id"].tolist() == ["1", "2"]
    assert frame["engagements"].isna().tolist() == [True, False]


def test_private_counts_can_be_left_out() -> None:
    """One request less, and no columns of them."""
    with source(post(1, at(18))) as (found, held):
        frame = ask(found, "tweets", non_public_metrics=False)
        assert "engagements" not in frame.columns
        assert [path for path, _ in held.asked] == ["/2/users/me", "/2/users/42/tweets"]


def test_all_pages_are_fetched() -> None:
    """250 posts are three pages; none comes twice."""
    posts = [post(n, at(18) + timedelta(minutes=n)) for n in range(1, 251)]
    with source(*posts) as (found, held):
        frame = ask(found, "tweets", non_public_metrics=False)
    assert frame["id"].tolist() == [str(n) for n in range(1, 251)]
    assert [form.get("pagination_token") for _, form in held.asked[1:]] == [None, "t100", "t200"]


def test_pages_are_asked_for_with_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pagination_delay_s` lies between pages, not after the last one."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    posts = [post(n, at(18)) for n in range(1, 151)]
    with source(*posts, args={"pagination_delay_s": 5}) as (found, _):
        ask(found, "tweets", non_public_metrics=False)
    assert [pause for pause in pauses if pause > 1] == [5]


def test_another_account_is_found_by_its_name() -> None:
    """With or without the at sign; its private counts are not asked for."""
    theirs = {"7": [post(5, at(19), likes=3)]}
    with source(others=theirs) as (found, held):
        frame = ask(found, "tweets", username="@other", exclude="replies")
        assert frame["url"].tolist() == ["https://x.com/Other/status/5"]
        assert held.asked[-1][1]["exclude"] == "replies"
        assert "engagements" not in frame.columns


def test_an_app_reads_what_is_public() -> None:
    """A bearer token is enough for an account that is named."""
    with source(post(1, at(19)), args={**dict.fromkeys(KEYS), "bearer_token": BEARER}) as (found, _):
        assert len(ask(found, "tweets", username="quillmoor")) == 1
        with pytest.raises(QueryError, match=r"query_args\.username, or log in as a user"):
            ask(found, "tweets")


def test_kpi_reporters_names_of_the_keys_are_known() -> None:
    """consumer_key, consumer_secret and access_token_key."""
    old = {"consumer_key": "a", "consumer_secret": "b", "access_token_key": "c", "access_token_secret": "d"}
    assert TwitterArgs.model_validate(old).login.access_token == "c"


def test_no_posts_are_an_empty_frame_with_its_columns() -> None:
    """Types are those of a full one."""
    with source() as (found, _):
        frame = ask(found, "tweets")
    assert len(frame) == 0
    assert str(frame["time"].dtype) == "datetime64[ns, Europe/Berlin]"
    assert {"id", "text", "like_count", "retweet_and_quote_count", "engagements"} <= set(frame.columns)


def test_a_rate_limit_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until X says that it ends, where that is before the deadline."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    limit = problem(
        429, "Too Many Requests", "Too Many Requests", x_rate_limit_reset=str(int(time.time()) + 30)
    )
    with source(post(1, at(19)), next=[limit]) as (found, _):
        assert len(ask(found, "tweets")) == 1
    assert [round(pause) for pause in pauses if pause > 1] in ([30], [31])


def test_a_limit_that_ended_by_our_clock_is_not_asked_for_every_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where X's clock is behind ours, each pause is twice the one before."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    limit = problem(429, "Too Many Requests", "Too Many Requests", x_rate_limit_reset="1700000000")
    with source(post(1, at(19)), next=[limit] * 4) as (found, _):
        assert len(ask(found, "tweets")) == 1
    assert [pause for pause in pauses if pause >= 1] == [1, 2, 4, 8]


@pytest.mark.parametrize("meta", [[1], {"next_token": "t1"}], ids=["list", "circle"])
def test_pages_that_do_not_go_on_are_told(meta: Any) -> None:
    """What names the next page wrongly, or the same again and again, is no answer of X."""
    me = Answer(200, {"data": {"id": "42", "name": "Quillmoor", "username": "quillmoor"}})
    with source(next=[me, *[Answer(200, {"data": [], "meta": meta})] * 5]) as (found, held):
        with pytest.raises(QueryError, match="not as X documents it"):
            ask(found, "tweets")
        assert len(held.asked) <= 3


def test_a_months_posts_that_are_used_up_are_not_waited_for() -> None:
    """X says it with 429 as well: it is told at once, in X's words."""
    cap = problem(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap")
    with source(next=[cap], args={"retry_for": 60}) as (found, held):
        with pytest.raises(RetriableError, match="Monthly product cap: run again when X's month"):
            ask(found, "tweets")
        assert len(held.asked) == 1


def test_a_rate_limit_beyond_the_deadline_is_told_at_once() -> None:
    """With the time at which it ends."""
    ends = datetime(2099, 1, 2, 3, 4, tzinfo=UTC)
    limit = problem(429, "Too Many Requests", "x", x_rate_limit_reset=str(int(ends.timestamp())))
    with source(next=[limit]) as (found, _), pytest.raises(RetriableError, match="2099-01-02 03:04 UTC"):
        ask(found, "tweets")


@pytest.mark.parametrize("name", ["api_secret", "access_token_secret", "access_token"])
def test_a_wrong_key_is_told_plainly_and_at_once(name: str) -> None:
    """No retry, no secret, and the arguments to look at."""
    with source(args={name: "wrong-wrong-wrong", "retry_for": 30}) as (found, held):
        with pytest.raises(QueryError, match=r"401.*`api_key` with `access_token`") as caught:
            ask(found, "tweets")
        assert len(held.asked) == 1
    assert not any(secret in str(caught.value) for secret in (*SECRETS, "wrong-wrong-wrong"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, "<html>Sign in</html>"), "not JSON"),
        (Answer(200, [1]), "not as X documents it"),
        (Answer(200, {"data": {"name": "x"}}), "has no id"),
        (Answer(400, [1]), "not as X documents it"),
        (problem(403, "Forbidden", "client-not-enrolled"), "access level"),
        (problem(402, "Payment Required", "No credits"), "no credits left"),
        (Answer(302, "", {"Location": "https://sso.example/?t=s"}), "X answers 302"),
        (Answer(400, {"detail": f"bad {BEARER} {KEYS['api_secret']}"}), r"bad \*\*\* \*\*\*"),
    ],
)
def test_answers_that_are_not_xs_are_told(answer: Answer, words: str) -> None:
    """A proxy's page, another server, a refusal: the message says what came, without keys."""
    with (
        source(next=[answer], args={"bearer_token": BEARER}) as (found, _),
        pytest.raises(QueryError, match=words) as caught,
    ):
        ask(found, "tweets")
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    "change", [{"created_at": "yesterday"}, {"created_at": None}, {"public_metrics": {"like_count": "many"}}]
)
def test_a_malformed_post_is_told(change: dict[str, Any]) -> None:
    """A post without a time, or with a count that is no number, is not X's."""
    broken = Answer(200, {"data": [{**post(1, at(19)), **change}], "meta": {}})
    me = Answer(200, {"data": {"id": "42", "username": "quillmoor"}})
    with (
        source(next=[me, broken]) as (found, _),
        pytest.raises(QueryError, match="a post is not as X documents"),
    ):
        ask(found, "tweets")


def test_unknown_and_protected_accounts_are_told_in_xs_words() -> None:
    """X answers 200 with errors, which is no empty timeline."""
    with source() as (found, held):
        with pytest.raises(QueryError, match=r"Could not find user with username: \[nobody\]"):
            ask(found, "tweets", username="nobody")
        me = Answer(200, {"data": {"id": "42", "username": "quillmoor"}})
        held.next = [me, Answer(200, {"errors": [{"detail": "Sorry, you are not authorized."}]})]
        with pytest.raises(QueryError, match="shows no posts of 'quillmoor': Sorry"):
            ask(found, "tweets")


def test_a_server_that_is_down_for_a_moment_is_asked_again() -> None:
    """503 passes: the second answer counts."""
    down = problem(503, "Service Unavailable", "Over capacity")
    with source(post(1, at(19)), next=[down], args={"retry_for": 20}) as (found, _):
        assert len(ask(found, "tweets")) == 1


def test_a_slow_and_a_dead_server_are_told_apart() -> None:
    """Both are worth another try later; the message says which it was."""

    def slow(_: Any) -> Answer:
        time.sleep(0.5)
        return Answer(200, {})

    with served(slow) as address:
        found = make("twitter", api_url=address, **KEYS, retry_for=0, timeout=0.05)
        with pytest.raises(RetriableError, match=r"did not answer within 0.05 s"):
            ask(found, "tweets")
    with pytest.raises(RetriableError, match="cannot be reached") as caught:
        ask(found, "tweets")
    assert not any(secret in str(caught.value) for secret in SECRETS)
    found.close()


def test_the_deadline_ends_a_query_of_many_pages() -> None:
    """Pauses between pages count."""
    posts = [post(n, at(18)) for n in range(1, 401)]
    args = {"deadline": 0.2, "pagination_delay_s": 0.15}
    with (
        source(*posts, args=args) as (found, _),
        pytest.raises(RetriableError, match=r"not finished after 0.2 s"),
    ):
        ask(found, "tweets")


def test_debug_logs_hold_no_keys(caplog: pytest.LogCaptureFixture) -> None:
    """tweepy would print each request's headers."""
    caplog.set_level("DEBUG")
    with source(post(1, at(19)), args={"bearer_token": BEARER}) as (found, _):
        ask(found, "tweets")
        ask(found, "tweets", username="other")
    assert not any(secret in caplog.text for secret in SECRETS)


@pytest.mark.parametrize(
    ("text", "args", "words"),
    [
        ("followers", {}, "write tweets"),
        ("tweets", {"user_name": "x"}, "did you mean 'username'"),
        ("tweets", {"username": "no such name"}, "username"),
        ("tweets", {"exclude": ["likes"]}, "exclude"),
    ],
)
def test_other_queries_are_refused_before_anything_is_sent(
    text: str, args: dict[str, Any], words: str
) -> None:
    """With what is allowed."""
    with pytest.raises(QueryError, match=words):
        TwitterDatasource.analyse(Query("q", "shop", text, args), None)


@pytest.mark.parametrize("args", [{}, {"api_key": "a"}, {"bearer_token": "b", "access_token": "c"}])
def test_half_a_login_is_refused(args: dict[str, str]) -> None:
    """A key alone signs nothing."""
    with pytest.raises(ValidationError, match=r"belong together|login is missing"):
        TwitterArgs.model_validate(args)


def test_a_missing_library_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is a command that can be run."""
    import sys

    monkeypatch.setitem(sys.modules, "tweepy", None)
    with source() as (found, _), pytest.raises(PluginError, match=r"pip install 'kpi-assets\[x\]'"):
        ask(found, "tweets", WEEK)


def test_check_asks_who_is_logged_in() -> None:
    """`doctor` needs no account's name."""
    with source() as (found, held):
        found.check()
        assert held.asked[0][0] == "/2/users/me"
