"""A question -> Google's RunReportRequest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from kpi_assets.datasources.ga4.asking import Order, Question
from kpi_assets.datasources.ga4.filters import Condition


def request_of(question: Question, number: str, days: tuple[date, date], *, offset: int, limit: int) -> Any:
    """The request for one page; `days` are the first and the last one, both asked for."""
    from google.analytics.data_v1beta import types

    make: Any = types
    return make.RunReportRequest(
        property=f"properties/{number}",
        dimensions=[make.Dimension(name=field.name) for field in question.dimensions],
        metrics=[make.Metric(name=field.name) for field in question.metrics]
        + [make.Metric(name=name, invisible=True) for name in question.hidden],
        date_ranges=[make.DateRange(start_date=days[0].isoformat(), end_date=days[1].isoformat())],
        dimension_filter=_filter(make, question.filters.of(metric=False)),
        metric_filter=_filter(make, question.filters.of(metric=True)),
        order_bys=[_order(make, order) for order in question.orders],
        offset=offset,
        limit=limit,
        return_property_quota=True,
    )


def _filter(make: Any, groups: Sequence[Sequence[Condition]]) -> Any:
    if not groups:
        return None
    parts = [_joined(make, "or_group", [_condition(make, item) for item in group]) for group in groups]
    return _joined(make, "and_group", parts)


def _joined(make: Any, how: str, parts: Sequence[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    return make.FilterExpression({how: make.FilterExpressionList(expressions=parts)})


def _condition(make: Any, item: Condition) -> Any:
    kinds = make.Filter.NumericFilter if item.metric else make.Filter.StringFilter
    if item.metric:
        number = float(item.value)
        value: dict[str, Any] = (
            {"int64_value": int(number)} if number.is_integer() else {"double_value": number}
        )
        test = {"numeric_filter": kinds(operation=item.operation, value=make.NumericValue(value))}
    else:
        test = {"string_filter": kinds(match_type=item.operation, value=item.value)}
    found = make.FilterExpression(filter=make.Filter(field_name=item.field, **test))
    return make.FilterExpression(not_expression=found) if item.negated else found


def _order(make: Any, order: Order) -> Any:
    if order.metric:
        return make.OrderBy(metric=make.OrderBy.MetricOrderBy(metric_name=order.name), desc=order.descending)
    by = make.OrderBy.DimensionOrderBy(dimension_name=order.name)
    return make.OrderBy(dimension=by, desc=order.descending)
