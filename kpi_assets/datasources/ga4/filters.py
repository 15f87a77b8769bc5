"""Filters in the words of Google's old API, `ga:country==Germany;ga:medium!=organic`, read strictly.

`;` is and, `,` is or, which binds closer; a backslash before either, or before another one, makes it part of the value.
Dimensions: `==`, `!=` (the whole value), `=@`, `!@` (contains), `=~`, `!~` (a regular expression finds something).
Metrics: `==`, `!=`, `>`, `<`, `>=`, `<=`. Upper and lower case are the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kpi_assets.datasources.ga4.names import is_metric, modern

TEXT_SIGNS = {"=@": "CONTAINS", "!@": "CONTAINS", "=~": "PARTIAL_REGEXP", "!~": "PARTIAL_REGEXP"}
NUMBER_SIGNS = {
    ">": "GREATER_THAN",
    "<": "LESS_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "<=": "LESS_THAN_OR_EQUAL",
}
_CONDITION = re.compile(r"\s*([^\s=!<>]+)\s*(==|!=|=@|!@|=~|!~|>=|<=|>|<)(.*)", re.DOTALL)
_SHOWN = "such as country==Germany;sessionMedium!=organic"


@dataclass(frozen=True)
class Condition:
    """One comparison. `value` is the text as written, `sign` the operator."""

    field: str
    sign: str
    value: str
    metric: bool

    @property
    def negated(self) -> bool:
        return self.sign.startswith("!")

    @property
    def operation(self) -> str:
        """GA4's name of the comparison, before it is negated."""
        if self.metric:
            return NUMBER_SIGNS.get(self.sign, "EQUAL")
        return TEXT_SIGNS.get(self.sign, "EXACT")


@dataclass(frozen=True)
class Filters:
    """Groups that must all hold; of a group one condition must. All conditions of a group are of one kind."""

    groups: tuple[tuple[Condition, ...], ...] = ()

    def of(self, *, metric: bool) -> tuple[tuple[Condition, ...], ...]:
        return tuple(group for group in self.groups if group[0].metric is metric)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(condition.field for group in self.groups for condition in group))


def parse(text: str, metrics: Sequence[str]) -> Filters:
    """What the text says; `metrics` are the query's own. Raises ValueError that names the part at fault."""
    if not text.strip():
        return Filters()
    groups = tuple(
        tuple(_condition(part, metrics) for part in _split(group, ",")) for group in _split(text, ";")
    )
    for group in groups:
        for one, other in pairwise(group):
            if one.metric is not other.metric:
                raise ValueError(
                    f"filters_expression: '{one.field}' and '{other.field}' are a dimension and a metric, which "
                    "GA4 cannot join with `,` (or): use `;` (and)"
                )
    return Filters(groups)


def _split(text: str, sign: str) -> Iterator[str]:
    """Parts between unescaped signs, their escapes kept."""
    start = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == sign:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _condition(text: str, metrics: Sequence[str]) -> Condition:
    if not text.strip():
        raise ValueError(f"filters_expression: a condition is missing beside `;` or `,`; write {_SHOWN}")
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(f"filters_expression: '{text.strip()}' has no operator; write {_SHOWN}")
    name, sign, value = found[1], found[2], re.sub(r"\\([\\;,])", r"\1", found[3])
    try:
        field = modern(name)
    except ValueError as error:
        raise ValueError(f"filters_expression: {error}") from None
    metric = sign in NUMBER_SIGNS or (sign not in TEXT_SIGNS and (field in metrics or is_metric(field)))
    _check(name, sign, value, _number if metric else _pattern if sign in ("=~", "!~") else _any)
    if sign in TEXT_SIGNS and (field in metrics or is_metric(field)):
        raise ValueError(f"filters_expression: '{name}' is a metric: compare it with ==, !=, >, <, >= or <=")
    return Condition(field, sign, value.strip() if metric else value, metric)


def _check(name: str, sign: str, value: str, check: Callable[[str], str]) -> None:
    if fault := "is compared with nothing" if not value else check(value):
        raise ValueError(f"filters_expression: '{name}{sign}{value}': {fault}")


def _number(value: str) -> str:
    try:
        return "" if math.isfinite(float(value)) else "a metric is compared with a number"
    except ValueError:
        return "a metric is compared with a number"


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        return f"no regular expression ({error})"
    return ""


def _any(value: str) -> str:
    del value
    return ""
