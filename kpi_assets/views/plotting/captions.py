"""What stands around a plot: grey line, alternative text, notes."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from kpi_assets.views.charts.ticks import value_axis
from kpi_assets.views.findings import Finding
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.story import Story


def explanation(story: Story, shown: PlotData) -> str:
    """What the marks mean, where the picture alone does not say it."""
    args = story.args
    if args.rolling and args.kind == "line":
        return f"Each dot is one day, the line is the {args.rolling}-day mean."
    if story.before is not None and not story.before.empty and args.compare:
        from kpi_assets.style.dates import earlier_words

        earlier = earlier_words(story.context.window)
        if args.kind == "bar" and len(shown.series) == 1:
            return f"Line across the bar: {earlier}."
        if args.kind == "line" and len(shown.series) == 1:
            return f"Dashed: {earlier}."
    if args.small_multiples and len(shown.series) > 1:
        return f"One scale for all {len(shown.series)}. {_grid_words(story, shown)}"
    return ""


def _grid_words(story: Story, shown: PlotData) -> str:
    """Where the unlabelled lines of small multiples are: `Lines at 0, 20 and 40.`"""
    known = shown.wide.to_numpy(dtype=float)
    ticks = value_axis(float(np.nanmin(known)), float(np.nanmax(known)), zero=True).ticks
    labels = story.look.axis_labels(ticks)
    return f"Lines at {', '.join(labels[:-1])} and {labels[-1]}." if len(labels) > 1 else ""


def days_phrase(story: Story, shown: PlotData) -> str:
    """The days on the axis and the explanation, for the grey line."""
    text = explanation(story, shown)
    return f"{story.days.rstrip('.')}. {text}" if text else story.days


def alternative(story: Story, shown: PlotData, finding: Finding | None) -> str:
    """The chart in two sentences: what was found, and the numbers that frame it."""
    kind = {"line": "Line chart", "bar": "Bar chart", "area": "Area chart", "scatter": "Scatter plot"}[
        story.args.kind
    ]
    if shown.empty:
        return f"{kind} of {story.measure}, {story.days}: no values."
    head = story.context.headline or (finding.text if finding else "")
    sentences = [f"{head.rstrip('.')}."] if head else []
    sentences.append(f"{kind} of {story.measure}, {story.days}".rstrip(".") + ".")
    sentences.append(_range(story, shown))
    return " ".join(sentence for sentence in sentences if sentence)


def _range(story: Story, shown: PlotData) -> str:
    if len(shown.series) > 1:
        parts: list[str] = []
        for series in shown.series[:6]:
            known = [float(v) for v in shown.wide[series].dropna()]
            if known:
                parts.append(
                    f"{shown.labels[series]} from {story.look.said(known[0])} to {story.look.said(known[-1])}"
                )
        more = f" and {len(shown.series) - 6} more" if len(shown.series) > 6 else ""
        return f"{'; '.join(parts)}{more}." if shown.index == "time" else f"{len(shown.series)} series{more}."
    known = [float(v) for v in shown.wide.iloc[:, 0].dropna()]
    low, high = min(known), max(known)
    if low == high:
        return f"Always {story.look.said(low)}." if len(known) > 1 else f"One value, {story.look.said(low)}."
    return f"Lowest {story.look.said(low)}, highest {story.look.said(high)}."


def notes(story: Story, shown: PlotData) -> str:
    """What was done to the rows, and what is not complete, as sentences."""
    found = list(shown.notes)
    if story.outside:
        rows = "value lies" if story.outside == 1 else "values lie"
        found.append(
            f"{story.outside} {rows} outside the days shown and {'is' if story.outside == 1 else 'are'} not drawn."
        )
    found += _incomplete(story, shown)
    blank = [shown.labels[name] for name in shown.series if shown.wide[name].isna().all()]
    if blank and not shown.empty:
        found.append(f"No values: {', '.join(blank)}.")
    return " ".join(dict.fromkeys(found))


def _incomplete(story: Story, shown: PlotData) -> list[str]:
    """A last month or week that the window cuts."""
    step = shown.step
    if shown.index != "time" or step is None or step.unit not in {"week", "month"} or shown.wide.empty:
        return []
    last: datetime = shown.wide.index[-1].to_pydatetime()
    return [f"{story.moment(last)} is not complete."] if step.next(last) > story.end else []
