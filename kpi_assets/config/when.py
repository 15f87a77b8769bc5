"""`when:`, the condition on the data under which an edition is sent, or a view is part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from kpi_assets.config.base import Model

Operator = Literal["above", "below", "at_least", "at_most", "equals", "not_equals"]

OPERATORS: tuple[Operator, ...] = ("above", "below", "at_least", "at_most", "equals", "not_equals")
SIGNS: dict[str, Operator] = {
    ">": "above",
    "<": "below",
    ">=": "at_least",
    "<=": "at_most",
    "=": "equals",
    "==": "equals",
    "!=": "not_equals",
}
_ROWS = re.compile(r"(>=|<=|==|!=|=|>|<)\s*(\d+)")


def _rows(text: str) -> str:
    if not _ROWS.fullmatch(text.strip()):
        raise ValueError(
            "write a comparison with a whole number in quotes, e.g. rows: '> 0' or rows: '>= 10'"
        )
    return text.strip()


class NamedQuery(Model):
    """A query of the report's `queries`, by id."""

    ref: str = Field(description="Id of a query under `queries`.")


class ConditionConfig(Model):
    """A condition on the rows of a query, or several such conditions."""

    query: str | NamedQuery | None = Field(
        None, description="{ref: id} of a query under `queries`, or a query's text with its `datasource`."
    )
    datasource: str | None = Field(None, description="Id of the datasource; not needed with {ref: ...}.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    rows: Annotated[str, AfterValidator(_rows)] | None = Field(
        None, description="How many rows there must be: '> 0', '>= 10', '== 0'."
    )
    column: str | None = Field(None, description="Column whose value is compared, or whose changes count.")
    agg: Literal["last", "first", "max", "min", "sum", "mean"] | None = Field(
        None, description="Which value of the column: of the last or first row, or over all rows."
    )
    above: float | None = Field(None, allow_inf_nan=False, description="The value must be greater.")
    below: float | None = Field(None, allow_inf_nan=False, description="The value must be less.")
    at_least: float | None = Field(
        None, allow_inf_nan=False, description="The value must be this or greater."
    )
    at_most: float | None = Field(None, allow_inf_nan=False, description="The value must be this or less.")
    equals: bool | float | str | None = Field(None, description="The value must be this.")
    not_equals: bool | float | str | None = Field(None, description="The value must be another.")
    crossed: bool = Field(False, description="Holds only if it did not hold in the window before.")
    changed: bool = Field(False, description="The rows must be other than when the edition before was made.")
    any: tuple[ConditionConfig, ...] = Field((), description="Conditions of which one must hold.")
    all: tuple[ConditionConfig, ...] = Field((), description="Conditions that must all hold.")

    @property
    def limits(self) -> tuple[tuple[Operator, bool | float | str], ...]:
        """What a value is compared with; of `rows` too. All must hold."""
        if self.rows is not None and (found := _ROWS.fullmatch(self.rows)):
            return ((SIGNS[found[1]], float(found[2])),)
        return tuple((name, value) for name in OPERATORS if (value := getattr(self, name)) is not None)

    @model_validator(mode="after")
    def _makes_sense(self) -> ConditionConfig:
        for fault in _faults(self):
            raise ValueError(fault)
        return self


class WhenConfig(ConditionConfig):
    """The condition under which an edition is sent."""

    skips: Literal["notify", "all"] = Field(
        "notify",
        description="What is left undone where it does not hold. notify: people are not told, the page is published. "
        "all: nothing is published either.",
    )


def _faults(config: ConditionConfig) -> Iterator[str]:
    """What does not go together, the plainest first."""
    written = [name for name in type(config).model_fields if name in config.model_fields_set]
    groups = [name for name in ("any", "all") if name in written]
    others = [name for name in written if name not in ("any", "all", "skips")]
    if len(groups) + bool(others) != 1:
        yield "give one of `query`, `any` or `all`"
    elif groups:
        if not getattr(config, groups[0]):
            yield f"`{groups[0]}` is empty: list the conditions"
    elif config.query is None:
        yield "`query` is missing: {ref: id} of a query under `queries`, or its text with a `datasource`"
    else:
        yield from _faults_of_test(config)


def _faults_of_test(config: ConditionConfig) -> Iterator[str]:
    compared = any(getattr(config, name) is not None for name in OPERATORS)
    if (config.rows is not None) + compared + config.changed != 1:
        yield (
            "give one of `rows: '> 0'`, `changed: true`, or a `column` with `agg` and "
            f"one of {', '.join(OPERATORS)}"
        )
    elif compared and config.column is None:
        yield "`column` is missing: whose value is compared?"
    elif compared and config.agg is None:
        yield "`agg` is missing: which value of the column counts? last, first, max, min, sum or mean"
    elif config.rows is not None and config.column is not None:
        yield "`rows` counts rows, not values of a `column`: leave one out"
    elif config.agg is not None and not compared:
        yield "`agg` belongs to a comparison (above, below, ...): leave it out"
    elif config.changed and config.crossed:
        yield "`changed` compares with the edition before already: leave `crossed` out"
    elif _compares_text(config) and config.agg not in ("first", "last"):
        yield f"`agg: {config.agg}` makes a number, which is never equal to text: use first or last"


def _compares_text(config: ConditionConfig) -> bool:
    return isinstance(config.equals, str) or isinstance(config.not_equals, str)
