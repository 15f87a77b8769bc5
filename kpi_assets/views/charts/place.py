"""Finds a free spot for a label beside its mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 2.0


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def outside(self, bounds: Box) -> float:
        """Area that lies outside `bounds`."""
        return self.area - self.overlap(bounds)

    @classmethod
    def around(cls, x: float, y: float, radius: float) -> Box:
        return cls(x - radius, y - radius, x + radius, y + radius)


def place(  # noqa: PLR0913 - a geometry in plain numbers
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    obstacles: Sequence[Box],
    bounds: Box,
    reach: float = 9,
    taken: Sequence[Box] = (),
) -> tuple[Box, float]:
    """The best box for a label of the mark at (x, y), and the area of what it still covers (0 where it is free).

    `taken` are other labels: to cover those is ten times as bad.
    """
    far = 3 * reach + MARGIN
    around = Box(x - width - far, y - height - far, x + width + far, y + height + far)
    obstacles = [other for other in obstacles if around.overlap(other) > 0]
    best: tuple[float, Box] | None = None
    for rank, box in enumerate(_candidates(Box(x, y, x + width, y + height), reach)):
        grown = Box(box.left - MARGIN, box.top - MARGIN, box.right + MARGIN, box.bottom + MARGIN)
        covered = sum(grown.overlap(other) for other in obstacles) + 20 * box.outside(bounds)
        covered += 10 * sum(grown.overlap(other) for other in taken)
        score = covered + rank * 0.5
        if best is None or score < best[0]:
            best = (score, box)
        if covered == 0:
            return box, 0.0
    score, box = best or (0.0, Box(x, y, x + width, y + height))
    return box, score


def _candidates(at: Box, reach: float) -> list[Box]:
    """Above, left, right, below, then the corners, then the same further away."""
    x, y, width, height = at.left, at.top, at.right - at.left, at.bottom - at.top
    found: list[Box] = []
    for far in (1.0, 1.8, 3.0):
        gap = reach * far
        for left, top in (
            (x - width / 2, y - gap - height),
            (x - gap - width, y - height / 2),
            (x + gap, y - height / 2),
            (x - width / 2, y + gap),
            (x - gap - width, y - gap - height),
            (x + gap, y - gap - height),
            (x - gap - width, y + gap),
            (x + gap, y + gap),
        ):
            found.append(Box(left, top, left + width, top + height))
    return found
