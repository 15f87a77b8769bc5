from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from kpi_assets.contracts import Window
from kpi_assets.datasources.bounds import bound_value
from kpi_assets.datasources.dialects import DUCKDB, GENERIC, MYSQL, POSTGRESQL, SQLITE, Dialect
from kpi_assets.datasources.tokens import Params, TokenError, bind

TEN_DAYS = Window(date(2024, 11, 18), date(2024, 11, 28), "Europe/Berlin")
FROM, TO, BEFORE = datetime(2024, 11, 18), datetime(2024, 11, 28), datetime(2024, 11, 8)


def bound(text: str, dialect: Dialect, params: Any = (), style: str = "qmark") -> tuple[str, Any]:
    form = "text" if dialect is SQLITE else "native"
    statement = bind(
        text,
        dialect,
        window=TEN_DAYS,
        to_bound=lambda instant: bound_value(instant, "Europe/Berlin", form),
        params=Params(params),
    )
    return statement.for_driver(style)


def test_tokens_are_bound() -> None:
    """`{from}` and `{to}` become parameters, in the order of the text."""
    text, values = bound("select * from t where ts < {to} and ts >= {from}", DUCKDB)
    assert text == "select * from t where ts < ? and ts >= ?"
    assert values == [TO, FROM]


@pytest.mark.parametrize(
    ("dialect", "rendered"),
    [
        (MYSQL, "INTERVAL 10 DAY"),
        (POSTGRESQL, "INTERVAL '10 days'"),
        (DUCKDB, "INTERVAL 10 DAY"),
        (GENERIC, "INTERVAL '10' DAY"),
    ],
)
def test_interval_has_the_windows_length(dialect: Dialect, rendered: str) -> None:
    """`{interval}` is as long as the window, not as long as the report's usual one."""
    assert bound("select now() - {interval}", dialect) == (f"select now() - {rendered}", None)


@pytest.mark.parametrize(
    "written", ["date_sub({from}, {interval})", "DATE_SUB( {from} ,{interval} )", "{from} - {interval}"]
)
@pytest.mark.parametrize("dialect", [POSTGRESQL, DUCKDB, GENERIC])
def test_the_window_before_is_counted_in_days(dialect: Dialect, written: str) -> None:
    """The start of the window before is bound as a value of its own, in every dialect and notation."""
    assert bound(f"a >= {written}", dialect) == ("a >= ?", [BEFORE])


def test_the_window_before_is_right_over_a_dst_change() -> None:
    """Bounds of a datasource in UTC follow the report's midnight, also before the clocks changed."""
    window = Window(date(2024, 3, 31), date(2024, 4, 7), "Europe/Berlin")
    statement = bind(
        "{from} {from} - {interval}",
        POSTGRESQL,
        window=window,
        to_bound=lambda instant: bound_value(instant, "UTC", "native"),
        params=Params(),
    )
    assert statement.values == (datetime(2024, 3, 30, 23), datetime(2024, 3, 23, 23))


@pytest.mark.parametrize("text", ["a - {from} - {interval}", "{from} - {interval} * 2"])
def test_other_arithmetic_is_left_to_the_database(text: str) -> None:
    """What is not the window before by the rules of arithmetic is not taken for it."""
    assert "INTERVAL 10 DAY" in bound(text, DUCKDB)[0]


def test_sqlite_intervals_are_modifiers() -> None:
    """On SQLite an interval moves a date with `datetime`, forth or back."""
    text, values = bound(
        "datetime(a, {interval}), datetime(b, -{interval}), datetime(c, - {interval})", SQLITE
    )
    assert (text, values) == (
        "datetime(a, '10 days'), datetime(b, '-10 days'), datetime(c, '-10 days')",
        None,
    )


@pytest.mark.parametrize(
    "written", ["datetime({from}, -{interval})", "{from} - {interval}", "date_sub({from}, {interval})"]
)
def test_sqlite_binds_the_window_before_as_a_day(written: str) -> None:
    """The start of the window before is a day's text on SQLite, so it compares with days and moments alike."""
    assert bound(written, SQLITE) == ("?", ["2024-11-08"])


def test_sqlite_refuses_to_subtract_text() -> None:
    """`value - {interval}` would be a subtraction of texts, that is a wrong number: it is refused."""
    with pytest.raises(TokenError, match=r"datetime\(value, -\{interval\}\)"):
        bound("select created_at - {interval}", SQLITE)


@pytest.mark.parametrize(
    "text",
    [
        "select a::date",
        "select ':x'",
        "select {'a': 1}",
        "select x[1:2]",
        "-- {from}\nselect 1",
        "select {{from}}",
    ],
)
def test_other_marks_are_left_alone(text: str) -> None:
    """Casts, braces, slices, strings and comments are sent as written."""
    assert bound(text, DUCKDB) == (text, None)


def test_a_quoted_token_is_refused() -> None:
    """A token in quotes, which nothing can be bound to, is an error rather than a comparison with its name."""
    with pytest.raises(TokenError, match="without them"):
        bound("select * from t where ts >= '{from}'", MYSQL)


@pytest.mark.parametrize("dialect", [MYSQL, POSTGRESQL])
def test_doubled_percent_of_old_queries(dialect: Dialect) -> None:
    """Texts in which every `%` is doubled mean single ones."""
    text, _ = bound("select date_format(ts, '%%Y-%%m') from t", dialect)
    assert text == "select date_format(ts, '%Y-%m') from t"


@pytest.mark.parametrize("text", ["a like '%x%'", "a like '%%x%'", "a % 2"])
def test_single_percent_is_literal(text: str) -> None:
    """A `%` that is not doubled throughout is kept, and doubled for drivers that would read it."""
    assert bound(text, MYSQL)[0] == text
    assert bound(f"{text} and b = {{from}}", MYSQL, style="pyformat")[0].startswith(text.replace("%", "%%"))


def test_mysql_bounds_are_timestamps() -> None:
    """A bound is a timestamp on MySQL, not text that would be compared as text with text columns."""
    assert bound("a >= {from} and b < timestamp {to}", MYSQL)[0] == "a >= TIMESTAMP ? and b < timestamp ?"


@pytest.mark.parametrize(
    ("dialect", "text", "params", "values"),
    [
        (SQLITE, "a = ? and ts >= {from} and b = '?' and c = ?", [1, 2], [1, "2024-11-18", 2]),
        (MYSQL, "a = %s and b like '%%s' and ts >= {from}", [1], [1, FROM]),
        (POSTGRESQL, "a = :x and b::x = :x and c = ':x'", {"x": 1}, [1, 1]),
        (POSTGRESQL, "a = %(x)s and j ? 'k'", {"x": 1}, [1]),
        (SQLITE, "a = @x and b = $y", {"x": 1, "y": 2}, [1, 2]),
    ],
)
def test_own_parameters(dialect: Dialect, text: str, params: Any, values: list[Any]) -> None:
    """`query_args.params` fill the query's own placeholders, beside the tokens."""
    assert bound(text, dialect, params)[1] == values


@pytest.mark.parametrize(
    ("params", "message"),
    [([], ""), ([1], "more placeholders"), ([1, 2, 3], "holds 3 values, but the query has 2")],
)
def test_parameters_are_counted(params: list[int], message: str) -> None:
    """Too many or too few values are an error before anything is sent."""
    if not params:
        assert bound("? ?", SQLITE, params) == ("? ?", None)
        return
    with pytest.raises(TokenError, match=message):
        bound("? ?", SQLITE, params)


def test_a_named_parameter_without_placeholder_is_named() -> None:
    """A misspelt name is told."""
    with pytest.raises(TokenError, match="no placeholder for contry"):
        bound(":country", SQLITE, {"contry": "DE"})


@pytest.mark.parametrize(
    ("style", "text", "values"),
    [
        ("qmark", "a % ? b ?", [FROM, TO]),
        ("numeric", "a % :1 b :2", [FROM, TO]),
        ("named", "a % :kpi_0 b :kpi_1", {"kpi_0": FROM, "kpi_1": TO}),
        ("format", "a %% %s b %s", [FROM, TO]),
        ("pyformat", "a %% %(kpi_0)s b %(kpi_1)s", {"kpi_0": FROM, "kpi_1": TO}),
    ],
)
def test_every_paramstyle(style: str, text: str, values: Any) -> None:
    """The five styles of DB-API drivers are written."""
    assert bound("a % {from} b {to}", GENERIC, style=style) == (text, values)
