"""What a bar chart draws, before it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Arrangement = Literal["single", "grouped", "stacked"]


@dataclass(frozen=True)
class Category:
    """A place on the category axis. `key` is unique, `lines` its label, `short` a label for where there is little room.

    `mark` says that the label stays where only some can be shown (the first of a month).
    """

    key: str
    lines: tuple[str, ...]
    short: str = ""
    mark: bool = True


@dataclass(frozen=True)
class Bars:
    """One series: a value per category, NaN where there is none."""

    name: str
    label: str
    color: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class BarScene:
    """Everything a bar chart shows.

    `before` are the earlier values of a single series, drawn as a line across each bar and called `before_label`;
    `changes` the words printed beneath (or beside) each value. `subjects` are the positions in full colour: the
    others are soft, or grey where `past` holds them. `labels` asks for values at the bars even where room is short.
    """

    categories: tuple[Category, ...]
    series: tuple[Bars, ...]
    arrangement: Arrangement = "single"
    before: tuple[float, ...] = ()
    before_label: str = ""
    changes: tuple[str, ...] = ()
    subjects: frozenset[int] = frozenset()
    past: frozenset[int] = frozenset()
    labels: bool = False
    empty: str = ""

    @property
    def single(self) -> bool:
        return len(self.series) == 1

    def total(self, position: int) -> float:
        """Sum of a category's values; NaN where it has none."""
        present = [s.values[position] for s in self.series if not math.isnan(s.values[position])]
        return sum(present) if present else math.nan

    def extent(self) -> tuple[float, float]:
        """Least and greatest value that the axis must hold, zero included."""
        if self.arrangement == "stacked":
            columns = list(zip(*(s.values for s in self.series), strict=True))
            high = max((sum(v for v in c if v > 0) for c in columns), default=0.0)
            low = min((sum(v for v in c if v < 0) for c in columns), default=0.0)
        else:
            every = [v for s in self.series for v in s.values] + list(self.before)
            present = [v for v in every if not math.isnan(v)]
            low, high = min(present, default=0.0), max(present, default=0.0)
        low, high = min(low, 0.0), max(high, 0.0)
        return (low, high) if high > low else (0.0, 1.0)
