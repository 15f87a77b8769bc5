"""Keeps labels apart: pushes positions until each has room, moving as little as possible."""

from __future__ import annotations

from collections.abc import Sequence


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions in the order of `wanted`, at least `gap` apart and within `low`..`high`, near to where they belong.

    Neighbours that are too near form a cluster whose mean stays where it was. Where all together do not fit, the gap
    shrinks.
    """
    count = len(wanted)
    if count == 0:
        return []
    if count > 1:
        gap = min(gap, max(0.0, high - low) / (count - 1))
    order = sorted(range(count), key=lambda i: (wanted[i], i))
    clusters: list[tuple[float, list[int]]] = []
    for index in order:
        centre, members = wanted[index], [index]
        while clusters and _touch(clusters[-1], (centre, members), gap):
            before, earlier = clusters.pop()
            total = len(earlier) + len(members)
            centre = (before * len(earlier) + centre * len(members)) / total
            members = earlier + members
        clusters.append((centre, members))
    placed = [0.0] * count
    flat: list[int] = []
    for centre, members in clusters:
        for position, index in enumerate(members):
            placed[index] = centre + (position - (len(members) - 1) / 2) * gap
            flat.append(index)
    _keep_inside(placed, flat, gap, (low, high))
    return placed


def _touch(a: tuple[float, list[int]], b: tuple[float, list[int]], gap: float) -> bool:
    return b[0] - a[0] < gap * (len(a[1]) + len(b[1])) / 2


def _keep_inside(placed: list[float], order: list[int], gap: float, bounds: tuple[float, float]) -> None:
    """Pushes positions, in ascending order, up from the lower bound and then down from the upper one."""
    floor, ceiling = bounds
    for index in order:
        placed[index] = floor = max(placed[index], floor)
        floor += gap
    for index in reversed(order):
        placed[index] = ceiling = min(placed[index], ceiling)
        ceiling -= gap
