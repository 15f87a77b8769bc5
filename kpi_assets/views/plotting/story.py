"""Everything known of one plot when it is drawn and told: arguments, rows in shape, spans and words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from kpi_assets.contracts import RenderContext, Span
from kpi_assets.style.dates import day_text, days_text, month_text, weekday_name, window_short
from kpi_assets.views.charts.look import Look, Strokes
from kpi_assets.views.composing import header_of, measure_of
from kpi_assets.views.plotting.args import PlotArgs
from kpi_assets.views.plotting.data import PlotData, Shape, prepare, wall_window, within
from kpi_assets.views.plotting.filling import zeros_filled
from kpi_assets.views.plotting.rc import read_rc

if TYPE_CHECKING:
    import pandas as pd

RATES = re.compile(
    r"(?i)\b(rates?|ratio|conversion|churn|share|mean|average|avg|median|p(?:50|75|90|95|99)|percent\w*|latency|duration|price|score|"
    r"temperature|age|response time|balance|level|stock|active|users online|backlog|total)\b"
)
"""Words of measures that must not be said "a day" and not be added up."""
PER = re.compile(
    r"(?i)[\s,]+(?:per|by|a|an|each|every)\s+(?:day|week|month|hour|weekday|year|quarter)\b.*$|\s+by\s+.+$|^(?:daily|weekly|monthly|hourly)\s+"
)


@dataclass(frozen=True)
class Story:
    """`full` are all rows; `data` those on the axis; `before` those of the previous window."""

    args: PlotArgs
    context: RenderContext
    look: Look
    full: PlotData
    data: PlotData
    before: PlotData | None
    start: datetime
    end: datetime
    outside: int

    @classmethod
    def of(cls, args: PlotArgs, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Story:
        """Shapes the frames. Raises ViewError where they hold nothing that can be plotted."""
        look = make_look(args, context)
        points = args.kind == "scatter"
        adds = additive([context.title, *map(str, frames["query"].columns)], look)
        shape = Shape(
            context.view, args.time_column, args.groupby, args.label_map, adds, points, args.fill == "zero"
        )
        zone = context.window.zone
        start, end = wall_window(Span(days=args.history).of(context.window))
        full = _prepared(frames["query"], shape, zone, _asked_from(args, start), end)
        data = within(full, start, end) if full.index == "time" and not full.wide.empty else full
        outside = len(full.wide) - len(data.wide)
        if args.rolling:
            lead = start - timedelta(days=args.rolling - 1)
            outside -= (
                len(within(full, lead, start).wide) if not full.wide.empty and full.index == "time" else 0
            )
        ends = wall_window(Span(windows_back=1).of(context.window))
        before = _prepared(frames["previous"], shape, zone, *ends) if "previous" in frames else None
        return cls(args, context, look, full, data, before, start, end, max(outside, 0))

    @property
    def locale(self) -> str:
        return self.context.numbers.locale

    @cached_property
    def window(self) -> tuple[datetime, datetime]:
        return wall_window(self.context.window)

    @property
    def measure(self) -> str:
        """What is measured, as the grey line says it."""
        return measure_of(self.context)

    @cached_property
    def subject(self) -> str:
        """What rises or falls in a sentence: the title without "per day", or the only series' name."""
        title = PER.sub("", self.context.title).strip(" ,.:")
        if title and len(title) <= 40 and not title.endswith(("?", "!")):
            return title[:1].upper() + title[1:]
        if len(self.data.series) == 1:
            return header_of(self.data.labels[self.data.series[0]])
        return title or header_of(self.context.view)

    @cached_property
    def additive(self) -> bool:
        """May values of several days be added up?"""
        names = self.data.series if len(self.data.series) < 3 else []
        return additive([self.context.title, *names], self.look)

    @property
    def per(self) -> str:
        """`a day`, where the values are amounts per step."""
        return self.data.step.words if self.data.step and self.additive else ""

    @property
    def days(self) -> str:
        """The days on the axis, in words."""
        if self.args.history:
            return window_short(Span(days=self.args.history).of(self.context.window), self.locale)
        return window_short(self.context.window, self.locale)

    def moment(self, at: datetime) -> str:
        """When a value was: its day, week, month or hour."""
        step = self.data.step
        if step is None:
            return f"{day_text(at.date(), self.locale)}, {at:%H:%M}"
        if step.unit == "month":
            crosses = self.start.year != self.end.year
            return month_text(at.date(), self.locale, year=crosses)
        if step.unit == "year":
            return str(at.year)
        if step.whole_days:
            return day_text(at.date(), self.locale)
        if self.end - self.start <= timedelta(days=1):
            return f"{at:%H:%M}"
        return f"{day_text(at.date(), self.locale)}, {at:%H:%M}"

    def when(self, at: datetime) -> str:
        """As `moment`, as part of a sentence: `on Thursday`, `in Nov`, `in the week of Nov 18`."""
        step = self.data.step
        if step and step.unit == "day" and self.end - self.start <= timedelta(days=7):
            return f"on {weekday_name(at.date(), self.locale, short=False)}"
        if step and step.unit == "week":
            return f"in the week of {self.moment(at)}"
        if step and step.unit in {"month", "year"}:
            return f"in {self.moment(at)}"
        if step and not step.whole_days and self.end - self.start <= timedelta(days=1):
            return f"at {self.moment(at)}"
        return f"on {self.moment(at)}"

    def stretch(self, first: datetime, last: datetime) -> str:
        return days_text(first.date(), last.date(), self.locale)


def _prepared(  # noqa: PLR0917 - rows, how they are read, and the span that was asked for
    frame: pd.DataFrame, shape: Shape, zone: str, start: datetime, end: datetime
) -> PlotData:
    data = prepare(frame, shape, zone)
    return zeros_filled(data, start, end) if shape.zeros else data


def _asked_from(args: PlotArgs, start: datetime) -> datetime:
    """The first day of which rows were asked for: before a history lie those that its rolling mean needs."""
    return start - timedelta(days=args.rolling - 1) if args.history and args.rolling else start


def additive(names: Sequence[str], look: Look) -> bool:
    """May values be added up? Not percentages, nor durations, nor what is called a rate or a level."""
    called = " ".join(names).replace("_", " ")
    return not look.percent and "duration" not in look.format and not RATES.search(called)


def make_look(args: PlotArgs, context: RenderContext) -> Look:
    """How the charts look: the theme, under `plot_rc`, under the view's own arguments."""
    rc, plain = read_rc(args.plot_rc), Strokes()
    strokes = replace(
        plain,
        width=rc.line_width or plain.width,
        dash=rc.dash,
        marker=rc.marker,
        marker_size=rc.marker_size or plain.marker_size,
        grid=plain.grid if rc.grid is None else rc.grid,
    )
    palette = rc.palette or context.theme.light.series
    chosen: Mapping[str, str] = {}
    if isinstance(args.color, str):
        palette = (args.color, *palette[1:])
    elif isinstance(args.color, dict):
        chosen = args.color
    elif args.color:
        palette = args.color
    return Look(
        theme=context.theme,
        numbers=context.numbers,
        zone=context.window.zone,
        palette=tuple(palette),
        chosen=chosen,
        unit=args.unit,
        format=args.format,
        axis_format=args.y_format,
        height=args.height or rc.height,
        legend=args.legend,
        rotation=args.xtick_rotation,
        axis_title=args.y_title,
        strokes=strokes,
    )
