"""`prometheus.alert_summary`: which alerts fired, how often, how long, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from kpi_assets.contracts import Block, Cell, Column, Element, Need, PluginArgs, RenderContext, Table, View
from kpi_assets.style.dates import weekday_text
from kpi_assets.style.digits import length_of
from kpi_assets.style.durations import parse_duration
from kpi_assets.views.alerts.firings import Alert, Choice, alerts
from kpi_assets.views.composing import compose, days_of, measure_of, nothing

if TYPE_CHECKING:
    import pandas as pd

PLUGIN = "prometheus.alert_summary"


class AlertSummaryArgs(PluginArgs):
    """Which alerts, and how finely they are looked at."""

    datasource: str = Field("prometheus", description="Id of a datasource with plugin prometheus.")
    resolution: str = Field(
        "15m", description="Distance of the points asked for: what is shorter may be missed. E.g. 5m, 1h."
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="Only alerts whose labels match, each a regular expression (search).",
    )
    ignore_labels: dict[str, str] = Field(
        default_factory=dict,
        description="Not the alerts with a label that matches, each a regular expression.",
    )
    hide_labels: tuple[str, ...] = Field(
        ("instance", "job"), description="Labels that do not make two firings out of one."
    )
    show_timeline: bool = Field(True, description="Draw when each alert fired.")
    timeline_height: int = Field(15, ge=2, le=200, description="Height of each alert's strip in CSS pixels.")
    max_rows: int = Field(50, ge=1, le=1000, description="Alerts in the table, those that fired longest.")

    @field_validator("resolution", mode="before")
    @classmethod
    def _is_duration(cls, value: object) -> str:
        parse_duration(value)
        return str(value).strip()

    @field_validator("labels", "ignore_labels")
    @classmethod
    def _are_patterns(cls, value: dict[str, str]) -> dict[str, str]:
        for label, pattern in value.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' of {label} is no regular expression: {error}") from None
        return value

    @field_validator("hide_labels", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _as_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def step(self) -> timedelta:
        return timedelta(milliseconds=parse_duration(self.resolution))

    @property
    def choice(self) -> Choice:
        return Choice(self.labels, self.ignore_labels, self.hide_labels, self.step)


class AlertSummaryView(View):
    """A table of the alerts that fired, the longest first, under their timeline."""

    Args = AlertSummaryArgs
    kinds = ("table", "altair")
    args: AlertSummaryArgs

    def needs(self) -> Mapping[str, Need]:
        return {
            "query": Need(datasource=self.args.datasource, text="ALERTS", args={"step": self.args.resolution})
        }

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frame = frames["query"]
        found = alerts(frame, self.args.choice, context.window.ends_at)
        if not found:
            return nothing(context, PLUGIN, "No alerts.").model_copy(update={"rows": len(frame)})
        finding = _finding(found, context)
        elements: list[Element] = [_table(found[: self.args.max_rows], context)]
        if self.args.show_timeline:
            from kpi_assets.views.alerts.drawing import picture

            elements.insert(
                0, picture(found, context, self.args.timeline_height, f"Alert timeline: {finding}.")
            )
        return compose(
            context, PLUGIN, elements, rows=len(frame), finding=finding, note=self._note(len(found), context)
        )

    def _note(self, count: int, context: RenderContext) -> str:
        step = context.numbers.duration(self.args.step.total_seconds())
        sentences = [f"Looked at every {step}: shorter firings may be missing, times are as coarse as that."]
        if count > self.args.max_rows:
            sentences.append(f"Showing {self.args.max_rows} of {count} alerts.")
        return " ".join(sentences)


def _finding(found: Sequence[Alert], context: RenderContext) -> str:
    first = found[0]
    lasted = context.numbers.duration(first.seconds)
    lasted = f"for {lasted}" if first.count == 1 else f"{lasted} in all"
    words = f"{first.name} fired {_times(first.count, context)}, {lasted}"
    if len(found) == 1:
        return words
    count = context.numbers.number(len(found))
    if found[1].seconds == first.seconds:
        return f"{count} alerts fired, {words}"
    return f"{words}, the longest of {count} alerts"


def _times(count: int, context: RenderContext) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{context.numbers.number(count)} times")


def _table(found: Sequence[Alert], context: RenderContext) -> Table:
    longest = max(alert.seconds for alert in found)
    return Table(
        caption=f"{measure_of(context)}, {days_of(context)}",
        columns=(
            Column(label="Alert", header=True),
            Column(label="Time firing"),
            Column(label="Fired", align="right"),
            Column(label="Last fired", low=True),
        ),
        rows=tuple(_row(alert, longest, context) for alert in found),
    )


def _row(alert: Alert, longest: float, context: RenderContext) -> tuple[Cell, ...]:
    numbers = context.numbers
    return (
        Cell(text=alert.name),
        Cell(
            text=numbers.duration(alert.seconds),
            value=length_of(alert.seconds),
            bar=alert.seconds / longest,
            emphasis=alert.seconds == longest,
        ),
        Cell(text=f"{numbers.number(alert.count)}×", value=alert.count),
        Cell(text=_last(alert, context)),
    )


def _last(alert: Alert, context: RenderContext) -> str:
    """`Thu, Nov 21, 14:35 to 15:10`; what still fires when the window ends has no end."""
    zone, last = ZoneInfo(context.window.zone), alert.spans[-1]
    start, end = last.start.astimezone(zone), last.end.astimezone(zone)
    words = _moment(start, context)
    if end >= context.window.ends_at:
        return f"{words}, still firing"
    return f"{words} to {end:%H:%M}" if end.date() == start.date() else f"{words} to {_moment(end, context)}"


def _moment(moment: datetime, context: RenderContext) -> str:
    return f"{weekday_text(moment.date(), context.numbers.locale)}, {moment:%H:%M}"
