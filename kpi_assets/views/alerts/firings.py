"""Rows of Prometheus' ALERTS -> when each alert fired."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from kpi_assets.views.columns import names

if TYPE_CHECKING:
    import pandas as pd

NAME, STATE, TIME = "alertname", "alertstate", "time"


@dataclass(frozen=True)
class Firing:
    """A half-open span in which an alert fired, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Alert:
    """An alert's firings: `count` over all its label sets, `spans` where at least one of them fired, in order."""

    name: str
    count: int
    spans: tuple[Firing, ...]

    @property
    def seconds(self) -> float:
        """How long it fired in all; two label sets at one time count once."""
        return sum((span.end - span.start).total_seconds() for span in self.spans)


@dataclass(frozen=True)
class Choice:
    """Which rows count: regular expressions searched in a label's value. A missing label is no match.

    `hidden` labels do not make two firings out of one; each point stands for `resolution`.
    """

    labels: Mapping[str, str]
    ignored: Mapping[str, str]
    hidden: Sequence[str]
    resolution: timedelta


def alerts(frame: pd.DataFrame, choice: Choice, end: datetime) -> tuple[Alert, ...]:
    """The alerts that fired, the longest first. Nothing lasts beyond `end`, the window's."""
    if NAME not in names(frame) or TIME not in names(frame):
        return ()
    rows = _chosen(frame, choice)
    found = [_alert(str(name), part, choice, end) for name, part in rows.groupby(NAME, sort=True)]
    return tuple(sorted(found, key=lambda alert: (-alert.seconds, -alert.count, alert.name)))


def _chosen(frame: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    wanted = np.ones(len(frame), bool)
    if STATE in names(frame):
        wanted &= (frame[STATE] == "firing").to_numpy(bool)
    for label, pattern in choice.labels.items():
        wanted &= _matches(frame, label, pattern)
    for label, pattern in choice.ignored.items():
        wanted &= ~_matches(frame, label, pattern)
    return frame[wanted & frame[TIME].notna().to_numpy(bool)]


def _matches(frame: pd.DataFrame, label: str, pattern: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if label not in names(frame):
        return np.zeros(len(frame), bool)
    found = {
        value: isinstance(value, str) and bool(re.search(pattern, value)) for value in frame[label].unique()
    }
    return frame[label].map(found).to_numpy(bool)


def _alert(name: str, rows: pd.DataFrame, choice: Choice, end: datetime) -> Alert:
    no_label = {TIME, "value", NAME, STATE, "__name__", *choice.hidden}
    labels = [column for column in names(rows) if column not in no_label]
    parts = [part for _, part in rows.groupby(labels, dropna=False)] if labels else [rows]
    spans = [span for part in parts for span in _spans(part[TIME], choice.resolution, end)]
    return Alert(name, len(spans), _united(spans))


def _spans(times: pd.Series[Any], resolution: timedelta, end: datetime) -> list[Firing]:
    """Points that follow each other within the resolution as one span each."""
    last = end.astimezone(UTC)
    points = [_utc(moment.to_pydatetime()) for moment in times.drop_duplicates().sort_values()]
    return list(_united([Firing(point, min(point + resolution, last)) for point in points]))


def _utc(moment: datetime) -> datetime:
    """In UTC, where adding and subtracting means real time; a moment without zone is UTC, as Prometheus has it."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _united(spans: Sequence[Firing]) -> tuple[Firing, ...]:
    """Spans that touch or overlap as one."""
    done: list[Firing] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if done and span.start <= done[-1].end:
            done[-1] = Firing(done[-1].start, max(done[-1].end, span.end))
        else:
            done.append(span)
    return tuple(done)
