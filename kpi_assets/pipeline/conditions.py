"""Does the condition of a `when:` hold for an edition, and why (not)? Decided from stored frames."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kpi_assets.config.when import ConditionConfig
from kpi_assets.contracts import Span, Window
from kpi_assets.errors import DataError
from kpi_assets.plan import ConditionPlan, digest
from kpi_assets.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.pipeline.rendering import FrameShelf

BEFORE = Span(windows_back=1)
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "above": operator.gt,
    "below": operator.lt,
    "at_least": operator.ge,
    "at_most": operator.le,
    "equals": operator.eq,
    "not_equals": operator.ne,
}
WORDS = {
    "above": "above",
    "below": "below",
    "at_least": "at least",
    "at_most": "at most",
    "equals": "equal to",
    "not_equals": "other than",
}


@dataclass(frozen=True)
class Judgement:
    """Whether a condition holds. `reason` says what was found and what was wanted, for the report's owner.

    `missing`: there was no value to compare.
    """

    holds: bool
    reason: str
    missing: bool = False


@dataclass(frozen=True)
class Judge:
    """Judges the conditions of one edition. Raises DataError, also where only one part cannot be decided."""

    session: Session
    window: Window
    frames: FrameShelf

    def of(self, condition: ConditionPlan) -> Judgement:
        """Whether it holds. Of several parts each is looked at, so that what changes is always noticed."""
        if not condition.parts:
            return self._of_test(condition.config, condition.query)
        found = [self.of(part) for part in condition.parts]
        holds = (any if condition.config.any else all)(part.holds for part in found)
        telling = [part.reason for part in found if part.holds == holds]
        return Judgement(holds, "; ".join(dict.fromkeys(telling)))

    def _of_test(self, config: ConditionConfig, query: str) -> Judgement:
        frame = self.frames.frame(query, Span())
        try:
            if config.changed:
                return self._changed(config, query, frame)
            now = _compared(config, query, frame)
            if not (config.crossed and now.holds):
                return now
            before = _compared(config, query, self.frames.frame(query, BEFORE))
        except DataError as error:
            raise DataError(f"`when` on query '{query}': {error}") from error
        return _crossed(now, before)

    def _changed(self, config: ConditionConfig, query: str, frame: pd.DataFrame) -> Judgement:
        """Against the newest earlier edition in which the same was looked at; the first is always new."""
        from kpi_assets.frames.values import rows_hash

        plan, content = self.session.plan, rows_hash(frame, config.column)
        edition, key = plan.edition(self.window), digest(plan.queries_by_id[query].fingerprint, config.column)
        what = f"column '{config.column}' of query '{query}'" if config.column else f"query '{query}'"
        self.session.editions.save_seen(plan.id, edition, key, content)
        history = self.session.history
        for earlier in history.earlier(plan.id, edition):
            seen = history.find_seen(plan.id, earlier, key)
            if seen is not None:
                text = "has the same rows as" if seen == content else "has other rows than"
                return Judgement(seen != content, f"{what} {text} in edition {earlier}")
        return Judgement(True, f"{what} has no earlier edition to compare with")


def _compared(config: ConditionConfig, query: str, frame: pd.DataFrame) -> Judgement:
    from kpi_assets.frames.values import value_in

    if config.rows is not None:
        return Judgement(
            all(COMPARE[name](len(frame), limit) for name, limit in config.limits),
            f"query '{query}' has {_counted(len(frame))}, wanted {config.rows}",
        )
    column, agg = config.column or "", config.agg or "last"
    value = value_in(frame, column, agg)
    wanted = " and ".join(f"{WORDS[name]} {_shown(limit)}" for name, limit in config.limits)
    if value is None:
        gone = "no rows" if not len(frame) else f"no value of '{column}' ({agg})"
        return Judgement(False, f"query '{query}' has {gone}, wanted {wanted}", missing=True)
    holds = all(COMPARE[name](_comparable(value, limit, column), limit) for name, limit in config.limits)
    is_ = "" if isinstance(value, str) else f" is {_shown(value)},"
    return Judgement(holds, f"{agg} of '{column}' in query '{query}'{is_} wanted {wanted}")


def _crossed(now: Judgement, before: Judgement) -> Judgement:
    if before.missing:
        return Judgement(False, f"{now.reason}; not crossed, the window before: {before.reason}")
    if before.holds:
        return Judgement(False, f"{now.reason}; not crossed, it was so in the window before: {before.reason}")
    return Judgement(True, f"{now.reason}; crossed, the window before: {before.reason}")


def _comparable(value: Any, limit: object, column: str) -> Any:
    from kpi_assets.frames.values import as_number

    return str(value) if isinstance(limit, str) else as_number(value, column)


def _shown(value: object) -> str:
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return f"'{value}'" if isinstance(value, str) else str(value)


def _counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
