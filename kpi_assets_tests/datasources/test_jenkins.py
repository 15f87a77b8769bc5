"""The jenkins datasource against a server that speaks Jenkins' documented JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Query, Window
from kpi_assets.datasources.jenkins import JenkinsArgs, JenkinsDatasource
from kpi_assets.errors import QueryError, RetriableError
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.datasources.jenkins_peer import (
    MULTIBRANCH,
    TOKEN,
    USER,
    Jenkins,
    build,
    folder,
    jenkins,
    job,
)
from kpi_assets_tests.outputs.http_peers import Answer
from kpi_assets_tests.secrets import secret

JOBS = (
    job("svc-a", [build(n, "SUCCESS", seconds=n) for n in range(30, 0, -1)]),
    folder(
        "tëam",
        folder("deep", folder("deeper", folder("deepest", job("bottom", [build(1, "FAILURE")], score=0)))),
        folder("repo", job("main", []), job("feature%2Fx y", [build(2, None)], None), kind=MULTIBRANCH),
    ),
)
NAMES = ["svc-a", "tëam/deep/deeper/deepest/bottom", "tëam/repo/main", "tëam/repo/feature%2Fx y"]


@contextmanager
def source(
    *jobs: dict[str, Any], args: Any = None, **more: Any
) -> Iterator[tuple[JenkinsDatasource, Jenkins]]:
    """A datasource on a Jenkins with these jobs; `args` over the right login."""
    with jenkins(*jobs, **more) as (address, held):
        given = {"host": address.removeprefix("http://"), "user": USER, "api_token": TOKEN, "retry_for": 0}
        found = make("jenkins", **{**given, **(args or {})})
        try:
            yield found, held
        finally:
            found.close()


def test_all_jobs_are_listed_in_all_folders() -> None:
    """Jobs, not folders, by full name; folders deeper than one answer brings are asked for."""
    with source(*JOBS) as (found, _):
        frame = ask(found, "get_all_jobs")
    assert list(frame.columns) == ["fullname", "name", "url", "color"]
    assert frame["fullname"].tolist() == NAMES


def test_folders_are_told_by_their_class_where_the_tree_ends() -> None:
    """A sixth level needs a second listing, no more."""
    inner = job("x", [])
    for name in "edcba":
        inner = folder(name, inner)
    with source(inner) as (found, held):
        assert ask(found, "get_all_jobs")["fullname"].tolist() == ["a/b/c/d/e/x"]
        assert len(held.asked) == 2


def test_one_jobs_last_builds_are_given_newest_first() -> None:
    """Ten builds with the first health report in each row, times in the report's zone."""
    with source(*JOBS) as (found, _):
        frame = ask(found, "get_job_info svc-a")
    assert frame["number"].tolist() == [float(n) for n in range(30, 20, -1)]
    assert set(frame["score"]) == {100.0}
    assert frame["duration"][0] == 30_000
    assert frame["timestamp"][0] == pd.Timestamp("2024-11-18 10:00:30", tz="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("get_job_info tëam/repo/feature%2Fx y", {}),
        ("get_job_info", {"name": "tëam/repo/feature%2Fx y"}),
        ("get_job_info job/t%C3%ABam/job/repo/job/feature%252Fx%20y/", {}),
    ],
)
def test_a_branch_is_found_however_its_name_is_written(text: str, args: dict[str, str]) -> None:
    """Slashes, blanks and letters of any script are quoted as Jenkins wants them."""
    with source(*JOBS) as (found, _):
        frame = ask(found, text, **args)
    assert frame["number"].tolist() == [2.0]
    assert frame["result"].isna().all()
    assert frame["score"].isna().all()


def test_builds_of_all_jobs_come_in_one_frame() -> None:
    """The last ones of each job, its health beside them; a job without builds has a row without one."""
    with source(*JOBS) as (found, _):
        frame = ask(found, "builds", limit=3)
    assert frame["job"].tolist() == ["svc-a"] * 3 + [NAMES[1], NAMES[3], NAMES[2]]
    assert frame["number"].tolist()[:5] == [30.0, 29.0, 28.0, 1.0, 2.0]
    assert frame["number"].isna().tolist() == [False] * 5 + [True]
    assert frame["building"].tolist() == [False, False, False, False, True, False]
    assert frame["seconds"].tolist()[:3] == [30.0, 29.0, 28.0]


def test_builds_after_the_window_are_left_out() -> None:
    """An edition made later shows what one made in time showed."""
    builds = [build(3, "FAILURE", day=20), build(2, "SUCCESS", day=19), build(1, "SUCCESS", day=18)]
    with source(job("a", builds)) as (found, _):
        frame = ask(found, "builds", Window(date(2024, 11, 18), date(2024, 11, 20), "Europe/Berlin"))
    assert frame["number"].tolist() == [2.0, 1.0]


def test_jobs_are_asked_for_side_by_side_within_the_bound() -> None:
    """Never more than `concurrency` requests at once, and more than one."""
    many = [job(f"j{n}", [build(1, "SUCCESS")]) for n in range(12)]
    with source(*many, args={"concurrency": 3}, pause=0.05) as (found, held):
        assert len(ask(found, "builds")) == 12
    assert 1 < held.at_once <= 3


def test_a_job_deleted_meanwhile_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The other jobs are shown, the log tells which one is not."""
    gone = {"/job/b": Answer(404, "")}
    with source(job("a", []), job("b", []), broken=gone) as (found, _):
        assert ask(found, "builds")["job"].tolist() == ["a"]
    assert "'b'" in caplog.text


@pytest.mark.parametrize("text", ["get_job_info nope", "get_job_info tëam/nope"])
def test_a_job_that_is_not_there_is_named(text: str) -> None:
    """404 is told with the job's name."""
    with source(*JOBS) as (found, _), pytest.raises(QueryError, match=r"has not a job '.*nope' \(404\)"):
        ask(found, text)


def test_jenkins_without_jobs_gives_no_rows() -> None:
    """An empty server is no error."""
    with source() as (found, _):
        assert len(ask(found, "get_all_jobs")) == 0
        assert len(ask(found, "builds")) == 0
        found.check()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"api_token": secret("wrong")}, r"refused the login \(401\): check `user` and `api_token`"),
        ({"user": None, "api_token": None}, r"wants a login \(403\): give `user` and `api_token`"),
    ],
)
def test_a_wrong_login_is_told_plainly_and_at_once(args: dict[str, Any], words: str) -> None:
    """No retry, no secret, and the arguments to look at."""
    with source(*JOBS, args={**args, "retry_for": 30}) as (found, held):
        with pytest.raises(QueryError, match=words) as caught:
            ask(found, "builds")
        assert len(held.asked) == 1
    assert secret("wrong") not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, "<html>Sign in</html>", {"Content-Type": "text/html"}), "not JSON"),
        (Answer(200, {"jobs": [{"url": "x"}]}), "not what Jenkins documents"),
        (Answer(200, {"jobs": 7}), "not what Jenkins documents"),
        (Answer(200, "[]", {"Content-Type": "application/json"}), "not JSON"),
        (
            Answer(302, "", {"Location": "https://sso.example/login?token=s"}),
            "redirects to https://sso.example/login ",
        ),
        (Answer(500, "Oops"), "answers 500: Oops"),
        (Answer(404, "Not Found"), "has no Jenkins API (404): is `host` right"),
    ],
)
def test_answers_that_are_not_jenkins_are_told(answer: Answer, words: str) -> None:
    """A login page, another server, a proxy: the message says what came."""
    with (
        source(broken={"": answer}) as (found, _),
        pytest.raises(QueryError, match="datasource 'shop'") as caught,
    ):
        ask(found, "get_all_jobs")
    assert words in str(caught.value)


def test_a_malformed_build_is_told() -> None:
    """A build without number is not Jenkins' JSON."""
    with source(job("a", [{"number": "x"}])) as (found, _), pytest.raises(QueryError, match="documents"):
        ask(found, "get_job_info a")


def test_a_server_that_starts_up_is_asked_again() -> None:
    """503 passes: the second answer counts."""
    held = Jenkins({"jobs": [job("a", [])]}, token="")
    answers: list[Answer] = [Answer(503, "Jenkins is getting ready")]
    from kpi_assets_tests.outputs.http_peers import served

    with served(lambda asked: answers.pop() if answers else held.answer(asked)) as address:
        found = make("jenkins", host=address, retry_for=20)
        assert ask(found, "get_all_jobs")["fullname"].tolist() == ["a"]
        found.close()


def test_a_slow_and_a_dead_server_are_told_apart() -> None:
    """Both are worth another try later; the message says which it was."""
    slow = source(*JOBS, args={"timeout": 0.05}, pause=0.5)
    with slow as (found, _), pytest.raises(RetriableError, match=r"did not answer within 0.05 s"):
        ask(found, "builds")
    with pytest.raises(RetriableError, match="cannot be reached"):
        ask(found, "builds")
    found.close()


def test_all_requests_of_a_query_have_one_deadline() -> None:
    """However patient each request is, the query ends at `deadline`, and says so."""
    jobs = [job(f"job-{n}", []) for n in range(20)]
    args = {"concurrency": 1, "deadline": 0.5, "retry_for": 60, "timeout": 30}
    with (
        source(*jobs, args=args, pause=0.1) as (found, held),
        pytest.raises(RetriableError, match=r"did not answer the whole query within 0.5 s \(`deadline`\)"),
    ):
        ask(found, "builds")
    assert len(held.asked) < len(jobs)


@pytest.mark.parametrize(
    ("text", "args", "words"),
    [
        ("get_all_job", {}, "did you mean 'get_all_jobs'"),
        ("delete_job x", {}, "allowed: builds, get_all_jobs, get_job_info"),
        ("get_job_info", {}, "get_job_info <job>"),
        ("builds x", {}, "or builds"),
        ("builds", {"limit": 0}, "from 1 to 100"),
        ("builds", {"limits": 3}, "did you mean 'limit'"),
    ],
)
def test_other_queries_are_refused_before_anything_is_sent(
    text: str, args: dict[str, Any], words: str
) -> None:
    """With what is allowed."""
    with pytest.raises(QueryError) as caught:
        JenkinsDatasource.analyse(Query("q", "shop", text, args), None)
    assert words in str(caught.value)


def test_answers_cannot_be_cut_by_days() -> None:
    """Jenkins gives the latest builds, so the grain is the window."""
    assert JenkinsDatasource.analyse(Query("q", "shop", "builds"), None).grain == "window"


def test_half_a_login_is_refused() -> None:
    """A user without token would be asked as nobody."""
    with pytest.raises(ValidationError, match="belong together"):
        JenkinsArgs(host="jenkins:8080", user="ci")  # pyright: ignore[reportCallIssue]
