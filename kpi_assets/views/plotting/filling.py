"""Steps without a row as zeros, for queries that count: a day on which nothing happened has no row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd

from kpi_assets.views.charts.steps import infer_step
from kpi_assets.views.plotting.data import PlotData
from kpi_assets.views.plotting.folds import existing, without_again


def zeros_filled(data: PlotData, start: datetime, end: datetime) -> PlotData:
    """A zero at each step of the half-open wall-clock span that has no row; a row without a value stays a gap.

    Nothing is filled where the times follow no rhythm, or one that is far too fine for the span.
    """
    if data.index != "time" or data.step is None or data.wide.empty:
        return data
    if data.step.how_many(start, end) > 20 * len(data.wide) + 1000:
        return data
    steps = pd.DatetimeIndex([at for at in data.step.between(start, end) if at >= start])
    steps = steps if data.step.whole_days else existing(steps, data.zone)
    absent = steps[~steps.isin(data.wide.index)]
    if absent.empty:
        return data
    zeros = pd.DataFrame(0.0, index=absent, columns=data.wide.columns)
    wide = pd.concat([data.wide, zeros]).sort_index()
    return replace(data, wide=wide, step=infer_step(without_again(pd.DatetimeIndex(wide.index))))
