"""Upright bars: names, values and changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from kpi_assets.views.charts.column_layout import ColumnLayout
from kpi_assets.views.charts.place import Box, place
from kpi_assets.views.charts.sheet import (
    Row,
    Words,
)
from kpi_assets.views.charts.text import text_width, widest


@dataclass(frozen=True)
class ColumnWords(ColumnLayout):
    """The texts of one bar chart, in pixels of its plot."""

    def words(self) -> list[Row]:
        rows: list[Row] = []
        if self.beneath:
            rows += self._beneath_rows()
        if self.labelled:
            rows += self._on_bars()
        rows += self._free_texts()
        return rows

    def _beneath_rows(self) -> list[Row]:
        scene, muted, line = self.scene, self.look.light.muted, self.canvas.line_height + 2
        names = max(len(c.lines) for c in scene.categories)
        rows: list[Row] = []
        for i, category in enumerate(scene.categories):
            x, top = self.px(i), self.tall + 8 + line / 2
            for k, text in enumerate(category.lines):
                rows.append(self.text_row(x, top + k * line, Words(text, muted, "center")))
            value = self.value_texts[i] or self.look.numbers.missing()
            shade = "" if self.value_texts[i] else muted
            rows.append(self.text_row(x, top + names * line, Words(value, shade, "center", bold=not shade)))
            if scene.changes:
                change = Words(scene.changes[i], muted, "center")
                rows.append(self.text_row(x, top + (names + 1) * line, change))
        return rows

    def _on_bars(self) -> list[Row]:
        """Values above single bars and stacks, or above each of grouped bars, where they fit."""
        scene = self.scene
        if scene.arrangement != "grouped":
            totals = [scene.total(i) for i in range(len(scene.categories))]
            spots = [(self.px(i), self._top(i), total) for i, total in enumerate(totals)]
            return self._labels([spot for spot in spots if not math.isnan(spot[2])], self.step)
        each = self.bar / len(scene.series)
        places = [
            (self.px(i) - self.bar / 2 + (k + 0.5) * each, value, value)
            for k, series in enumerate(scene.series)
            for i, value in enumerate(series.values)
            if not math.isnan(value)
        ]
        return self._labels(places, each + 4)

    def _labels(self, spots: list[tuple[float, float, float]], room: float) -> list[Row]:
        """Values at (x, height): whole where all have room, else all in short, those that have room."""
        size = self.canvas.size
        forms = (self.look.value, self.look.brief, partial(self.look.brief, bare=True))
        written = [[form(value) for *_, value in spots] for form in forms]
        texts = next((texts for texts in written if widest(texts, size) <= room), written[-1])
        return [
            self._above(x, top, text)
            for (x, top, _), text in zip(spots, texts, strict=True)
            if text_width(text, size) <= room
        ]

    def _top(self, position: int) -> float:
        values = [s.values[position] for s in self.scene.series if not math.isnan(s.values[position])]
        if self.scene.arrangement == "stacked":
            return sum(v for v in values if v > 0) or sum(values)
        return values[0] if values else 0.0

    def _above(self, px: float, value: float, text: str) -> Row:
        lift = self.canvas.line_height / 2 + 1
        py = self.py(value) + (lift if value < 0 else -lift)
        return self.text_row(px, py, Words(text, "", "center"))

    def _free_texts(self) -> list[Row]:
        rows: list[Row] = []
        muted = self.look.light.muted
        if self.at_end:
            rows += self.ends.rows(self.geometry)
        if self.look.axis_title and not self.beneath:
            rows.append(
                self.text_row(
                    -self.room.left + 2, -(self.canvas.size / 2 + 6), Words(self.look.axis_title, muted)
                )
            )
        if self.scene.empty:
            rows.append(
                self.text_row(self.width / 2, self.tall / 2, Words(self.scene.empty, muted, "center"))
            )
        return rows + self._before_name()

    def _before_name(self) -> list[Row]:
        """The name of the lines across the bars, once, where nothing is in the way."""
        scene, size = self.scene, self.canvas.size
        present = [i for i, value in enumerate(scene.before) if not math.isnan(value)]
        if not present or not scene.before_label:
            return []
        wide, high = text_width(scene.before_label, size), self.canvas.line_height
        bounds = Box(0, -self.room.top, self.width, self.tall)
        obstacles = [self._bar_box(i) for i in range(len(scene.categories))]
        best: tuple[float, Box] | None = None
        for i in reversed(present):
            box, covered = place(
                self.px(i), self.py(scene.before[i]), wide, high, obstacles=obstacles, bounds=bounds, reach=6
            )
            if best is None or covered < best[0]:
                best = (covered, box)
        if best is None or best[0] > 0.1 * wide * high:
            return []
        box = best[1]
        middle = Words(scene.before_label, "", "center")
        return [self.text_row((box.left + box.right) / 2, (box.top + box.bottom) / 2, middle)]

    def _bar_box(self, position: int) -> Box:
        """A bar with the line across it."""
        scene = self.scene
        values = [
            v for v in (scene.total(position), *scene.before[position : position + 1]) if not math.isnan(v)
        ]
        top = min((self.py(v) for v in (*values, 0.0)), default=0.0)
        half = min(self.bar + 8, self.step) / 2
        x = self.px(position)
        return Box(x - half, top - 2, x + half, self.tall)
