"""How one view's charts look and word their numbers: the theme, and what the view's arguments change of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from kpi_assets.style.numbers import NumberStyle, is_money

if TYPE_CHECKING:
    from kpi_assets.style.theme import Palette, Theme

Legend = bool | Mapping[str, object] | None


@dataclass(frozen=True)
class Strokes:
    """Lines and points, as `plot_rc` may set them. `dash` is Vega-Lite's; `marker` None = where it helps."""

    width: float = 2.25
    dash: tuple[int, ...] | None = None
    marker: bool | None = None
    marker_size: float = 26
    grid: bool = True
    frame: bool = False


@dataclass(frozen=True)
class Look:
    """`palette` are the colours of series in order; `chosen` the colours set by a series' name.

    `unit`, `format`, `precision` word values, `axis_format` the ticks. `low`, `high` fix the value axis.
    """

    theme: Theme
    numbers: NumberStyle
    zone: str
    palette: tuple[str, ...]
    chosen: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    format: str = ""
    axis_format: str = ""
    height: int | None = None
    legend: Legend = None
    rotation: float = 0
    axis_title: str = ""
    low: float | None = None
    high: float | None = None
    strokes: Strokes = field(default_factory=Strokes)

    @property
    def light(self) -> Palette:
        return self.theme.light

    @property
    def locale(self) -> str:
        return self.numbers.locale

    @property
    def percent(self) -> bool:
        """Are values shares, which must not be added up?"""
        return self.unit == "%" or "percent" in self.format or self.format.endswith("%")

    def color(self, position: int, series: str) -> str:
        """A series' colour; beyond the palette all are grey."""
        if series in self.chosen:
            return self.chosen[series]
        return self.palette[position] if position < len(self.palette) else self.light.context

    def value(self, value: float, precision: int | None = None) -> str:
        """A value as printed beside its mark."""
        return self.numbers.number(value, precision, unit=self._short_unit, format=self.format)

    def brief(self, value: float, *, bare: bool = False) -> str:
        """A value in at most three digits, where the whole one has no room; `bare`: without its unit."""
        percent = "percent" in self.format or self.format.endswith("%")
        if percent or "duration" in self.format or self.format == "bytes":
            return self.value(value, 0)
        return self.numbers.axis(value, "" if bare else self._short_unit)

    def mean(self, value: float) -> str:
        """A mean of values: no more digits than its size deserves."""
        return self._rounded(value, self._short_unit)

    def said(self, value: float) -> str:
        """A value as part of a sentence: with its unit, where that is short."""
        return self.numbers.number(value, unit=self._spoken_unit, format=self.format)

    def said_mean(self, value: float) -> str:
        """A mean as part of a sentence."""
        return self._rounded(value, self._spoken_unit)

    def _rounded(self, value: float, unit: str) -> str:
        whole = abs(value) >= 20 or round(value, 1).is_integer()
        places = None if self.format or self.unit == "%" else 0 if whole else 1
        return self.numbers.number(value, places, unit=unit, format=self.format)

    @property
    def _spoken_unit(self) -> str:
        return self.unit if len(self.unit) <= 3 else self._short_unit

    @property
    def _short_unit(self) -> str:
        return (
            self.unit if self.unit in {"%", "‰"} or is_money(self.unit) or "duration" in self.format else ""
        )

    def axis_labels(self, ticks: Sequence[float]) -> list[str]:
        """The ticks' labels: the fewest digits that keep them apart."""
        texts = self._tick_texts(ticks)
        plain_zero = not self.percent and "duration" not in self.format
        return ["0" if tick == 0 and plain_zero else text for tick, text in zip(ticks, texts, strict=True)]

    def _tick_texts(self, ticks: Sequence[float]) -> list[str]:
        form, unit = self.axis_format or self.format, self._short_unit
        if not form and any(abs(tick) >= 10000 for tick in ticks):
            return [self.numbers.axis(tick, unit) for tick in ticks]
        percent = "percent" in form or form.endswith("%")
        texts: list[str] = []
        for places in range(5):
            texts = [self.numbers.number(tick, places, unit=unit, format=form) for tick in ticks]
            if len(set(texts)) == len(texts) and _exact(ticks, places, percent):
                break
        return texts


def _exact(ticks: Sequence[float], places: int, percent: bool) -> bool:
    """Do so many decimals print the ticks without loss?"""
    shift = 100 if percent else 1
    return all(
        not isfinite(tick)
        or abs(round(tick * shift, places) - tick * shift) <= 1e-9 * max(1.0, abs(tick * shift))
        for tick in ticks
    )
