"""What a timeline draws, before it is drawn: series, window, notes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Strand:
    """One series. `xs` are instants or numbers, ascending; `ys` have NaN where there is a gap.

    `label` and `value` stand at its end (either may be empty). `quiet` ones are grey context without a label.
    """

    name: str
    label: str
    color: str
    xs: tuple[Any, ...]
    ys: tuple[float, ...]
    value: str = ""
    quiet: bool = False

    @property
    def last(self) -> int | None:
        """Position of the last value; None where there is none."""
        return next((i for i in range(len(self.ys) - 1, -1, -1) if not math.isnan(self.ys[i])), None)

    @property
    def present(self) -> list[float]:
        return [y for y in self.ys if not math.isnan(y)]

    @property
    def lonely(self) -> list[int]:
        """Values without a neighbour: a line alone would not show them."""
        found: list[int] = []
        for i, y in enumerate(self.ys):
            before = i > 0 and not math.isnan(self.ys[i - 1])
            after = i + 1 < len(self.ys) and not math.isnan(self.ys[i + 1])
            if not math.isnan(y) and not before and not after:
                found.append(i)
        return found


@dataclass(frozen=True)
class Mark:
    """A remark at a point: bold `title`, grey `text`, a ring (red for an alarm). `value` NaN puts it on the axis."""

    at: Any
    value: float
    title: str
    text: str = ""
    ring: bool = False
    alarm: bool = False


@dataclass(frozen=True)
class Tint:
    """The window inside a longer history: tinted and named."""

    start: Any
    end: Any
    label: str


Form = Literal["line", "area", "stacked"]


@dataclass(frozen=True)
class Scene:
    """Everything a timeline shows. `start`..`end` is the horizontal axis.

    `dots` are single values beneath a mean line, those in the window coloured. `caption` stands under the end value of
    a single strand. `smooth` rounds the line, for means only. `before` is the previous window, moved onto this one.
    `empty` is the sentence shown where there are no values. `names` label a horizontal axis of names, at
    0, 1, 2...
    """

    form: Form
    strands: tuple[Strand, ...]
    start: Any
    end: Any
    tint: Tint | None = None
    dots: Strand | None = None
    before: Strand | None = None
    marks: Sequence[Mark] = ()
    caption: str = ""
    smooth: bool = False
    empty: str = ""
    names: tuple[str, ...] = ()

    @property
    def loud(self) -> list[Strand]:
        return [strand for strand in self.strands if not strand.quiet]

    def extent(self) -> tuple[float, float]:
        """Least and greatest value that the axis must hold."""
        if self.form == "stacked":
            return stack_extent(self.strands)
        every = [*self.strands, *(s for s in (self.dots, self.before) if s)]
        values = [y for strand in every for y in strand.present]
        return (min(values), max(values)) if values else (0.0, 1.0)


def stack_extent(strands: Sequence[Strand]) -> tuple[float, float]:
    """The lowest and highest edge of a stack; values below zero stack downwards."""
    columns = list(zip(*(strand.ys for strand in strands), strict=True))
    up = max((sum(y for y in column if y > 0) for column in columns), default=1.0)
    down = min((sum(y for y in column if y < 0) for column in columns), default=0.0)
    return min(down, 0.0), max(up, 0.0) or (1.0 if down == 0 else 0.0)
