"""Jenkins: its jobs, one job's builds, or the last builds of all jobs.

Builds that started after the window are left out. Names, colours and health are those of now, which is all it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from pydantic import Field, SecretStr, model_validator

from kpi_assets.contracts import Datasource, Query, QueryAnalysis, Window
from kpi_assets.datasources.answered import Answer, complaint
from kpi_assets.datasources.ci.frames import builds_frame, info_frame, jobs_frame
from kpi_assets.datasources.ci.jobs import Job, JobInfo, info_of, jobs_in, listing_tree, path_of
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import Login, RefusedError, WebArgs, WebClient
from kpi_assets.errors import QueryError, suggest
from kpi_assets.logs import inherited, logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)
T = TypeVar("T")

QUERIES = ("get_all_jobs", "get_job_info", "builds")
FORM = "write get_all_jobs, get_job_info <job> (folders with /), or builds"
JOB_NAMES = ("name", "job", "job_name", "fullname")
"""Keys of `query_args` that may name the job of get_job_info, as KPI Reporter's call did."""
LIMIT = 10
KNOWN = 100
"""Builds that Jenkins lists of a job; of these the ones before the window's end count."""
BUILD = "number,result,building,timestamp,duration,url,displayName"
LOGIN = "`user` and `api_token`"
ROOT = "no Jenkins API"


class JenkinsArgs(WebArgs):
    """A Jenkins server."""

    user: str | None = Field(
        None, description="User who may read the jobs; none: what anonymous visitors see."
    )
    api_token: SecretStr | None = Field(None, description="The user's API token: write {env: NAME}.")
    concurrency: int = Field(8, ge=1, le=64, description="Jobs that are asked for at once.")

    @model_validator(mode="after")
    def _both(self) -> JenkinsArgs:
        if bool(self.user) != bool(self.api_token):
            raise ValueError("`user` and `api_token` belong together: give both or neither")
        return self

    @property
    def login(self) -> Login:
        if self.user and self.api_token:
            return Login(self.user, self.api_token.get_secret_value())
        return Login()


@dataclass(frozen=True)
class Question:
    """A query as understood: one of QUERIES, its job, and how many builds per job."""

    name: str
    job: tuple[str, ...] = ()
    limit: int = LIMIT


@dataclass(frozen=True)
class Asking:
    """A query while it is answered: how many builds per job, of which window, until when."""

    limit: int
    window: Window
    deadline: Deadline


class JenkinsDatasource(Datasource):
    """Queries: `get_all_jobs`, `get_job_info <job>`, or `builds`, those of all jobs (`query_args: {limit: 10}`)."""

    Args = JenkinsArgs
    kinds = ("jenkins",)
    language = "text"
    args: JenkinsArgs

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        del args
        _question(query)
        return QueryAnalysis("window", "Jenkins tells the latest builds, not those of a day")

    @cached_property
    def client(self) -> WebClient:
        return WebClient(self.id, self.args, self.args.login)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        question = _question(query)
        asking = Asking(question.limit, window, self.client.deadline())
        answers: dict[str, Callable[[], pd.DataFrame]] = {
            "get_all_jobs": lambda: jobs_frame(self._jobs(asking)),
            "get_job_info": lambda: info_frame(self._info(Job(question.job), asking), window.zone),
            "builds": lambda: self._builds(asking),
        }
        try:
            return answers[question.name]()
        except RefusedError as error:
            raise QueryError(query.id, self.id, self.client.redacted(str(error))) from None

    def check(self) -> None:
        try:
            self._json("", {"tree": "mode"}, ROOT, self.client.deadline())
        except RefusedError as error:
            raise QueryError("login", self.id, self.client.redacted(str(error))) from None

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def _builds(self, asking: Asking) -> pd.DataFrame:
        from concurrent.futures import ThreadPoolExecutor

        jobs = self._jobs(asking)
        with ThreadPoolExecutor(self.args.concurrency, thread_name_prefix=self.id) as pool:
            look = inherited(self._info_if_there)
            futures = [pool.submit(look, job, asking) for job in jobs]
            try:
                found = [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return builds_frame([info for info in found if info], asking.window.zone)

    def _jobs(self, asking: Asking) -> list[Job]:
        def listing(names: tuple[str, ...]) -> Any:
            what = f"a folder '{'/'.join(names)}'" if names else ROOT
            return self._json(path_of(names), {"tree": listing_tree()}, what, asking.deadline)

        return _read(lambda: list(jobs_in(listing(()), (), listing)))

    def _info_if_there(self, job: Job, asking: Asking) -> JobInfo | None:
        """None for a job that was deleted since it was listed."""
        try:
            return self._info(job, asking)
        except MissingError as error:
            log.warning("datasource '%s': %s", self.id, error)
            return None

    def _info(self, job: Job, asking: Asking) -> JobInfo:
        tree = f"name,url,color,healthReport[score,description],builds[{BUILD}]{{0,{KNOWN}}}"
        body = self._json(job.path, {"tree": tree}, f"a job '{job.fullname}'", asking.deadline)
        before = round(asking.window.ends_at.timestamp() * 1000)
        return _read(lambda: info_of(job, body, before, asking.limit))

    def _json(self, path: str, params: dict[str, str], what: str, deadline: Deadline) -> Any:
        """The JSON of an address. Raises RefusedError, MissingError where Jenkins does not have `what`."""
        answer = self.client.get(f"{path}/api/json", params, deadline)
        if answer.status == 404 and what == ROOT:
            raise RefusedError(
                f"{self.args.shown_host} has {ROOT} (404): is `host` right, with the path before /api/json?"
            )
        if answer.status == 404:
            raise MissingError(
                f"{self.args.shown_host} has not {what} (404), or does not show it to this user"
            )
        if answer.status != 200:
            raise RefusedError(self._complaint(answer))
        if not isinstance(answer.json, dict):
            raise RefusedError(
                f"{self.args.shown_host} answers with something that is not JSON ({answer.kind or 'no type'}): "
                "is `host` the address of Jenkins, with its path?"
            )
        return answer.json

    def _complaint(self, answer: Answer) -> str:
        if answer.status in {401, 403} and not self.args.user:
            return f"{self.args.shown_host} wants a login ({answer.status}): give {LOGIN}"
        return complaint(answer, self.args.shown_host, LOGIN)


class MissingError(RefusedError):
    """Jenkins answers 404."""


def _read(read: Callable[[], T]) -> T:
    """What `read` makes of an answer. Raises RefusedError where the answer is not as documented."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise RefusedError(
            f"its JSON is not what Jenkins documents ({type(error).__name__}: {error})"
        ) from None


def _question(query: Query) -> Question:
    """The query's meaning. Raises QueryError."""
    name, _, rest = query.text.strip().partition(" ")
    if name not in QUERIES:
        raise QueryError(
            query.id, query.datasource, f"'{name}' is no query; {suggest(name, QUERIES)} ({FORM})"
        )
    allowed = ("limit", *JOB_NAMES) if name == "get_job_info" else ("limit",) if name == "builds" else ()
    for key in query.args:
        if key not in allowed:
            raise QueryError(
                query.id, query.datasource, f"query_args: unknown key '{key}'; {suggest(key, allowed)}"
            )
    job = rest.strip() or next((str(query.args[key]) for key in JOB_NAMES if key in query.args), "")
    if bool(job) != (name == "get_job_info"):
        raise QueryError(query.id, query.datasource, FORM)
    return Question(name, _names(job), _limit(query))


def _names(job: str) -> tuple[str, ...]:
    """`folder/name`, also as in Jenkins' addresses: `job/folder/job/name`."""
    names: Sequence[str] = [name for name in job.strip("/").split("/") if name]
    if len(names) > 1 and len(names) % 2 == 0 and set(names[::2]) == {"job"}:
        names = [unquote(name) for name in names[1::2]]
    return tuple(names)


def _limit(query: Query) -> int:
    limit = query.args.get("limit", LIMIT)
    if not isinstance(limit, int) or not 1 <= limit <= KNOWN:
        raise QueryError(query.id, query.datasource, f"query_args: limit must be a number from 1 to {KNOWN}")
    return limit
