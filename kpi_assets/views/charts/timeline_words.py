"""Lines and areas: names, values and remarks, where they cover nothing."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from kpi_assets.views.charts.place import Box, place
from kpi_assets.views.charts.sheet import (
    Row,
    Words,
)
from kpi_assets.views.charts.strands import Mark
from kpi_assets.views.charts.text import text_width
from kpi_assets.views.charts.timeline_layout import TimelineLayout

CROWDED = 0.3
"""An incident's label that would cover more than this share of its own area is left out."""
SPOTTED = 0.05
"""The same for the peak, which the title or the table tells as well."""


@dataclass(frozen=True)
class TimelineWords(TimelineLayout):
    """The texts of one timeline."""

    def words(self) -> list[Row]:
        """Every text, with its position."""
        return [*self.ends.rows(self.geometry), *self._placed_marks(), *self._headings()]

    def _headings(self) -> list[Row]:
        rows: list[Row] = []
        size, muted = self.canvas.size, self.look.light.muted
        if tint := self.scene.tint:
            half = text_width(tint.label, size) / 2
            middle = (self.px(tint.start) + self.px(tint.end)) / 2
            middle = min(middle, self.width + self.room.right - half)
            rows.append(self.text_row(middle, -(size + 8) / 2, Words(tint.label, muted, "center")))
        if self.look.axis_title:
            heading = Words(self.look.axis_title, muted)
            rows.append(self.text_row(2 - self.room.left, -(size / 2 + 6), heading))
        if self.scene.empty:
            rows.append(
                self.text_row(self.width / 2, self.tall / 2, Words(self.scene.empty, muted, "center"))
            )
        return rows

    def _obstacles(self) -> list[Box]:
        """What labels must not cover: points, and lines as the points along them."""
        boxes: list[Box] = []
        scene = self.scene
        for strand in (*scene.strands, *(s for s in (scene.dots, scene.before) if s)):
            spots = [
                (self.px(x), self.py(y)) if not math.isnan(y) else None
                for x, y in zip(strand.xs, strand.ys, strict=True)
            ]
            boxes += [Box.around(*spot, 3) for spot in spots if spot]
            if strand is not scene.dots:
                boxes += [Box.around(*spot, 2) for spot in _along(spots)]
        return boxes

    def _placed_marks(self) -> list[Row]:
        """Labels of incidents and of the peak, incidents first, each where it covers least; without room, none."""
        rows: list[Row] = []
        obstacles, taken = self._obstacles(), list[Box]()
        for mark in sorted(self.scene.marks, key=lambda m: not m.ring):
            for lines in ([text for text in (mark.title, mark.text) if text], [mark.title]):
                box, covered = self._place(mark, lines, obstacles, taken)
                if covered <= (CROWDED if mark.ring else SPOTTED) * box.area:
                    taken.append(box)
                    rows += self._label(mark, lines, box)
                    break
        return rows

    def _place(
        self, mark: Mark, lines: list[str], obstacles: list[Box], taken: list[Box]
    ) -> tuple[Box, float]:
        size = self.canvas.size
        wide = max(text_width(text, size, bold=i == 0) for i, text in enumerate(lines))
        bounds = Box(0, 0 if self.scene.tint else -self.room.top, self.width, self.tall)
        x, y = self.px(mark.at), self.py(self.mark_value(mark.value))
        high = self.canvas.line_height * len(lines)
        return place(x, y, wide, high, obstacles=obstacles, bounds=bounds, taken=taken)

    def _label(self, mark: Mark, lines: list[str], box: Box) -> list[Row]:
        x = self.px(mark.at)
        side = "right" if box.right <= x else "left" if box.left >= x else "center"
        at = {"right": box.right, "left": box.left, "center": (box.left + box.right) / 2}[side]
        muted, line = self.look.light.muted, self.canvas.line_height
        words = [Words(text, muted if i else "", side, bold=not i) for i, text in enumerate(lines)]
        return [self.text_row(at, box.top + line * (i + 0.5), word) for i, word in enumerate(words)]


def _along(spots: list[tuple[float, float] | None]) -> list[tuple[float, float]]:
    """Points every few pixels on the lines between neighbours."""
    found: list[tuple[float, float]] = []
    for a, b in itertools.pairwise(spots):
        if a is None or b is None:
            continue
        count = min(int(max(abs(b[0] - a[0]), abs(b[1] - a[1])) / 6), 60)
        for i in range(1, count):
            share = i / count
            found.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
    return found
