"""What the data say, as one sentence: computed, never a cause, and silent where it would be guessing.

Each function takes plain numbers and returns a `Finding` or None. Words that compare are chosen from the *printed*
numbers, so a sentence never says "rose" between two numbers that look the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Print = Callable[[float], str]
"""A number as printed."""

Share = Callable[[float, float], str]
"""A part of a whole as printed."""

NOTICEABLE = 0.03
"""A change smaller than this share is called steady."""
OUTSTANDING = 1.2
"""A peak this many times the next value is worth a title."""
CONTRIBUTION = 0.4
"""A part that made at least this share of a change is named."""
AT_WORK = 0.5
"""A trend that days of work made less than this share of is the weekend's."""
FEWEST_WINDOWS = 4
"""A record needs at least so many earlier windows."""


@dataclass(frozen=True)
class Finding:
    """`text` is the sentence without a full stop. `subjects` are the positions (or names) it is about."""

    text: str
    subjects: tuple[int | str, ...] = ()


def _known(values: Sequence[float]) -> list[float]:
    return [v for v in values if math.isfinite(v)]


def movement(subject: str, before: float, now: float, show: Print, *, per: str = "") -> Finding | None:
    """`Sign-ups rose from 31 to 44 a day`; steady where the change is small; None where a value is missing."""
    if not (math.isfinite(before) and math.isfinite(now)):
        return None
    old, new = show(before), show(now)
    tail = f" {per}" if per else ""
    base = max(abs(before), abs(now))
    if old == new or (base and abs(now - before) / base < NOTICEABLE):
        return Finding(f"{subject} held steady at {new}{tail}")
    verb = "rose" if now > before else "fell"
    return Finding(f"{subject} {verb} from {old} to {new}{tail}")


def record(subject: str, earlier: Sequence[float], now: float, words: RecordWords) -> Finding | None:
    """`Sign-ups: best week in 90 days` where no earlier window reached the newest, or all were above it."""
    past = _known(earlier)
    if len(past) < FEWEST_WINDOWS or not math.isfinite(now):
        return None
    shown, others = words.show(now), {words.show(v) for v in past}
    if now > max(past) and shown not in others:
        return Finding(f"{subject}: {words.high} {words.window} in {words.span}, {shown}{words.tail}")
    if now < min(past) and shown not in others:
        return Finding(f"{subject}: {words.low} {words.window} in {words.span}, {shown}{words.tail}")
    return None


@dataclass(frozen=True)
class RecordWords:
    """How a record is told: `highest week in 90 days, 183 a day`."""

    show: Print
    window: str
    span: str
    per: str = ""
    better: bool | None = None

    @property
    def high(self) -> str:
        return {True: "best", False: "worst", None: "highest"}[self.better]

    @property
    def low(self) -> str:
        return {True: "worst", False: "best", None: "lowest"}[self.better]

    @property
    def tail(self) -> str:
        return f" {self.per}" if self.per else ""


def peak(subject: str, names: Sequence[str], values: Sequence[float], show: Print) -> Finding | None:
    """`Sign-ups peaked at 251 on Thursday` where one value stands out, above or below; else None."""
    present = sorted(_known(values))
    if len(present) < 4 or present[0] < 0:
        return None
    top, second, low, next_low = present[-1], present[-2], present[0], present[1]
    if top >= OUTSTANDING * second and _stands_out(top, present[:-1]) and show(top) != show(second):
        at = _position(values, top)
        return Finding(f"{subject} peaked at {show(top)} {names[at]}", (at,))
    if low * OUTSTANDING <= next_low and _stands_out(low, present[1:]) and show(low) != show(next_low):
        at = _position(values, low)
        return Finding(f"{subject} dipped to {show(low)} {names[at]}", (at,))
    return None


def _stands_out(value: float, others: Sequence[float]) -> bool:
    """Is a value two standard deviations away from the others' mean?"""
    mean = sum(others) / len(others)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in others) / len(others))
    return abs(value - mean) >= 2 * deviation and value != mean


def trend(
    subject: str,
    values: Sequence[float],
    show: Print,
    per: str = "",
    *,
    ends: bool = False,
    at_work: Sequence[bool] = (),
) -> Finding | None:
    """`Sign-ups rose from 31 to 44 a day` where first and last third differ by more than the values scatter.

    The numbers are the thirds' means; the first and last value where all steps go one way, or with `ends`, where
    those move the same way. `at_work` says which values are of working days: what a weekend makes is no trend.
    """
    moved = shift(values, ends=ends, at_work=at_work)
    return movement(subject, *moved, show, per=per) if moved else None


def _scatter(values: Sequence[float]) -> float:
    """Typical size of a step from one value to the next."""
    steps = sorted(abs(b - a) for a, b in itertools.pairwise(values))
    return steps[len(steps) // 2] if steps else 0.0


def spread(subject: str, names: Sequence[str], values: Sequence[float], show: Print) -> Finding | None:
    """`Sign-ups ranged from 121 (Sat) to 251 (Thu)`, or `held steady at 43` where they hardly differ."""
    present = _known(values)
    if not present:
        return None
    low, high = min(present), max(present)
    if len(present) == 1:
        return Finding(f"{subject}: {show(high)} {names[_position(values, high)]}")
    if show(low) == show(high):
        return Finding(f"{subject} held steady at {show(high)}")
    at_low, at_high = _position(values, low), _position(values, high)
    text = f"{subject} ranged from {show(low)} {names[at_low]} to {show(high)} {names[at_high]}"
    return Finding(text, (at_high,))


def contribution(
    subject: str, names: Sequence[str], before: Sequence[float], now: Sequence[float], *, show: Print
) -> Finding | None:
    """`Thursday accounts for 68 of the rise of 131 in sign-ups` where one part made most of the whole change."""
    pairs = [(i, b, n) for i, (b, n) in enumerate(zip(before, now, strict=True)) if _finite(b, n)]
    if len(pairs) < 2 or len(pairs) < len(now):
        return None
    old, new = sum(b for _, b, _ in pairs), sum(n for _, _, n in pairs)
    total = new - old
    if show(old) == show(new) or abs(total) < NOTICEABLE * max(abs(old), abs(new)):
        return None
    at, part = max(((i, n - b) for i, b, n in pairs), key=lambda p: p[1] if total > 0 else -p[1])
    share = part / total
    if not CONTRIBUTION <= share <= 1 or show(abs(part)) == show(0):
        return None
    gained, rest = show(abs(part)), show(abs(total))
    if gained == rest:
        return None
    way = "rise" if total > 0 else "fall"
    return Finding(f"{names[at]} accounts for {gained} of the {way} of {rest} in {_lower(subject)}", (at,))


def whole_change(
    subject: str, before: Sequence[float], now: Sequence[float], *, show: Print, change: str
) -> Finding | None:
    """`Sign-ups rose 11.4 %, from 1,153 to 1,284`; `change` is the printed change."""
    old, new = _known(before), _known(now)
    if not old or not new or len(old) < len(now) or len(new) < len(now):
        return None
    a, b = sum(old), sum(new)
    if show(a) == show(b) or (a > 0 and abs(b - a) / a < NOTICEABLE / 3):
        return Finding(f"{subject} held steady at {show(b)}, {show(a)} before")
    verb = "rose" if b > a else "fell"
    amount = f" {change}," if change else ""
    return Finding(f"{subject} {verb}{amount} from {show(a)} to {show(b)}")


def leader(  # noqa: PLR0917 - plain numbers in
    subject: str, names: Sequence[str], values: Sequence[float], show: Print, share: Share, rest: float = 0
) -> Finding | None:
    """`Germany leads with 312, 24 % of all sign-ups` where one is ahead.

    `rest` is the sum of what is not named. The share is left out without `subject`, and where a value is below zero.
    """
    present = _known(values)
    if len(present) < 2 or len(present) < len(values):
        return None
    ordered = sorted(present, reverse=True)
    top, second, total = ordered[0], ordered[1], sum(present) + rest
    at = _position(values, top)
    if top <= 0 or show(top) == show(second):
        return None
    if ordered[-1] < 0 or rest < 0 or not subject:
        return Finding(f"{names[at]} leads with {show(top)}", (at,))
    return Finding(f"{names[at]} leads with {show(top)}, {share(top, total)} of all {_lower(subject)}", (at,))


def mover(
    names: Sequence[str],
    series: Sequence[Sequence[float]],
    show: Print,
    per: str = "",
    *,
    ends: bool = False,
    at_work: Sequence[bool] = (),
) -> Finding | None:
    """`Team rose most, from 19 to 34 a week`: the series with the largest clear trend, where any has one.

    `ends` and `at_work` as in `trend`.
    """
    best: tuple[float, int, float, float] | None = None
    for i, values in enumerate(series):
        moved = shift(values, ends=ends, at_work=at_work)
        if moved is None or show(moved[0]) == show(moved[1]):
            continue
        size = abs(moved[1] - moved[0])
        if size >= NOTICEABLE * max(abs(moved[0]), abs(moved[1])) and (best is None or size > best[0]):
            best = (size, i, *moved)
    if best is None or len(series) < 2:
        return None
    _, at, before, now = best
    verb = "rose" if now > before else "fell"
    tail = f" {per}" if per else ""
    return Finding(f"{names[at]} {verb} most, from {show(before)} to {show(now)}{tail}", (at,))


def shift(
    values: Sequence[float], *, ends: bool = False, at_work: Sequence[bool] = ()
) -> tuple[float, float] | None:
    """From where to where values moved; None where that is lost in their scatter, or mostly made by weekends."""
    moved = _between(_known(values), ends)
    if moved is None or all(at_work):
        return moved
    weekly = _between(_known([v for v, working in zip(values, at_work, strict=True) if working]), ends)
    if weekly is None or not moved[1] - moved[0]:
        return None
    share = (weekly[1] - weekly[0]) / (moved[1] - moved[0])
    return moved if share >= AT_WORK else None


def _between(present: Sequence[float], ends: bool) -> tuple[float, float] | None:
    if len(present) < 2:
        return None
    if len(present) < 4 or _one_way(present):
        return present[0], present[-1]
    third = max(1, len(present) // 3)
    before, now = sum(present[:third]) / third, sum(present[-third:]) / third
    if abs(now - before) <= _scatter(present):
        return None
    if not ends:
        return before, now
    first, last = present[0], present[-1]
    return (first, last) if (last > first) == (now > before) else None


def _one_way(values: Sequence[float]) -> bool:
    """Do values only rise, or only fall, as sums and stocks do?"""
    steps = [b - a for a, b in itertools.pairwise(values)]
    return all(step >= 0 for step in steps) or all(step <= 0 for step in steps)


def _finite(*values: float) -> bool:
    return all(math.isfinite(v) for v in values)


def _position(values: Sequence[float], wanted: float) -> int:
    return next(i for i, v in enumerate(values) if v == wanted)


def _lower(subject: str) -> str:
    """`Sign-ups` as it stands inside a sentence; acronyms keep their letters."""
    first = subject.split(" ", 1)[0]
    return subject if first.isupper() and len(first) > 1 else subject[:1].lower() + subject[1:]


def inside(subject: str) -> str:
    """A subject in the middle of a sentence."""
    return _lower(subject)
