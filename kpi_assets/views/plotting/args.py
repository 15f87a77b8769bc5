"""Arguments of a plot: those of KPI Reporter, and ours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from kpi_assets.contracts import PluginArgs
from kpi_assets.style.formats import check_format
from kpi_assets.views.asking import AskingArgs
from kpi_assets.views.plotting.rc import rc_warnings

KINDS = ("line", "bar", "scatter", "area")
HEX = r"^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"


class MarkArgs(PluginArgs):
    """Something that happened, shown as a ring with a few words."""

    at: date | datetime = Field(description="Day or moment, in the report's time zone.")
    label: str = Field("", description="Bold words; default: the day.")
    note: str = Field("", description="Grey words beneath, up to five.")


class PlotArgs(AskingArgs):
    """A chart of the rows of one query."""

    time_column: str = Field(
        "time", description="Column of the horizontal axis; default: `time`, else the first column."
    )
    kind: Literal["line", "bar", "scatter", "area"] = Field("line", description="Form of the chart.")
    groupby: tuple[str, ...] = Field((), description="Column(s) whose values split the rows into series.")
    stacked: bool = Field(False, description="Put series on top of each other (bars, areas, lines as areas).")
    legend: bool | dict[str, Any] | None = Field(
        None, description="Default: names at the marks. true or {title, ncol, loc}: a legend; false: neither."
    )
    label_map: dict[str, str] = Field(default_factory=dict, description="Names of series as printed.")
    bar_labels: bool = Field(False, description="Values at the bars, in short where whole ones have no room.")
    xtick_rotation: float = Field(0, ge=-90, le=90, description="Angle of the names under bars, in degrees.")
    link_url: str | None = Field(None, description="Where a click on the chart leads.")
    plot_rc: dict[str, Any] = Field(
        default_factory=dict,
        description="matplotlib settings of KPI Reporter; those with a meaning here are kept.",
    )
    vega_config: dict[str, Any] = Field(
        default_factory=dict, description="Vega-Lite configuration laid over the theme's."
    )
    y_title: str = Field("", description="Words above the value axis.")
    y_format: str = Field("", description="Format of the value axis; default: `format`.")
    unit: str = Field("", description="Unit of the values: €, %, ms, ...")
    format: str = Field(
        "", description="Format of the values: integer, percent, money, compact, duration, ',.1f', ..."
    )
    color: str | tuple[str, ...] | dict[str, str] | None = Field(
        None, description="Colour, colours in order, or colours by series, as #rrggbb."
    )
    height: int | None = Field(None, ge=80, le=2000, description="Height in CSS pixels.")
    history: int | None = Field(
        None, ge=1, le=3660, description="Days to draw, ending with the window; the window is tinted."
    )
    rolling: int | None = Field(
        None, ge=2, le=366, description="Mean over so many days as the line; single days become dots."
    )
    fill: Literal["zero"] | None = Field(
        None,
        description="zero: days (hours, weeks, ...) without a row count as 0, also in means; with groupby for each "
        "series. Default: they are gaps.",
    )
    compare: Literal["previous"] | None = Field(
        None, description="previous: the window before, for comparison."
    )
    small_multiples: bool = Field(False, description="One small chart per series, on one scale.")
    incidents: tuple[MarkArgs, ...] = Field((), description="What happened when: {at, label, note}.")
    annotations: tuple[MarkArgs, ...] = Field(
        (), description="As incidents, without the ring's alarm colour."
    )
    highlight: str | None = Field(
        None, description="Name of the bar or series to stand out; default: the finding's."
    )
    higher_is_better: bool | None = Field(None, description="Lets findings say best and worst.")

    @field_validator("groupby", mode="before", json_schema_input_type=str | tuple[str, ...] | None)
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return () if value is None else (value,) if isinstance(value, str) else value

    @field_validator("format", "y_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return check_format(value)

    @field_validator("plot_rc", "vega_config", "label_map", "query_args", mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("color")
    @classmethod
    def _hex(cls, value: Any) -> Any:
        import re

        every = (
            value.values() if isinstance(value, dict) else (value,) if isinstance(value, str) else value or ()
        )
        for color in every:
            if not re.match(HEX, color):
                raise ValueError("is not a colour; write it as #rrggbb")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> PlotArgs:
        if self.rolling and self.kind != "line":
            raise ValueError(f"rolling is drawn as a line: use kind: line, not {self.kind}")
        if self.rolling and (self.stacked or self.small_multiples):
            raise ValueError("rolling cannot be combined with stacked or small_multiples")
        if self.small_multiples and self.kind in {"scatter", "bar"}:
            raise ValueError(f"small_multiples are lines or areas, not {self.kind}")
        if self.fill and self.kind == "scatter":
            raise ValueError("fill: zero is for lines, areas and bars, not for scatter")
        if self.compare and self.history:
            raise ValueError(
                "compare and history exclude each other: a history already shows the window before"
            )
        if self.compare and self.kind == "scatter":
            raise ValueError("compare: previous is drawn for lines and bars, not for scatter")
        return self

    def warnings(self) -> tuple[str, ...]:
        """What is accepted but without effect."""
        found = list(rc_warnings(self.plot_rc))
        if self.bar_labels and self.kind != "bar":
            found.append(f"bar_labels has no effect on kind: {self.kind}")
        if isinstance(self.legend, dict):
            known = {"title", "ncol", "ncols", "loc", "fontsize"}
            extra = sorted(set(self.legend) - known)
            if extra:
                found.append(f"legend: {', '.join(extra)} has no effect; allowed: {', '.join(sorted(known))}")
        return tuple(found)
