"""Arguments of a key figure, and the frames that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from kpi_assets.contracts import Need, PluginArgs, Span
from kpi_assets.style.changes import ChangeRule
from kpi_assets.style.formats import check_format, parse_format
from kpi_assets.views.asking import AskingArgs, QueryRef, need


class SparklineArgs(PluginArgs):
    """The past of a figure, from one query that returns days and values."""

    query: str | QueryRef | None = Field(None, description="Query of the past; default: the figure's own.")
    datasource: str | None = Field(None, description="Id of the datasource; default: the figure's own.")
    query_args: dict[str, Any] = Field(default_factory=dict, description="Options of the datasource.")
    days: int = Field(91, ge=2, le=3660, description="Days up to the window's end.")
    step: Literal["day", "week", "window"] = Field(
        "week", description="What one point of the line stands for."
    )
    time_column: str | None = Field(None, description="Column of the days; default: the first.")
    column: str | None = Field(None, description="Column of the values; default: the second.")
    aggregate: Literal["sum", "mean", "last"] = Field(
        "sum", description="How the values of a step become one."
    )


class StatArgs(AskingArgs):
    """A key figure: a number, compared with an earlier one, with the line of its past."""

    column: str | None = Field(
        None, description="Column that is added up; default: the second, or the only one."
    )
    label: str | None = Field(
        None, description="HTML around the number, which is {stat}; or the figure's name."
    )
    link_url: str | None = Field(None, description="Where a click on the number leads.")
    qualifier: str = Field("", description="Grey words after the name, e.g. 'net of tax'.")
    unit: str = Field("", description="Unit: €, $, %, ms, points, ... % is for values that are percentages.")
    format: str = Field("", description="integer, decimal, percent (of fractions), money, compact, duration, "
                        "bytes, or a pattern like ',.1f'.")  # fmt: skip
    precision: int | None = Field(None, ge=0, le=10, description="Decimals; default: what suits the unit.")
    higher_is_better: bool | None = Field(None, description="Good direction; without it there is no verdict.")
    comparison: Literal["previous"] | None = Field(
        None, description="previous: compare with the same query over the window before."
    )
    comparison_query: str | QueryRef | None = Field(None, description="Query of the number to compare with.")
    comparison_query_args: dict[str, Any] = Field(default_factory=dict, description="Its options.")
    comparison_type: Literal["raw", "percent", "points"] | None = Field(
        None, description="How the change is worded; default: percent, or raw with comparison_query."
    )
    before_label: str | None = Field(
        None, description="Words after the earlier number, e.g. 'the week before'."
    )
    target: float | None = Field(None, gt=0, allow_inf_nan=False, description="Goal; drawn as a bar.")
    sparkline: int | SparklineArgs | None = Field(
        None, description="Number of windows that the line shows, or {query, days, step, ...}."
    )
    empty_is_zero: bool = Field(False, description="Say 0, not n/a, where the query returns no rows.")

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return check_format(value)

    @field_validator("sparkline")
    @classmethod
    def _enough_points(cls, value: int | SparklineArgs | None) -> int | SparklineArgs | None:
        if isinstance(value, int) and not 2 <= value <= 104:
            raise ValueError("a sparkline shows 2 to 104 windows")
        return value

    @property
    def is_percentage(self) -> bool:
        return self.unit == "%" or parse_format(self.format).kind == "percent"

    @property
    def compares(self) -> bool:
        return self.comparison is not None or self.comparison_query is not None

    @property
    def change_rule(self) -> ChangeRule:
        """How the change is worded. A change of a percentage is always in points: `+5 %` of 20 % says nothing."""
        chosen = self.comparison_type or ("raw" if self.comparison_query is not None else "percent")
        kind = "points" if self.is_percentage else chosen
        precision = None if kind == "percent" else self.precision
        return ChangeRule(kind, precision, self.higher_is_better, self.unit, self.format)

    def warnings(self) -> Iterator[str]:
        """What is accepted but means something else than its words."""
        if self.is_percentage and self.comparison_type in {"raw", "percent"} and self.compares:
            yield f"comparison_type: {self.comparison_type} - a change of a percentage is shown in points"
        if self.comparison is not None and self.comparison_query is not None:
            yield "comparison: previous is ignored, since comparison_query is given"
        if self.comparison_type and not self.compares:
            yield "comparison_type is ignored without comparison or comparison_query"

    def needs(self, prefix: str = "") -> Iterator[tuple[str, Need]]:
        """The frames, by role; `prefix` keeps several figures of one view apart."""
        yield f"{prefix}query", self._own(Span())
        if self.comparison_query is not None:
            other = need(self.comparison_query, self.datasource, self.comparison_query_args)
            yield f"{prefix}comparison_query", other
        elif self.comparison:
            yield f"{prefix}comparison", self._own(Span(windows_back=1))
        if isinstance(self.sparkline, int):
            for back in range(1, self.sparkline):
                yield f"{prefix}sparkline_{back}", self._own(Span(windows_back=back))
        elif self.sparkline is not None:
            yield f"{prefix}sparkline", self._past(self.sparkline)

    def _own(self, span: Span) -> Need:
        return need(self.query, self.datasource, self.query_args, span)

    def _past(self, past: SparklineArgs) -> Need:
        span = Span(days=past.days)
        if past.query is None:
            return self._own(span)
        return need(past.query, past.datasource or self.datasource, past.query_args, span)
