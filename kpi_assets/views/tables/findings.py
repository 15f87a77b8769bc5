"""What a table says as a sentence: who leads, and by how much of what."""

from __future__ import annotations

import re
from dataclasses import dataclass

RATIOS = re.compile(
    r"\b(?:avg|average|mean|median|min|max|low|lowest|high|highest|peak|rate|ratio|share|percent|pct|score|rank|price|per|change|p\d\d)\b",
    re.IGNORECASE,
)
WITHOUT_NOUN = frozenset({"count", "number", "total", "value", "sum"})
FEWEST = 3
"""With fewer rows the table itself is the sentence."""


@dataclass(frozen=True)
class Ranking:
    """Names, values and texts of all rows. `whole` is the total as text, where the rows are known to make one."""

    labels: list[str]
    values: list[float | None]
    texts: list[str]
    noun: str = ""
    whole: str = ""
    days: bool = False


def leader(ranking: Ranking) -> str:
    """`Germany leads with 312 of 1,284 sign-ups`; two share the top at most.

    Where rows are days: `Most sign-ups on Nov 21: 251 of 1,284`.
    """
    labels, values, noun = ranking.labels, ranking.values, ranking.noun
    known = [value for value in values if value is not None]
    if len(known) < FEWEST or len(set(labels)) < len(labels) or max(known) <= 0:
        return ""
    top = max(known)
    first = [label for label, value in zip(labels, values, strict=True) if value == top]
    if not all(first) or len(first) > 2 or (len(first) == 2 and (ranking.days or len(labels) <= FEWEST)):
        return ""
    at = values.index(top)
    if len(first) == 2:
        amount = ranking.texts[at]
        return f"{first[0]} and {first[1]} lead with {amount}{f' {noun}' if noun else ''} each"
    amount = f"{ranking.texts[at]} of {ranking.whole}" if ranking.whole else ranking.texts[at]
    if ranking.days:
        return f"{f'Most {noun}' if noun else 'Highest'} on {labels[at]}: {amount}"
    return f"{labels[at]} leads with {amount}{f' {noun}' if noun else ''}"


def noun_of(label: str) -> str:
    """A header as the noun of a sentence: `Sign-ups` is `sign-ups`; empty for `count(*)`, `n`, `MRR_2`."""
    words = " ".join(label.replace("_", " ").split())
    if not re.fullmatch(r"[^\W\d_][\w' -]{2,}", words) or words.lower() in WITHOUT_NOUN:
        return ""
    first = words.split(" ")[0]
    return words if first[1:].lower() != first[1:] else words[:1].lower() + words[1:]


def adds_up(name: str) -> bool:
    """May values of a column of this name be added? Averages and shares may not."""
    return not RATIOS.search(name.replace("_", " "))
