"""What a plot finds: the sentence that becomes its title."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import overload

import pandas as pd

from kpi_assets.views import findings
from kpi_assets.views.composing import header_of
from kpi_assets.views.findings import Finding, RecordWords
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.story import Story

WINDOW_NAMES = {1: "day", 7: "week", 14: "two weeks", 28: "four weeks"}


def find(story: Story, shown: PlotData) -> Finding | None:
    """The finding of what is shown; None where the data say nothing worth a title."""
    if shown.empty or story.args.kind == "scatter":
        return None
    if len(shown.series) > 1:
        return _of_many(story, shown)
    if shown.index == "text":
        return _of_names(story, shown) if story.args.kind == "bar" else _of_ordered_names(story, shown)
    if shown.index == "time":
        return _of_time(story, shown)
    return None


def _of_time(story: Story, shown: PlotData) -> Finding | None:
    values = [float(v) for v in shown.values(shown.series[0])]
    look, subject = story.look, story.subject
    found: Finding | None = None
    if story.before is not None:
        found = _against_before(story, shown, values)
    elif story.args.history and shown.step is not None and shown.step.unit == "day":
        found = _in_history(story, shown)
    names = _Names(story, shown)
    weekly = shown.step is not None and shown.step.unit != "day"
    return (
        found
        or (_steps(story, values) if weekly else None)
        or findings.peak(subject, names, values, look.said)
        or findings.trend(subject, values, look.said_mean, story.per, at_work=at_work(shown))
        or findings.spread(subject, names, values, look.said)
    )


def at_work(shown: PlotData) -> list[bool]:
    """Which of less than two weeks' days are working days; longer spans have weekends at both ends."""
    if shown.step is None or shown.step.unit != "day" or len(shown.wide) >= 14:
        return []
    return [moment.weekday() < 5 for moment in pd.DatetimeIndex(shown.wide.index)]


class _Names(Sequence[str]):
    """When each value was, worded only where asked: a million names would take longer than all the rest."""

    def __init__(self, story: Story, shown: PlotData) -> None:
        self.story, self.moments = story, pd.DatetimeIndex(shown.wide.index)

    def __len__(self) -> int:
        return len(self.moments)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return self.story.when(self.moments[at].to_pydatetime())


def _steps(story: Story, values: Sequence[float]) -> Finding | None:
    """Weeks and months: the trend over all of them."""
    return findings.trend(story.subject, values, story.look.said, story.per, ends=True)


def _against_before(story: Story, shown: PlotData, values: Sequence[float]) -> Finding | None:
    """Contribution of one day to the change, else the change."""
    before = _before_values(story, shown)
    if not before:
        return None
    look, subject = story.look, story.subject
    if not story.additive:
        old, new = _mean(before), _mean(values)
        return findings.movement(subject, old, new, look.said_mean)
    names = _part_names(story, shown)
    part = findings.contribution(subject, names, before, values, show=look.said)
    change = look.numbers.change(_sum(values), _sum(before), "percent").text if _sum(before) > 0 else ""
    return part or findings.whole_change(subject, before, values, show=look.said, change=change.lstrip("+−±"))


def _before_values(story: Story, shown: PlotData) -> list[float]:
    before = story.before
    if before is None or before.empty or before.index != shown.index:
        return []
    totals = before.wide.sum(axis=1, min_count=1)
    if shown.index == "time":
        shift = story.context.window.shift
        lookup = {key.to_pydatetime() + shift: float(v) for key, v in totals.items()}  # pyright: ignore[reportAttributeAccessIssue]
        return [lookup.get(key.to_pydatetime(), math.nan) for key in shown.wide.index]
    names = {str(key): float(v) for key, v in totals.items()}
    return [names.get(str(key), math.nan) for key in shown.wide.index]


def _part_names(story: Story, shown: PlotData) -> list[str]:
    if shown.index == "text":
        return [str(key) for key in shown.wide.index]
    names = [story.when(key.to_pydatetime()) for key in shown.wide.index]
    return [name.removeprefix("on ").removeprefix("in ").removeprefix("at ") for name in names]


def _in_history(story: Story, shown: PlotData) -> Finding | None:
    """The window against the windows before it: a record, else the change of its mean."""
    length = story.context.window.length
    values = shown.values(shown.series[0])
    ages = (-(pd.DatetimeIndex(shown.wide.index) - pd.Timestamp(story.window[1])).days - 1) // length
    means: list[float] = []
    for back in range((story.args.history or length) // length):
        part = values[ages == back]
        whole = len(part) == length and not any(math.isnan(v) for v in part)
        means.append(float(part.mean()) if whole else math.nan)
    if not means or math.isnan(means[0]):
        return None
    record = findings.record(
        story.subject,
        means[1:],
        means[0],
        RecordWords(
            story.look.said_mean,
            WINDOW_NAMES.get(length, f"{length} days"),
            f"{story.args.history} days",
            story.per,
            story.args.higher_is_better,
        ),
    )
    if record is None and len(means) > 1:
        return findings.movement(story.subject, means[1], means[0], story.look.said_mean, per=story.per)
    return record


def _of_names(story: Story, shown: PlotData) -> Finding | None:
    others = shown.other_row
    values = [float(v) for v in shown.values(shown.series[0])][: -1 if others else None]
    names = [str(key) for key in shown.wide.index][: len(values)]
    rest = float(shown.values(shown.series[0])[-1]) if others else 0.0
    if story.before is not None and story.additive:
        found = findings.contribution(
            story.subject, names, _before_values(story, shown), values, show=story.look.said
        )
        if found:
            return found
    share = partial(story.look.numbers.share, precision=0)
    subject = story.subject if story.additive else ""
    return findings.leader(subject, names, values, show=story.look.said, share=share, rest=rest)


def _of_ordered_names(story: Story, shown: PlotData) -> Finding | None:
    """Names along a line have an order: weeks, steps, age groups."""
    values = [float(v) for v in shown.values(shown.series[0])]
    names = [f"at {key}" for key in shown.wide.index]
    look, subject = story.look, story.subject
    return (
        findings.peak(subject, names, values, look.said)
        or findings.trend(subject, values, look.said, ends=True)
        or findings.spread(subject, names, values, look.said)
    )


def _of_many(story: Story, shown: PlotData) -> Finding | None:
    """Several series: who made the change of a sum, who moved most, or who leads.

    Only `groupby` makes series the parts of one measure; columns beside each other need not add up to anything.
    """
    named = [s for s in shown.series if not shown.is_other(s)]
    names = [_said(shown, series) for series in named]
    look, parts = story.look, bool(story.args.groupby)
    stacked = (story.args.stacked or story.args.kind == "area") and not story.args.small_multiples
    slowly = slow(shown)
    if shown.index == "time" and not (stacked and parts):
        series = [[float(v) for v in shown.values(name)] for name in named]
        show = look.said if slowly else look.said_mean
        found = findings.mover(names, series, show, story.per, ends=slowly, at_work=at_work(shown))
        if found:
            return found
    if stacked and parts and slowly and len(shown.wide) > 1:
        last, first = ([float(v) for v in shown.wide[named].iloc[i]] for i in (-1, -2))
        found = findings.contribution(story.subject, names, first, last, show=look.said)
        if found and len(named) == len(shown.series):
            return found
    # A line may be a level, a load or a price: only who draws bars or stacks says that values add up.
    if not (story.additive and parts and (stacked or story.args.kind == "bar")):
        return None
    totals = shown.wide.sum(min_count=1)
    rest = sum(float(totals[s]) for s in shown.series if s not in named)
    share = partial(look.numbers.share, precision=0)
    return findings.leader(
        story.subject, names, [float(totals[s]) for s in named], show=look.said, share=share, rest=rest
    )


def slow(shown: PlotData) -> bool:
    """Are the steps weeks or longer? Single ones of those are worth naming."""
    return shown.step is not None and shown.step.unit in {"week", "month", "year"}


def _said(shown: PlotData, series: str) -> str:
    """A series' name at the beginning of a sentence: columns in words, names from the data and labels as they are."""
    label = shown.labels[series]
    return header_of(label) if label == series else label


def _sum(values: Sequence[float]) -> float:
    return sum(v for v in values if not math.isnan(v))


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan
