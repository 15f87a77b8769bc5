"""Prometheus: range queries over the window, one row per point and series.

Points stand at whole steps from each local midnight where the step divides a day, else from the window's start; none at
the window's end, which is the next one's start. A range is asked for in parts of 11,000 points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, model_validator

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.answered import Answer, complaint, is_passing
from kpi_assets.datasources.promql.answer import AnswerError, Points, TooManyPointsError, points_of
from kpi_assets.datasources.promql.grid import Run, cuts_days, runs
from kpi_assets.datasources.promql.text import PersonalTextError, personal, ranged_call
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import Login, RefusedError, WebArgs, WebClient
from kpi_assets.errors import QueryError, TooMuchError, suggest
from kpi_assets.logs import logger
from kpi_assets.style.durations import parse_duration

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)

RANGE = "/api/v1/query_range"
LONG_TEXT = 2_000
"""Longer queries are sent as a form: servers and proxies limit the length of addresses."""
OPTIONS = ("step",)
LOGIN = "`basic_auth` or `bearer_token`"


class BasicAuth(PluginArgs):
    """A user and a password."""

    username: str = Field(min_length=1, description="User.")
    password: SecretStr = Field(description="Password: write {env: NAME}.")


class PrometheusArgs(WebArgs):
    """A Prometheus server, or one that speaks its API (Thanos, Mimir, VictoriaMetrics)."""

    basic_auth: BasicAuth | None = Field(
        None, description="Login: {username: reader, password: {env: NAME}}."
    )
    bearer_token: SecretStr | None = Field(None, description="Login with a token: write {env: NAME}.")
    max_rows: int = Field(5_000_000, ge=1, description="Most points that are taken into memory.")

    @model_validator(mode="after")
    def _one_login(self) -> PrometheusArgs:
        if self.basic_auth and self.bearer_token:
            raise ValueError("give `basic_auth` or `bearer_token`, not both")
        return self

    @property
    def login(self) -> Login:
        if self.basic_auth:
            return Login(self.basic_auth.username, self.basic_auth.password.get_secret_value())
        return Login(token=self.bearer_token.get_secret_value() if self.bearer_token else "")


class PrometheusDatasource(Datasource):
    """PromQL over the window, as time, value and a column per label; `query_args: {step: 1h}` sets the distance."""

    Args = PrometheusArgs
    kinds = ("prometheus",)
    language = "promql"
    binds_recipients = True
    args: PrometheusArgs

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        del args
        step = _step(query)
        if not query.text.strip():
            raise QueryError(query.id, query.datasource, "the query is empty")
        _personal(query, lambda _: "x")
        if not cuts_days(step):
            return QueryAnalysis("window", "the step does not divide a day", "time")
        if call := ranged_call(query.text):
            return QueryAnalysis("window", f"{call} depends on the range that is asked for")
        return QueryAnalysis("day", "each point is computed by itself, and the step divides a day", "time")

    @property
    def concurrency(self) -> int:
        return self.args.concurrency

    @cached_property
    def client(self) -> WebClient:
        return WebClient(self.id, self.args, self.args.login, _is_passing)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        step = _step(query)
        values = query.recipient.values if query.recipient else {}
        text = _personal(query, values.__getitem__)
        found, deadline = Points(self.args.max_rows), self.client.deadline()
        try:
            for run in runs(window, step):
                for part in _asked(self._ask(text, run, deadline), query.id):
                    found.add(part)
        except TooManyPointsError as error:
            raise TooMuchError(query.id, self.id, str(error)) from None
        except (RefusedError, AnswerError) as error:
            raise QueryError(query.id, self.id, self.client.redacted(str(error))) from None
        return found.frame(window.zone)

    def check(self) -> None:
        try:
            answer = self.client.get("/api/v1/query", {"query": "1"}, self.client.deadline())
            _data(answer, self.args.shown_host)
        except RefusedError as error:
            raise QueryError("login", self.id, self.client.redacted(str(error))) from None

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def _ask(self, text: str, run: Run, deadline: Deadline) -> Any:
        form = {
            "query": text,
            "start": _seconds(run.first),
            "end": _seconds(run.last),
            "step": _seconds(run.step),
        }
        send = self.client.get if len(text) <= LONG_TEXT else self.client.post
        answer = send(RANGE, form, deadline)
        return _data(answer, self.args.shown_host)


def _asked(body: Any, query: str) -> Iterator[Any]:
    """The series of one answer; what the server warns about is logged."""
    for warning in body.get("warnings") or ():
        log.warning("query '%s': the server says: %s", query, warning)
    yield from points_of(body.get("data"))


def _data(answer: Answer, host: str) -> Any:
    """The answer's JSON. Raises RefusedError in the server's words."""
    body = answer.json
    if isinstance(body, dict) and body.get("status") == "error":
        kind, words = body.get("errorType") or "error", body.get("error") or "without a reason"
        raise RefusedError(f"{host} says: {words} ({kind})")
    if answer.status == 404:
        raise RefusedError(
            f"{host} has no Prometheus API (404): is `host` right, with the path before /api/v1?"
        )
    if answer.status != 200:
        raise RefusedError(complaint(answer, host, LOGIN))
    if not isinstance(body, dict) or body.get("status") != "success":
        raise RefusedError(
            f"{host} answers with something that is not Prometheus' JSON ({answer.kind or 'no type'})"
        )
    return body


def _is_passing(answer: Answer) -> bool:
    """A query that took too long is answered with 503 too; asking again would only cost as much again."""
    if isinstance(answer.json, dict) and "errorType" in answer.json:
        return answer.json["errorType"] == "unavailable"
    return is_passing(answer)


def _personal(query: Query, value: Callable[[str], Any]) -> str:
    """The text that is sent. Raises QueryError."""
    try:
        return personal(query.text.strip(), value)
    except PersonalTextError as error:
        raise QueryError(query.id, query.datasource, str(error)) from None
    except KeyError as error:
        raise QueryError(
            query.id, query.datasource, f"{{recipient.{error.args[0]}}} has no value here"
        ) from None


def _step(query: Query) -> int:
    """Milliseconds between points. Raises QueryError, for options that are not known too."""
    for name in query.args:
        if name not in OPTIONS:
            raise QueryError(
                query.id, query.datasource, f"query_args: unknown key '{name}'; {suggest(name, OPTIONS)}"
            )
    try:
        return parse_duration(query.args.get("step", "1h"))
    except ValueError as error:
        raise QueryError(query.id, query.datasource, f"query_args: step: {error}") from None


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}" if rest else str(whole)
