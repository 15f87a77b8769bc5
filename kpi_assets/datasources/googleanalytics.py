"""Google Analytics 4: reports of the Data API, page after page, in the property's days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.columns import Sink, TooManyRowsError
from kpi_assets.datasources.cut import cut
from kpi_assets.datasources.frame import FrameMaker
from kpi_assets.datasources.ga4.asking import Question, analysis, property_number, read_question
from kpi_assets.datasources.ga4.choosing import chosen
from kpi_assets.datasources.ga4.client import Access, GoogleClient
from kpi_assets.datasources.ga4.reading import MalformedError, batch_of
from kpi_assets.datasources.ga4.wire import request_of
from kpi_assets.datasources.times import TimeReader
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import Address, RefusedError
from kpi_assets.errors import QueryError, TooMuchError
from kpi_assets.logs import logger

if TYPE_CHECKING:
    import pandas as pd

log = logger(__name__)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class GoogleAnalyticsArgs(PluginArgs):
    """Google Analytics 4, asked as a service account."""

    key_file: str = Field(
        "/etc/kpireporter/google_oauth2_key.json",
        description="Path of the service account's key file (JSON). The account must be a Viewer of the property.",
    )
    property_id: Annotated[str | None, BeforeValidator(_as_text)] = Field(
        None,
        description="Number of the GA4 property, as under Admin > Property details; none: query_args `property_like`, "
        "or the only property that the account may read.",
    )
    timeout: float = Field(60, gt=0, le=3600, description="Seconds to wait for each answer.")
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds to go on trying while Google is away or busy."
    )
    deadline: float = Field(
        600, gt=0, le=86_400, description="Seconds for a query, all its pages and retries together."
    )
    page_size: int = Field(
        100_000,
        ge=1,
        le=250_000,
        description="Rows asked for at once; fewer need less memory and more quota.",
    )
    max_rows: int = Field(5_000_000, ge=1, description="Most rows that are taken into memory.")
    concurrency: int = Field(4, ge=1, le=10, description="Queries at once; a property allows 10.")
    data_url: Address = Field(
        "https://analyticsdata.googleapis.com",
        description="Address of the Data API, behind a proxy for instance.",
    )
    admin_url: Address = Field(
        "https://analyticsadmin.googleapis.com",
        description="Address of the Admin API, which lists properties.",
    )

    _property = field_validator("property_id")(property_number)


@dataclass(frozen=True)
class Fetched:
    """All rows of an answer, and the zone of its days."""

    sink: Sink
    zone: str


class GoogleAnalyticsDatasource(Datasource):
    """The query `report`; `query_args` say its dimensions, metrics, filters_expression, order_bys and limit."""

    Args = GoogleAnalyticsArgs
    kinds = ("googleanalytics",)
    libraries = ("google.analytics.data_v1beta",)
    language = "text"
    args: GoogleAnalyticsArgs

    def __init__(self, id: str, args: Any) -> None:
        super().__init__(id, args)
        self._zones: dict[str, str] = {}

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        del args
        return analysis(read_question(query))

    @property
    def concurrency(self) -> int:
        return self.args.concurrency

    @cached_property
    def client(self) -> GoogleClient:
        args = self.args
        access = Access(args.key_file, args.data_url, args.admin_url, args.timeout, args.retry_for)
        return GoogleClient(self.id, access)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        question = read_question(query)
        for remark in question.remarks:
            log.warning("query '%s': %s", query.id, remark)
        deadline = Deadline(self.args.deadline)
        try:
            self.client.login(deadline)
            number = self._number(question, deadline)
            return self._frame(self._fetched(question, number, window, deadline), question, window)
        except TooManyRowsError as error:
            raise TooMuchError(query.id, self.id, f"{error}: ask for less, or raise `max_rows`") from None
        except MalformedError as error:
            raise QueryError(
                query.id, self.id, f"the answer is not as Google documents it: {error}"
            ) from None
        except RefusedError as error:
            raise QueryError(query.id, self.id, str(error)) from None

    def check(self) -> None:
        """Log in; where `property_id` is not written, list the properties too."""
        deadline = Deadline(self.args.deadline)
        try:
            self.client.login(deadline)
            if self.args.property_id is None:
                next(self.client.properties(deadline), None)
        except RefusedError as error:
            raise QueryError("login", self.id, str(error)) from None

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def _number(self, question: Question, deadline: Deadline) -> str:
        """The property's number: the query's, else by name, else the datasource's, else the only one."""
        if question.property_id:
            return question.property_id
        if self.args.property_id and not (question.account_like or question.property_like):
            return self.args.property_id
        found = list(self.client.properties(deadline))
        return chosen(found, question.account_like, question.property_like).number

    def _fetched(self, question: Question, number: str, window: Window, deadline: Deadline) -> Fetched:
        """All pages. Days are the property's: where hours show that it lives in another zone, its days that cover the
        window are asked for, and what lies outside is cut off afterwards."""
        zone = self._zones.get(number, window.zone)
        while True:
            days = _days(window, zone if question.moment else window.zone)
            sink, told = self._pages(question, number, days, deadline)
            self._zones[number] = told or zone
            if not told or not question.moment or days == _days(window, told):
                _note_zone(number, told, question, window)
                return Fetched(sink, told or zone)
            zone = told

    def _pages(
        self, question: Question, number: str, days: tuple[date, date], deadline: Deadline
    ) -> tuple[Sink, str]:
        sink = Sink(self.args.max_rows)
        sink.start([field.column for field in (*question.dimensions, *question.metrics)])
        zone = ""
        while True:
            size = min(self.args.page_size, (question.limit or self.args.max_rows + 1) - sink.rows)
            request = request_of(question, number, days, offset=sink.rows, limit=size)
            page = self.client.report(request, deadline)
            zone = zone or _zone_of(page)
            wanted = min(page.row_count, question.limit or page.row_count)
            if wanted > self.args.max_rows:
                raise TooManyRowsError(self.args.max_rows)
            if not sink.rows:
                _note_quality(page)
            batch = batch_of(page, question)
            sink.add_batch(batch)
            if sink.rows >= wanted:
                return sink, zone
            if not batch.num_rows:
                raise MalformedError(f"it ends after {sink.rows} of {wanted} rows")

    def _frame(self, fetched: Fetched, question: Question, window: Window) -> pd.DataFrame:
        frame = FrameMaker(TimeReader(fetched.zone, window.zone)).frame(fetched.sink)
        return cut(frame, question.moment.column, window) if question.moment else frame


def _days(window: Window, zone: str) -> tuple[date, date]:
    """First and last day that the window touches in a zone."""
    place = ZoneInfo(zone)
    last = window.ends_at.astimezone(UTC) - timedelta(microseconds=1)
    return window.starts_at.astimezone(place).date(), last.astimezone(place).date()


def _zone_of(page: Any) -> str:
    name = page.metadata.time_zone
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MalformedError(f"'{name}' is no time zone") from None


def _note_zone(number: str, zone: str, question: Question, window: Window) -> None:
    if zone and not question.moment and _days_differ(zone, window):
        log.warning(
            "property %s counts days in %s, the report in %s: the numbers are of the property's days",
            number,
            zone,
            window.zone,
        )


def _days_differ(zone: str, window: Window) -> bool:
    ends = (window.starts_at, window.ends_at)
    return any(end.utcoffset() != end.astimezone(ZoneInfo(zone)).utcoffset() for end in ends)


def _note_quality(page: Any) -> None:
    """Say what Google itself says against its numbers, and when the quota comes to its end."""
    about = page.metadata
    for sampled in about.sampling_metadatas:
        share = sampled.samples_read_count / max(sampled.sampling_space_size, 1)
        log.warning("Google counted a sample of %.1f %% of the events: ask for fewer days", share * 100)
    if about.subject_to_thresholding:
        log.warning("Google left out rows with few users (thresholds), so sums may be too low")
    if about.data_loss_from_other_row:
        log.warning("Google gathered rare values in a row (other): ask for fewer dimensions")
    day = page.property_quota.tokens_per_day
    if page.HasField("property_quota") and day.remaining < 10 * day.consumed:
        log.warning("the property's quota of today is nearly used up: %d tokens are left", day.remaining)
