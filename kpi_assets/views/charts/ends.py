"""Names and values at the right end of lines and bands, kept apart; or the legend that was asked for instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpi_assets.views.charts.canvas import Canvas
from kpi_assets.views.charts.labels import spread
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.sheet import Row, Words
from kpi_assets.views.charts.strands import Scene, Strand
from kpi_assets.views.charts.text import shorten_apart, widest

GAP = 14
"""Pixels from the plot's edge to a label."""
MIN_GAP = 16
"""Least distance of two labels."""
COLUMN_GAP = 10
NARROW = 200
"""Width of a chart below which a single line needs the room more than its last value."""


@dataclass(frozen=True)
class Geometry:
    """What placing needs to know of the plot: its size, and where values and positions lie in pixels."""

    width: int
    tall: int
    px: Callable[[Any], float]
    py: Callable[[float], float]
    text_row: Callable[[float, float, Words], Row]


@dataclass(frozen=True)
class EndLabels:
    """The labels of one scene on one canvas."""

    scene: Scene
    look: Look
    canvas: Canvas

    @cached_property
    def legend(self) -> dict[str, Any] | None:
        """Settings of the legend; None where labels stand at the lines."""
        asked = self.look.legend
        if asked is None or asked is False or len(self.scene.loud) < 2:
            return None
        return legend_settings(asked, [s.label for s in self.scene.loud], self.canvas)

    @cached_property
    def shown(self) -> list[Strand]:
        """Strands that get a label, in drawing order."""
        if self.legend is not None or (self.look.legend is False and len(self.scene.loud) > 1):
            return []
        if self.single and self.canvas.width < NARROW:
            return []
        return [s for s in self.scene.loud if s.last is not None and (s.label or s.value)]

    @cached_property
    def single(self) -> bool:
        return len(self.scene.loud) == 1

    @cached_property
    def two_lines(self) -> bool:
        """On a phone the value goes under the name."""
        return self.canvas.phone or self.canvas.width < 400

    @cached_property
    def names(self) -> list[str]:
        limit = self.canvas.width * (0.38 if self.two_lines else 0.31)
        return shorten_apart([s.label for s in self.shown], limit, self.canvas.size, bold=True)

    @cached_property
    def caption(self) -> str:
        return "" if self.canvas.phone else self.scene.caption

    @cached_property
    def width(self) -> int:
        """Pixels to keep free at the right."""
        if not self.shown:
            return 10
        size = self.canvas.size
        values = widest([s.value for s in self.shown], size + 1 if self.single else size, bold=self.single)
        names = widest(self.names, size, bold=True)
        caption = widest([self.caption], size)
        if self.single:
            return GAP + max(values, names, caption) + 2
        if self.two_lines:
            return GAP + self.key_room + max(values, names) + 2
        return GAP + self.key_room + names + (COLUMN_GAP + values if values else 0) + 2

    @property
    def key_room(self) -> int:
        """Pixels of the colour key before a name; it grows with the type."""
        return self.canvas.size + 2

    @property
    def key(self) -> str:
        """The sign that carries a series' colour."""
        return "■" if self.scene.form == "stacked" else "●"

    def rows(self, plot: Geometry) -> list[Row]:
        """The texts."""
        if not self.shown:
            return []
        return self._single(plot, self.shown[0]) if self.single else self._several(plot)

    def _single(self, plot: Geometry, strand: Strand) -> list[Row]:
        last = strand.last or 0
        y = min(max(plot.py(strand.ys[last]), 4), plot.tall - 4)
        x = max(plot.px(strand.xs[last]) + GAP, plot.width + 8)
        below = self.caption or (strand.label if strand.value else "")
        lift = self.canvas.line_height / 2 if below else 0
        rows = [plot.text_row(x, y - lift, Words(strand.value or strand.label, self._ink(strand), bold=True))]
        if below:
            rows.append(plot.text_row(x, y + lift, Words(below, self.look.light.muted)))
        return rows

    def _ink(self, strand: Strand) -> str:
        """Only the accent is dark enough for text."""
        light = self.look.light
        return light.accent if strand.color == light.accent else light.ink

    def _several(self, plot: Geometry) -> list[Row]:
        line, size, muted = self.canvas.line_height, self.canvas.size, self.look.light.muted
        below = self.two_lines and any(s.value for s in self.shown)
        below = below and len(self.shown) * (2 * line + 2) <= plot.tall + 2 * line
        gap = 2 * line + 2 if below else max(MIN_GAP, line + 2)
        room = line if below else 0
        placed = spread(self._heights(plot), gap, room - 4, plot.tall - room + 4)
        names = widest(self.names, size, bold=True)
        x = plot.width + GAP - 4
        rows: list[Row] = []
        for strand, name, y in zip(self.shown, self.names, placed, strict=True):
            lift = line / 2 if below and strand.value else 0
            rows.append(plot.text_row(x, y - lift, Words(self.key, strand.color)))
            rows.append(plot.text_row(x + self.key_room, y - lift, Words(name, bold=True)))
            if lift:
                rows.append(plot.text_row(x + self.key_room, y + lift, Words(strand.value, muted)))
            elif strand.value and not self.two_lines:
                rows.append(
                    plot.text_row(x + self.key_room + names + COLUMN_GAP, y, Words(strand.value, muted))
                )
        return rows

    def _heights(self, plot: Geometry) -> list[float]:
        """Where each label would like to stand: at the line's end, or in the middle of the band's."""
        if self.scene.form != "stacked":
            return [plot.py(s.ys[s.last or 0]) for s in self.shown]
        heights: dict[str, float] = {}
        below = 0.0
        for strand in self.scene.strands:
            y = strand.ys[-1] if strand.ys and not math.isnan(strand.ys[-1]) else 0.0
            heights[strand.name] = plot.py(below + y / 2)
            below += y
        return [heights[s.name] for s in self.shown]


def legend_settings(asked: bool | Mapping[str, object], labels: list[str], canvas: Canvas) -> dict[str, Any]:
    """Vega-Lite's settings for a legend; of matplotlib's, `title`, `ncol`, `fontsize`, `loc` count."""
    given = dict(asked) if isinstance(asked, Mapping) else {}
    columns = given.get("ncol", given.get("ncols"))
    per_label = widest(labels, canvas.size) + 34
    fitting = max(1, canvas.width // per_label)
    settings: dict[str, Any] = {
        "orient": "bottom" if "lower" in str(given.get("loc", "")) else "top",
        "direction": "horizontal",
        "columns": int(str(columns)) if columns else min(fitting, len(labels)),
        "labelLimit": canvas.width // 2,
    }
    if given.get("title"):
        settings["title"] = str(given["title"])
        settings["titleAnchor"] = "start"
    if isinstance(given.get("fontsize"), int | float):
        settings["labelFontSize"] = given["fontsize"]
    return settings


def legend_height(settings: Mapping[str, Any] | None, count: int, canvas: Canvas) -> int:
    """Pixels that a legend of `count` names takes."""
    if settings is None:
        return 0
    rows = math.ceil(count / max(1, int(settings["columns"]))) + bool(settings.get("title"))
    return rows * (canvas.size + 5) + 8
