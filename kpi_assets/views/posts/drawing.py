"""The scatter: each post three times, at its likes, replies and shares; the most liked one is called out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt

from kpi_assets.contracts import Picture, RenderContext
from kpi_assets.views.charts.across import TimeAcross
from kpi_assets.views.charts.canvas import Canvas, Padding
from kpi_assets.views.charts.ends import legend_height, legend_settings
from kpi_assets.views.charts.look import Look
from kpi_assets.views.charts.picture import draw
from kpi_assets.views.charts.place import Box, place
from kpi_assets.views.charts.sheet import (
    Row,
    Words,
    assemble,
    layer,
    number,
    plot_height,
    plot_width,
    texts,
    upright,
)
from kpi_assets.views.charts.text import text_width, widest, wrap
from kpi_assets.views.charts.ticks import ValueAxis, value_axis
from kpi_assets.views.posts.reading import COUNTS, Post

NAMES = tuple(COUNTS.values())
SPARSE = 40
"""Up to so many posts, points are large."""
CALL_OUT = 190
"""CSS pixels of the called-out text's lines, of which there are two."""
CELL = 2
"""Points of a series on the same few pixels are drawn once."""


def picture(
    posts: Sequence[Post], called: Post | None, context: RenderContext, alt: str, *, height: int | None
) -> Picture:
    """The picture; clicked, it leads to the post that is called out."""
    look = Look(context.theme, context.numbers, context.window.zone, context.theme.light.series)
    return draw(
        lambda canvas: _Scatter(tuple(posts), called, context, look, canvas, height).chart(),
        context,
        alt,
        title="Engagement",
        link_url=called.url if called else None,
    )


@dataclass(frozen=True)
class _Scatter:
    posts: tuple[Post, ...]
    called: Post | None
    context: RenderContext
    look: Look
    canvas: Canvas
    asked_height: int | None

    def chart(self) -> alt.LayerChart:
        data: dict[str, list[Row]] = {"values": self._values()}
        layers = [self._points(), *self._called(data)]
        return assemble(layers, data, self.canvas, height=self.height, room=self.room)

    @cached_property
    def axis(self) -> ValueAxis:
        return value_axis(0.0, float(max(max(post.counts) for post in self.posts)), zero=True)

    @cached_property
    def labels(self) -> list[str]:
        return self.look.axis_labels(self.axis.ticks)

    @cached_property
    def legend(self) -> dict[str, Any]:
        return legend_settings(True, list(NAMES), self.canvas)

    @cached_property
    def room(self) -> Padding:
        left = widest(self.labels, self.canvas.size) + 10
        lines = self._across(self.canvas.width - left - 16).lines
        top = 10 + legend_height(self.legend, len(NAMES), self.canvas)
        return Padding(left, 16, top + self.sky, 12 + self.canvas.line_height * lines)

    @property
    def sky(self) -> int:
        """Room above the plot for the words beside the topmost point."""
        return self.canvas.line_height * 3 // 2 if self.called else 0

    @cached_property
    def height(self) -> int:
        return self.canvas.height(self.asked_height)

    @cached_property
    def tall(self) -> int:
        return plot_height(self.height, self.room)

    @cached_property
    def width(self) -> int:
        return plot_width(self.canvas, self.room)

    @cached_property
    def across(self) -> TimeAcross:
        return self._across(self.width)

    def _across(self, width: float) -> TimeAcross:
        window = self.context.window
        return TimeAcross.over(window.starts_at, window.ends_at, self.look, canvas=self.canvas, width=width)

    def _spot(self, post: Post, count: float) -> tuple[float, float]:
        low, high = self.axis.low, self.axis.high
        return self.across.share(post.at) * self.width, (high - count) / (high - low) * self.tall

    def _values(self) -> list[Row]:
        """Likes last, so that they lie on top."""
        rows: list[Row] = []
        for place_, name in reversed(list(enumerate(NAMES))):
            taken: set[tuple[int, int]] = set()
            for post in self.posts:
                x, y = self._spot(post, post.counts[place_])
                cell = (round(x / CELL), round(y / CELL))
                if cell not in taken:
                    taken.add(cell)
                    at = self.across.value(post.at)
                    rows.append({"x": at, "y": post.counts[place_], "series": name})
        return rows

    def _points(self) -> alt.Chart:
        y = {"field": "y", "type": "quantitative", **upright(self.axis, self.labels, grid=True)}
        colors = [self.look.color(place_, name) for place_, name in enumerate(NAMES)]
        color = {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": list(NAMES), "range": colors},
            "legend": {**self.legend, "symbolType": "circle", "offset": 8 + self.sky},
        }
        size = 44 if len(self.posts) <= SPARSE else 20
        channels = {"x": self.across.channel("x", axis=True), "y": y, "color": color}
        return layer("values", "point", channels, filled=True, size=size, opacity=1)

    def _called(self, data: dict[str, list[Row]]) -> list[alt.Chart]:
        """A ring around the post, and the beginning of its text where it covers least."""
        if self.called is None:
            return []
        data["called"] = [{"x": self.across.value(self.called.at), "y": self.called.likes}]
        data["words"] = self._label(self.called)
        y = {"field": "y", "type": "quantitative"}
        ring = {"filled": False, "stroke": self.look.light.ink, "strokeWidth": 2, "size": 90, "opacity": 1}
        return [
            layer("called", "point", {"x": self.across.channel("x"), "y": y}, fill="transparent", **ring),
            texts("words", None, y),
        ]

    def _label(self, post: Post) -> list[Row]:
        size, line = self.canvas.size, self.canvas.line_height
        lines = wrap(f"“{_drawable(post.excerpt(80))}”", min(CALL_OUT * size / 12, self.width * 0.6), size)
        lines.append(f"{self.look.value(post.likes)} {'like' if post.likes == 1 else 'likes'}")
        spots = [Box.around(*self._spot(other, count), 4) for other in self.posts for count in other.counts]
        x, y = self._spot(post, post.likes)
        bounds = Box(0, -self.sky, self.width, self.tall)
        high = line * len(lines)
        box, _ = place(x, y, max(text_width(text, size, bold=True) for text in lines), high,
                       obstacles=spots, bounds=bounds)  # fmt: skip
        side = "right" if box.right <= x else "left" if box.left >= x else "center"
        at = {"right": box.right, "left": box.left, "center": (box.left + box.right) / 2}[side]
        muted, last = self.look.light.muted, len(lines) - 1
        return [
            {
                "x": at,
                "y": self._value_at(box.top + line * (i + 0.5)),
                **Words(text, muted if i == last else "", side).as_row(self.look.light.ink),
            }
            for i, text in enumerate(lines)
        ]

    def _value_at(self, py: float) -> float | int | None:
        return number(self.axis.high - py / self.tall * (self.axis.high - self.axis.low))


def _drawable(text: str) -> str:
    """Without emoji: few machines that draw charts have a font with them, and show boxes."""
    kept = (sign for sign in text if unicodedata.category(sign) not in {"So", "Sk", "Cf", "Me", "Co", "Cn"})
    return " ".join("".join(kept).split())
