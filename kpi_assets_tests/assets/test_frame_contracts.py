"""Contracts of columns as Dagster knows them."""

import dagster as dg
import pandas as pd
import pytest

from kpi_assets.assets.frame_contracts import check_metadata, frame_type, pandas_columns, table_schema
from kpi_assets.contracts import ColumnContract, Query
from kpi_assets.frames.contract import violations

COLUMNS = (
    ColumnContract("day", "datetime", nullable=False, unique=True, description="First instant of the day"),
    ColumnContract("plan", "string", allowed=("pro", "free")),
    ColumnContract("n", "integer", min=0),
    ColumnContract("note"),
)
QUERY = Query("sign-ups", "shop", "select 1", columns=COLUMNS, description="Sign-ups a day")
DAYS = pd.Series(pd.date_range("2024-11-18", periods=2, tz="Europe/Berlin")).dt.as_unit("us")


def good() -> pd.DataFrame:
    return pd.DataFrame({"day": DAYS, "plan": ["pro", None], "n": [1, 2], "note": ["", None]})


def checked(frame: object) -> dg.TypeCheck:
    return frame_type("weekly", QUERY).type_check(dg.build_op_context(), frame)  # type: ignore[arg-type]


def test_a_good_frame_is_of_the_type() -> None:
    """Microseconds with a zone, gaps and objects pass the type check of dagster-pandas."""
    assert checked(good()).success


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plan": ["pro", "hidden-secret"]}, "not allowed (allowed: pro, free): 1 row (1)"),
        ({"n": [1, -777]}, "below 0: 1 row (1)"),
        ({"day": ["hidden-secret"] * 2}, "not of type datetime: 2 rows (0, 1)"),
        ({"day": [DAYS[0]] * 2}, "occur before: 1 row (1)"),
    ],
)
def test_a_broken_promise_fails_the_type_without_showing_values(
    change: dict[str, object], words: str
) -> None:
    """The failure tells column, bound and rows, never what the rows hold."""
    outcome = checked(good().assign(**change))
    assert not outcome.success
    assert words in str(outcome.description)
    assert "secret" not in str(outcome.description)
    assert "777" not in str(outcome.description)


def test_a_missing_column_or_no_frame_fails_the_type() -> None:
    """A column that was promised has to be there, and a frame has to be a frame."""
    assert "Required column n" in str(checked(good().drop(columns="n")).description)
    assert not checked([1]).success


def test_the_type_describes_its_columns() -> None:
    """Name and description are fit for Dagster's UI: every promise is listed."""
    type_ = frame_type("weekly", QUERY)
    assert type_.unique_name == "weekly_sign_ups_frame"
    for words in ("Sign-ups a day", "**plan**", "one of pro, free", "at least 0", "no missing values"):
        assert words in str(type_.description)


def test_promises_become_constraints() -> None:
    """Each promise is one constraint of dagster-pandas; a column without promises only has to be there."""
    assert [
        [str(c.markdown_description) for c in column.constraints] for column in pandas_columns(COLUMNS)
    ] == [
        ["of type datetime", "no missing values", "no value twice"],
        ["of type string", "one of pro, free"],
        ["of type integer", "at least 0"],
        [],
    ]


def test_the_schema_shows_types_and_promises() -> None:
    """The column schema has Dagster's type names, nullability, uniqueness and the other promises."""
    schema = table_schema(COLUMNS)
    assert schema is not None
    day, plan, n, note = schema.columns
    assert (day.type, day.constraints.nullable, day.constraints.unique) == ("datetime", False, True)
    assert day.description == "First instant of the day"
    assert (plan.type, plan.constraints.other) == ("string", ["one of pro, free"])
    assert (n.type, n.constraints.other) == ("int", ["at least 0"])
    assert (note.type, note.constraints.nullable) == ("any", True)
    assert table_schema(()) is None


def test_violations_become_a_table() -> None:
    """A check's metadata lists each broken promise with its rows; there is none where all are kept."""
    found = violations(good().assign(n=[-1, -2]), COLUMNS)
    table = check_metadata(found)["broken promises"]
    assert [record.data for record in table.records] == [
        {"column": "n", "promise": "min", "rows": 2, "first rows": "0, 1"}
    ]
    assert check_metadata(()) == {}
