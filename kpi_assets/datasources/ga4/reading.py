"""Pages of an answer -> compact columns: numbers as the headers say, days and hours by the property's clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kpi_assets.datasources.ga4.asking import MOMENTS, Question
from kpi_assets.logs import logger

log = logger(__name__)

NO_VALUE = ("(other)", "(not set)", "")
_DIGITS = {
    "date": 8,
    "firstSessionDate": 8,
    "dateHour": 10,
    "dateHourMinute": 12,
    "yearMonth": 6,
    "yearWeek": 6,
    "isoYearIsoWeek": 6,
}


class MalformedError(ValueError):
    """The answer is not as Google documents it."""


class Batch:
    """Columns of one page, as a Sink takes them."""

    def __init__(self, rows: int, columns: list[Any]) -> None:
        self.num_rows, self.columns = rows, columns


def batch_of(page: Any, question: Question) -> Batch:
    """The rows of a raw `RunReportResponse`. Raises MalformedError."""
    _check_headers(page, question)
    texts, numbers = _values(page, len(question.dimensions), len(question.metrics))
    columns = [
        _dimension(field.name, values) for field, values in zip(question.dimensions, texts, strict=True)
    ]
    for header, values in zip(page.metric_headers, numbers, strict=True):
        columns.append(_metric(header.name, header.type_, values))
    return Batch(len(page.rows), columns)


def _values(page: Any, dimensions: int, metrics: int) -> tuple[list[list[str]], list[list[str]]]:
    """The texts of each dimension, and of each metric, row by row."""
    texts: list[list[str]] = [[] for _ in range(dimensions)]
    numbers: list[list[str]] = [[] for _ in range(metrics)]
    for row in page.rows:
        told, counted = row.dimension_values, row.metric_values
        if len(told) != dimensions or len(counted) != metrics:
            raise MalformedError("a row has not a value for each header")
        for place, value in enumerate(told):
            texts[place].append(value.value)
        for place, value in enumerate(counted):
            numbers[place].append(value.value)
    return texts, numbers


def _check_headers(page: Any, question: Question) -> None:
    for kind, asked, headers in (
        ("dimensions", question.dimensions, page.dimension_headers),
        ("metrics", question.metrics, page.metric_headers),
    ):
        wanted, given = [field.name for field in asked], [header.name for header in headers]
        if wanted != given:
            raise MalformedError(
                f"it has the {kind} {', '.join(given) or 'none'} instead of {', '.join(wanted)}"
            )


def _metric(name: str, kind: int, values: list[str]) -> Any:
    """Whole numbers as int64, all others as float64. `kind` is MetricType: 1 is TYPE_INTEGER."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.string()).cast(pa.int64() if kind == 1 else pa.float64())
    except pa.ArrowInvalid:
        raise MalformedError(f"the metric {name} has a value that is no number") from None


def _dimension(name: str, values: list[str]) -> Any:
    import pyarrow as pa

    if name in _DIGITS:
        return _times(name, values)
    return pa.array(values, pa.string())


def _times(name: str, values: list[str]) -> Any:
    """Days as date32, hours and minutes as wall times without a zone. Each text is read once: a day has many rows."""
    import pyarrow as pa

    read = {text: _read(name, text) for text in set(values)}
    missing = sum(read[text] is None for text in values)
    if missing:
        log.warning("%d rows have no %s: Google gathers rare values under (other)", missing, name)
    kind = pa.timestamp("us") if name in MOMENTS else pa.date32()
    return pa.array([read[text] for text in values], kind)


def _read(name: str, text: str) -> Any:
    if text in NO_VALUE:
        return None
    try:
        if not (len(text) == _DIGITS[name] and text.isascii() and text.isdigit()):
            raise ValueError
        return _READERS.get(name, _moment)(text)
    except ValueError:
        raise MalformedError(f"the dimension {name} has the value '{text[:40]}', which is no time") from None


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.strptime(text.ljust(12, "0"), "%Y%m%d%H%M")


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _month(text: str) -> date:
    return date(int(text[:4]), int(text[4:]), 1)


def _iso_week(text: str) -> date:
    return date.fromisocalendar(int(text[:4]), int(text[4:]), 1)


def _week(text: str) -> date:
    """Google's weeks begin on Sundays; the first one of a year begins on January 1, whatever day that is."""
    first, number = date(int(text[:4]), 1, 1), int(text[4:])
    if not 1 <= number <= 54:
        raise ValueError
    sunday = first + timedelta(days=7 - first.isoweekday() % 7)
    return first if number == 1 else sunday + timedelta(weeks=number - 2)


_READERS: dict[str, Callable[[str], Any]] = {
    "date": _day,
    "firstSessionDate": _day,
    "yearMonth": _month,
    "yearWeek": _week,
    "isoYearIsoWeek": _iso_week,
}
