"""`query_args` of a report query -> a question in GA4's words; of what GA4 does not know any more, what replaced it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from kpi_assets.contracts import PluginArgs, Query, QueryAnalysis
from kpi_assets.datasources.ga4.filters import Filters, parse
from kpi_assets.datasources.ga4.names import is_daily, is_metric, modern, remark
from kpi_assets.errors import QueryError, suggest

DAYS = ("date", "yearWeek", "isoYearIsoWeek", "yearMonth")
MOMENTS = ("dateHour", "dateHourMinute")
REPLACED = {
    "view_like": "GA4 has no views: remove it, and filter by hostName or streamName where the view did",
    "view_id": "GA4 has no views: write the property's number as `property_id` instead",
    "segments": "GA4's API has no segments: write their condition in `filters_expression`",
    "segment": "GA4's API has no segments: write their condition in `filters_expression`",
    "metric_filter_clauses": "write `filters_expression`, such as sessions>100",
    "dimension_filter_clauses": "write `filters_expression`, such as country==Germany",
    "filters": "write `filters_expression`, such as country==Germany",
    "date_ranges": "the range is the report's window: remove it",
    "start_date": "the range is the report's window: remove it",
    "end_date": "the range is the report's window: remove it",
    "sampling_level": "GA4 has no sampling levels: remove it",
    "include_empty_rows": "rows without events are left out: remove it",
    "pivots": "pivots are not asked for: use a heat_table view over two dimensions",
    "cohort_group": "cohorts are not asked for: remove it",
    "page_size": "all rows are fetched: remove it, or write `limit`",
    "page_token": "all pages are fetched: remove it",
}


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str | Mapping) else value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Id = Annotated[str | None, BeforeValidator(_as_text)]


def property_number(value: str | None) -> str | None:
    """The digits of `properties/123` or `123`. Raises ValueError for the other ids that Google shows."""
    if value is None:
        return None
    if found := re.fullmatch(r"\s*(?:properties/)?(\d+)\s*", value):
        return found[1]
    what = (
        "a property of Universal Analytics, which Google closed" if value.startswith("UA-") else "no number"
    )
    if value.startswith("G-"):
        what = "the id of a data stream"
    raise ValueError(f"`property_id` '{value}' is {what}: write the number under Admin > Property details")


class ReportOptions(PluginArgs):
    """The options of a query."""

    dimensions: Names = ("date",)
    metrics: Names = ("totalUsers",)
    filters_expression: str | None = None
    order_bys: Annotated[tuple[str | dict[str, str], ...], BeforeValidator(_as_list)] | None = None
    limit: int | None = Field(None, ge=1)
    property_id: Id = None
    account_like: Id = None
    property_like: Id = None

    _property = field_validator("property_id")(property_number)

    @field_validator("metrics")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one, such as sessions")
        return value


@dataclass(frozen=True)
class Asked:
    """A dimension or metric: the column's name, as written, and GA4's own."""

    column: str
    name: str


@dataclass(frozen=True)
class Order:
    """One level of the order, by GA4's name."""

    name: str
    metric: bool
    descending: bool = False


@dataclass(frozen=True)
class Question:
    """A report query as understood. `dimensions` begin with those that are time; `remarks` are sentences to be logged.

    `hidden` are metrics that are only filtered or ordered by.
    """

    dimensions: tuple[Asked, ...]
    metrics: tuple[Asked, ...]
    filters: Filters
    orders: tuple[Order, ...]
    ordered: bool
    hidden: tuple[str, ...] = ()
    limit: int | None = None
    property_id: str | None = None
    account_like: str | None = None
    property_like: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def moment(self) -> Asked | None:
        """The dimension that tells the hour."""
        return next((field for field in self.dimensions if field.name in MOMENTS), None)

    @property
    def day(self) -> Asked | None:
        """The dimension that tells the day."""
        return self.moment or next((field for field in self.dimensions if field.name == "date"), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that decides what a row counts."""
        return tuple(field.name for field in (*self.dimensions, *self.metrics)) + self.filters.fields


def read_question(query: Query) -> Question:
    """The query's meaning. Raises QueryError."""
    try:
        if query.text.strip() not in ("", "report"):
            raise ValueError(
                f"'{query.text.strip()[:40]}' is no query: write report, and what of it in query_args"
            )
        return _question(_options(query.args))
    except ValueError as error:
        raise QueryError(query.id, query.datasource, str(error)) from None


def _options(args: Mapping[str, Any]) -> ReportOptions:
    for name in args:
        if name in REPLACED:
            raise ValueError(f"query_args: {name}: {REPLACED[name]}")
        if name not in ReportOptions.model_fields:
            raise ValueError(f"query_args: unknown key '{name}'; {suggest(name, ReportOptions.model_fields)}")
    try:
        return ReportOptions.model_validate(dict(args))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"query_args: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def _question(options: ReportOptions) -> Question:
    written = (*options.dimensions, *options.metrics)
    dimensions = _time_first([Asked(name, modern(name)) for name in options.dimensions])
    metrics = tuple(Asked(name, modern(name)) for name in options.metrics)
    _refuse_twice([field.name for field in (*dimensions, *metrics)])
    own = [field.name for field in metrics]
    filters = parse(options.filters_expression or "", own)
    chosen = tuple(_order(item, [f.name for f in dimensions], own) for item in options.order_bys or ())
    asked = [c.field for group in filters.groups for c in group if c.metric] + [
        o.name for o in chosen if o.metric
    ]
    return Question(
        dimensions,
        metrics,
        filters,
        _whole_order(chosen, dimensions, metrics),
        ordered=bool(chosen),
        hidden=tuple(dict.fromkeys(name for name in asked if name not in own)),
        limit=options.limit,
        property_id=options.property_id,
        account_like=options.account_like,
        property_like=options.property_like,
        remarks=tuple(sentence for sentence in map(remark, written) if sentence),
    )


def _time_first(fields: Sequence[Asked]) -> tuple[Asked, ...]:
    return tuple(sorted(fields, key=lambda field: field.name not in (*DAYS, *MOMENTS)))


def _refuse_twice(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"query_args: '{name}' is asked for twice")


def _order(item: str | dict[str, str], dimensions: Sequence[str], metrics: Sequence[str]) -> Order:
    """`sessions`, `-sessions`, or the old API's {fieldName: ga:sessions, sortOrder: DESCENDING}."""
    if isinstance(item, str):
        written, descending = item.removeprefix("-"), item.startswith("-")
    else:
        given = {key.replace("_", "").lower(): value for key, value in item.items()}
        written = given.pop("fieldname", "")
        direction = given.pop("sortorder", "ASCENDING")
        given.pop("ordertype", None)
        if not written or given or direction not in ("ASCENDING", "DESCENDING"):
            raise ValueError(
                "query_args: order_bys: write a field's name, with a minus before it for falling order"
            )
        descending = direction == "DESCENDING"
    name = modern(written)
    metric = name not in dimensions and (name in metrics or is_metric(name))
    if not metric and name not in dimensions:
        raise ValueError(f"query_args: order_bys: '{written}' is neither in `dimensions` nor in `metrics`")
    return Order(name, metric, descending)


def _whole_order(
    chosen: Sequence[Order], dimensions: Sequence[Asked], metrics: Sequence[Asked]
) -> tuple[Order, ...]:
    """The order asked for, or by time, or the greatest first; always down to the last dimension, for pages must
    neither share a row nor lose one."""
    orders = list(chosen)
    if not orders and not (dimensions and dimensions[0].name in (*DAYS, *MOMENTS)):
        orders = [Order(metrics[0].name, metric=True, descending=True)]
    there = {order.name for order in orders}
    return (*orders, *(Order(f.name, metric=False) for f in dimensions if f.name not in there))


def analysis(question: Question) -> QueryAnalysis:
    """Whether days can be cut. Rows of a day are those of a longer range as long as every part looks at one day."""
    day = question.day
    if day is None:
        return QueryAnalysis("window", "no dimension tells the day: add date", None)
    if question.limit is not None:
        return QueryAnalysis("window", "`limit` keeps other rows of a day than of a longer range")
    if question.filters.of(metric=True):
        return QueryAnalysis("window", "it filters by a metric")
    first = question.orders[0]
    if question.ordered and (first.descending or first.name not in ("date", *MOMENTS)):
        return QueryAnalysis("window", "its order is not by day first")
    for name in question.names:
        if not is_daily(name):
            return QueryAnalysis("window", f"it is not certain that {name} looks at one day alone")
    return QueryAnalysis("day", f"each row is of one {day.column}", day.column)
