"""Chance that falls the same way on every machine and every Python: integers and the four rules of arithmetic only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MASK = (1 << 64) - 1


class Dice:
    """A stream of numbers fixed by its seed (the SplitMix64 sequence)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def share(self) -> float:
        """A number from 0 up to, not including, 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, not including, `limit`."""
        return int(self.share() * limit)

    def about(self, value: float, spread: float) -> float:
        """`value`, off by at most `spread` of itself."""
        return value * (1 + spread * (2 * self.share() - 1))

    def whole(self, value: float) -> int:
        """`value` as a whole number that is right on average: 2.3 becomes 2, or 3 three times in ten."""
        return int(value + self.share())

    def index(self, weights: Sequence[float]) -> int:
        """A place in `weights`, each as often as its weight says."""
        left = self.share() * total(weights)
        for place, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return place
        return len(weights) - 1


def total(weights: Iterable[float]) -> float:
    """The sum, added from left to right; `sum` rounds otherwise from Python 3.12 on."""
    added = 0.0
    for weight in weights:
        added += weight
    return added


class Share:
    """Decides a chance as evenly as can be: of 100 times at 0.3, 30 are yes. Keeps small samples free of noise."""

    def __init__(self, start: float = 0.5) -> None:
        self._sum = start

    def take(self, chance: float) -> int:
        """How many fall due now; `chance` may be above 1."""
        self._sum += chance
        due = int(self._sum)
        self._sum -= due
        return due
