"""BigQuery through Google's client: named parameters with types, a time limit for the job, pages of rows as they come.

BigQuery has no read-only sessions, so only the guard and the account's roles keep statements from writing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_assets.datasources.backend import Backend, Job, Verdict
from kpi_assets.datasources.columns import Sink
from kpi_assets.datasources.dialects import BIGQUERY, Dialect
from kpi_assets.datasources.tokens import Statement, Value
from kpi_assets.datasources.urls import ConnectionUrl

if TYPE_CHECKING:
    from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

_PAGE = 10_000
_GRACE = 30
_PASSING = {408, 429, 500, 502, 503, 504}
_PASSING_REASONS = {
    "rateLimitExceeded",
    "backendError",
    "internalError",
    "jobRateLimitExceeded",
    "quotaExceeded",
}


class BigQueryBackend(Backend):
    """A Google Cloud project. Login, location and dataset are those of the URL, as sqlalchemy-bigquery reads it."""

    dialect: ClassVar[Dialect] = BIGQUERY

    def __init__(
        self, url: ConnectionUrl, connect_args: Mapping[str, Any], *, concurrency: int, timeout: float
    ) -> None:
        del concurrency, timeout  # the datasource bounds the threads, and each job knows its limit
        self.url, self.connect_args = url, connect_args

    @cached_property
    def client(self) -> Any:
        """The client that the URL leads to. Threads share it."""
        from sqlalchemy import create_engine

        engine = create_engine(self.url.text, **self.connect_args)
        made: Any = engine.dialect.create_connect_args(engine.url)[1]
        return made["client"]

    def bound(self, instant: datetime, zone: str) -> Any:
        """A TIMESTAMP; columns of another type need `datetime({from})` or `date({from})`."""
        del zone
        return instant.astimezone(UTC)

    def run(self, job: Job, sink: Sink) -> None:
        text, parameters = named(job.statement)
        rows = self.client.query_and_wait(
            text,
            job_config=config_of(job, parameters),
            page_size=_PAGE,
            wait_timeout=job.timeout + _GRACE,
            retry=None,
            job_retry=None,
        )
        sink.start([field.name for field in rows.schema])
        for page in rows.pages:
            sink.add_rows([row.values() for row in page])

    def errors(self) -> tuple[type[Exception], ...]:
        from concurrent.futures import TimeoutError as WaitedTooLongError

        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        return (GoogleAPIError, GoogleAuthError, OSError, KeyError, ValueError, WaitedTooLongError)

    def verdict(self, error: Exception) -> Verdict:
        if isinstance(error, TimeoutError) or "job timed out" in str(error).lower():
            return Verdict.TIMEOUT
        code = getattr(error, "code", None)
        if code is not None:
            reasons = {part.get("reason") for part in getattr(error, "errors", ())}
            return Verdict.AWAY if code in _PASSING or reasons & _PASSING_REASONS else Verdict.REFUSED
        lost = isinstance(error, OSError) and not isinstance(error, FileNotFoundError | ValueError)
        return Verdict.AWAY if lost or type(error).__name__ == "TransportError" else Verdict.REFUSED

    def words(self, error: Exception) -> str:
        if isinstance(error, KeyError | ValueError):
            return f"the answer is none of BigQuery's ({type(error).__name__})"
        return super().words(Exception(getattr(error, "message", None) or str(error)))

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()
            del self.client


def config_of(job: Job, parameters: list[ScalarQueryParameter]) -> QueryJobConfig:
    """The job's limit and zone: functions of dates go by the report's days."""
    from google.cloud.bigquery import ConnectionProperty, QueryJobConfig

    config = QueryJobConfig(
        query_parameters=parameters, connection_properties=[ConnectionProperty("time_zone", job.zone)]
    )
    config.job_timeout_ms = math.ceil(job.timeout * 1000)
    return config


def named(statement: Statement) -> tuple[str, list[ScalarQueryParameter]]:
    """The text with `@name` parameters, and the parameters."""
    from google.cloud.bigquery import ScalarQueryParameter

    values = {f"kpi_{number}": value for number, value in enumerate(statement.values)}
    names = iter(values)
    text = "".join(f"@{next(names)}" if isinstance(part, Value) else part for part in statement.parts)
    return text, [ScalarQueryParameter(name, _type(value), value) for name, value in values.items()]


def _type(value: Any) -> str:
    if isinstance(value, datetime):
        return "TIMESTAMP" if value.tzinfo else "DATETIME"
    kinds = {bool: "BOOL", int: "INT64", float: "FLOAT64", date: "DATE", Decimal: "NUMERIC", bytes: "BYTES"}
    return kinds.get(type(value), "STRING")
