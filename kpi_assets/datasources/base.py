"""What every SQL datasource does with a query: check, bind, send with retries, count, make the frame."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, SecretStr, field_validator

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.backend import Backend, Job, Verdict
from kpi_assets.datasources.bounds import TimestampFormat, bound_value
from kpi_assets.datasources.columns import Sink, TooManyRowsError
from kpi_assets.datasources.dialects import Dialect
from kpi_assets.datasources.frame import FrameError, FrameMaker
from kpi_assets.datasources.guard import refusal
from kpi_assets.datasources.options import QueryOptions, read_options
from kpi_assets.datasources.times import TimeReader
from kpi_assets.datasources.tokens import NOBODY, Statement, TokenError, bind
from kpi_assets.datasources.urls import ConnectionUrl
from kpi_assets.errors import DataError, QueryError, RetriableError, TooMuchError, redact
from kpi_assets.logs import logger
from kpi_assets.retries import TransientError, attempts

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)


class SqlArgs(PluginArgs):
    """What every SQL datasource takes."""

    timezone: str | None = Field(
        None, description="IANA zone of timestamps without an offset; default: the report's."
    )
    statement_timeout: float = Field(300, gt=0, description="Seconds a query may take.")
    retry_for: float = Field(60, ge=0, description="Seconds to go on trying while the server is away.")
    concurrency: int = Field(4, ge=1, le=64, description="Queries at once, and connections at most.")
    max_rows: int = Field(5_000_000, ge=1, description="Longest answer that is taken into memory.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"'{value}' is not a time zone; write an IANA name such as Europe/Berlin"
            ) from error

    @property
    def time_format(self) -> TimestampFormat:
        """How columns hold time."""
        return "native"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not show in a message."""
        found: list[str] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                found.append(value.get_secret_value())
                found.extend(ConnectionUrl(value.get_secret_value()).secrets if name == "url" else ())
        return tuple(found)


class AwayError(TransientError):
    """A passing fault, already redacted; tried again."""


class SqlDatasourceBase(Datasource):
    """Base of the SQL datasources: subclasses say which backend their arguments mean."""

    Args: ClassVar[type[PluginArgs]] = SqlArgs
    kinds: ClassVar[tuple[str, ...]] = ("sql",)
    language: ClassVar[str] = "sql"
    binds_recipients: ClassVar[bool] = True

    args: Any

    @classmethod
    @abstractmethod
    def dialect_of(cls, args: Any) -> Dialect:
        """The dialect that arguments lead to, without I/O."""

    @abstractmethod
    def make_backend(self) -> Backend:
        """The backend of this instance, not yet opened."""

    @cached_property
    def backend(self) -> Backend:
        return self.make_backend()

    @property
    def concurrency(self) -> int:
        return self.args.concurrency

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        from kpi_assets.datasources.analysis import analyse_query

        return analyse_query(query, cls.dialect_of(args), args)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        options = read_options(query)
        if reason := refusal(query.text, self.dialect_of(self.args)):
            raise QueryError(query.id, self.id, reason)
        zone = self.args.timezone or window.zone
        statement = self._bind(query, window, zone, options)
        job = Job(statement, zone, window.starts_at, window.ends_at, self.args.statement_timeout)
        sink = self._fetch(query, job)
        try:
            frame = self._frame_maker(zone, window.zone, options).frame(sink)
        except FrameError as error:
            raise QueryError(query.id, self.id, str(error)) from error
        return self._counted(query, sink.rows, frame)

    def check(self) -> None:
        now = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        job = Job(
            Statement(("select 1",)), self.args.timezone or "UTC", now, now, self.args.statement_timeout
        )
        self._fetch(Query("login", self.id, "select 1"), job)

    def close(self) -> None:
        if "backend" in self.__dict__:
            self.backend.close()

    def _bind(self, query: Query, window: Window, zone: str, options: QueryOptions) -> Statement:
        form = self.args.time_format

        def to_bound(instant: datetime) -> Any:
            native = form == "native"
            return self.backend.bound(instant, zone) if native else bound_value(instant, zone, form)

        try:
            return bind(
                query.text,
                self.backend.dialect,
                window=window,
                to_bound=to_bound,
                params=options.params,
                recipient=query.recipient.values if query.recipient else NOBODY,
            )
        except TokenError as error:
            raise QueryError(query.id, self.id, str(error)) from error

    def _frame_maker(self, zone: str, report_zone: str, options: QueryOptions) -> FrameMaker:
        form = self.args.time_format
        times = TimeReader(zone, report_zone, "ms" if form == "epoch_ms" else "s")
        return FrameMaker(times, options, detect_times=form in ("text", "iso"))

    def _fetch(self, query: Query, job: Job) -> Sink:
        """The answer, tried again while the server is away, within one deadline."""
        try:
            for attempt in attempts(AwayError, self.args.retry_for, first=0.2, longest=10):
                with attempt:
                    return self._attempt(query, job)
        except AwayError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from error
        raise RetriableError(f"datasource '{self.id}': nothing was tried")  # pragma: no cover

    def _attempt(self, query: Query, job: Job) -> Sink:
        sink = Sink(self.args.max_rows)
        try:
            self.backend.run(job, sink)
        except TooManyRowsError as error:
            fix = f"aggregate in the query, or raise `max_rows` of datasource '{self.id}'"
            raise TooMuchError(query.id, self.id, f"{error}: {fix}") from None
        except self.backend.errors() as error:
            # The driver's exception may hold the statement with its values: it is not chained.
            raise self._translated(query, job, error) from None
        return sink

    def _translated(self, query: Query, job: Job, error: Exception) -> Exception:
        words = self._redacted(self.backend.words(error), job)
        match self.backend.verdict(error):
            case Verdict.AWAY:
                return AwayError(words)
            case Verdict.BUSY:
                return RetriableError(f"datasource '{self.id}': {words}")
            case Verdict.TIMEOUT:
                limit = f"it took longer than {job.timeout:g} s and was stopped: make it cheaper, or raise"
                return TooMuchError(
                    query.id, self.id, f"{limit} `statement_timeout` of datasource '{self.id}'"
                )
            case Verdict.REFUSED:
                return QueryError(query.id, self.id, words)

    def _redacted(self, words: str, job: Job) -> str:
        params = [value for value in job.statement.values if isinstance(value, str) and len(value) >= 4]
        return redact(words, [*self.args.secrets, *params])

    def _counted(self, query: Query, rows: int, frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) != rows:
            raise DataError(f"query '{query.id}': {rows} rows came in, but the frame holds {len(frame)}")
        log.debug("query %s: %d rows, %d columns", query.id, rows, len(frame.columns))
        return frame
