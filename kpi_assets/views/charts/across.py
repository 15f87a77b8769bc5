"""The horizontal axis: where a position lies in pixels, and how the axis is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kpi_assets.views.charts.canvas import Canvas
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import Channels, number, words
from kpi_assets.views.charts.text import shorten, text_width, widest
from kpi_assets.views.charts.ticks import Calendar, TimeTick, time_ticks, value_axis

SPACIOUS = 0.25
"""Numbers begin at zero where that leaves at most a quarter of the axis empty."""


class Across(Protocol):
    """A continuous horizontal axis over a plot of known width."""

    @property
    def lines(self) -> int:
        """Lines of text in its labels."""
        ...

    def channel(self, field: str, *, axis: bool = False) -> Channels: ...

    def share(self, at: Any) -> float:
        """Where a position lies, 0 at the left end to 1 at the right."""
        ...

    def at_share(self, share: float) -> Any:
        """The value for the spec at a share; may lie outside 0..1."""
        ...

    def value(self, at: Any) -> Any:
        """A position as the spec holds it."""
        ...


def stamp(moment: datetime) -> str:
    """An instant as the spec holds it: `2024-11-18T12:00Z`."""
    utc = moment.astimezone(UTC)
    form = "milliseconds" if utc.microsecond else "seconds" if utc.second else "minutes"
    return utc.isoformat(timespec=form).replace("+00:00", "Z")


@dataclass(frozen=True)
class TimeAcross:
    """Time from `start` to `end` (instants); ticks by the calendar of the report's zone."""

    start: datetime
    end: datetime
    ticks: tuple[TimeTick, ...]
    canvas: Canvas

    @classmethod
    def over(cls, start: datetime, end: datetime, look: Look, *, canvas: Canvas, width: float) -> TimeAcross:
        """The axis over a plot of `width` pixels."""
        ticks = time_ticks(start, end, Calendar(look.zone, look.locale), width=width, size=canvas.size)
        return cls(start, end, ticks, canvas)

    @property
    def lines(self) -> int:
        return max((len(tick.lines) for tick in self.ticks), default=1)

    def share(self, at: datetime) -> float:
        return (at - self.start) / (self.end - self.start)

    def at_share(self, share: float) -> str:
        return stamp(self.start + timedelta(seconds=(self.end - self.start).total_seconds() * share))

    def value(self, at: datetime) -> str:
        return stamp(at)

    def channel(self, field: str, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "temporal"}
        if axis:
            channel["scale"] = {"type": "utc", "domain": [stamp(self.start), stamp(self.end)]}
            channel["axis"] = self._axis()
        return channel

    def _axis(self) -> Channels:
        moments = [round(tick.at.timestamp() * 1000) for tick in self.ticks]
        centred = bool(self.ticks) and self.ticks[0].align == "center"
        return {
            "values": [stamp(tick.at) for tick in self.ticks],
            "labelExpr": words([tick.lines for tick in self.ticks], moments, "time(datum.value)"),
            "labelAlign": "center" if centred else "left",
            "labelFlush": False,
            "ticks": not centred,
            "tickSize": 5,
            "labelPadding": 8 if centred else 5,
        }


@dataclass(frozen=True)
class NumberAcross:
    """Numbers from `low` to `high`."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    lines: int = 1

    @classmethod
    def over(cls, values: Sequence[float], look: Look, canvas: Canvas, width: float) -> NumberAcross:
        """An axis that holds `values`, with marks where there is room."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        axis = value_axis(low, high, zero=False, headroom=1.02, squeezed=SPACIOUS)
        plain = [look.numbers.axis(tick) for tick in axis.ticks]
        if widest(plain, canvas.size) * len(plain) > width:
            return cls(axis.low, axis.high, axis.ticks[::2], tuple(plain[::2]))
        return cls(axis.low, axis.high, axis.ticks, tuple(plain))

    def share(self, at: float) -> float:
        return (at - self.low) / (self.high - self.low)

    def at_share(self, share: float) -> float | int | None:
        return number(self.low + (self.high - self.low) * share)

    def value(self, at: float) -> float | int | None:
        return number(at)

    def channel(self, field: str, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "quantitative"}
        if axis:
            channel["scale"] = {"domain": [number(self.low), number(self.high)], "zero": False, "nice": False}
            channel["axis"] = {
                "values": [number(tick) for tick in self.ticks],
                "labelExpr": words(self.labels, [number(tick) for tick in self.ticks]),
                "ticks": True,
                "tickSize": 5,
                "labelPadding": 5,
            }
        return channel

    def overhang(self, size: int) -> int:
        """Pixels by which the last label sticks out at the right."""
        if not self.labels or self.share(self.ticks[-1]) < 0.9:
            return 0
        return text_width(self.labels[-1], size) // 2


@dataclass(frozen=True)
class NameAcross:
    """Names at positions 0, 1, 2...; as many are printed as have room."""

    names: tuple[str, ...]
    shown: tuple[int, ...]
    size: int
    width: float
    lines: int = 1

    @classmethod
    def over(cls, names: Sequence[str], size: int, width: float) -> NameAcross:
        """An axis of `names`; every second, third... where they would touch."""
        count = len(names)
        for every in range(1, count + 1):
            shown = tuple(range(0, count, every))
            room = width / count * every - 6
            if all(text_width(names[i], size) <= room for i in shown) or len(shown) <= 2:
                return cls(tuple(names), shown, size, width)
        return cls(tuple(names), (), size, width)

    def share(self, at: float) -> float:
        return (at + 0.5) / len(self.names)

    def at_share(self, share: float) -> float | int | None:
        return number(share * len(self.names) - 0.5)

    def value(self, at: float) -> float | int | None:
        return number(at)

    def channel(self, field: str, *, axis: bool = False) -> Channels:
        channel: Channels = {"field": field, "type": "quantitative"}
        if axis:
            room = self.width / max(len(self.shown), 1) - 6
            labels = [shorten(self.names[i], room, self.size) for i in self.shown]
            channel["scale"] = {"domain": [-0.5, len(self.names) - 0.5], "zero": False, "nice": False}
            channel["axis"] = {
                "values": list(self.shown),
                "labelExpr": words(labels, list(self.shown)),
                "tickMinStep": 1,
            }
        return channel


def across_of(
    names: Sequence[str], ends: tuple[Any, Any], look: Look, *, canvas: Canvas, width: float
) -> Across:
    """The axis that fits: names where there are any, else numbers or moments from the first end to the last."""
    if names:
        return NameAcross.over(names, canvas.size, width)
    start, end = ends
    if isinstance(start, int | float):
        return NumberAcross.over([start, end], look, canvas, width)
    return TimeAcross.over(start, end, look, canvas=canvas, width=width)
