"""Syntax that is known to depend on nothing but the rows it is given. Everything else is not proven."""

from __future__ import annotations

import re

from sqlglot import exp

_STRUCTURE = (
    "Select From Table TableAlias Alias Aliases Column Identifier Star Where Group Having Order Ordered "
    "Join Subquery With CTE Distinct Paren Tuple Var DataType DataTypeParam"
)
_VALUES = (
    "Literal Null Boolean And Or Not EQ NEQ GT GTE LT LTE Is In Between Like ILike Exists NullSafeEQ "
    "NullSafeNEQ Add Sub Mul Div IntDiv Mod Neg Case If Coalesce Nullif Cast TryCast Interval "
    "IntervalSpan"
)
_FUNCTIONS = (
    "Date TsOrDsToDate TsOrDsToTimestamp TimestampTrunc DateTrunc TimeToStr Extract Year Quarter Month "
    "Week WeekOfYear Day Hour Minute Second DayOfWeek DayOfMonth DayOfYear DateAdd DateSub DateDiff "
    "TsOrDsDiff TsOrDsAdd Lower Upper Trim Substring Concat ConcatWs DPipe Length Left Right Replace "
    "SafeConcat Round Abs Floor Ceil Greatest Least Sign Pow Sqrt Ln Exp JSONExtract JSONExtractScalar "
    "JSONPath JSONPathRoot JSONPathKey JSONPathSubscript"
)
_AGGREGATES = "Sum Count Avg Min Max CountIf Stddev StddevPop StddevSamp Variance VariancePop Median Filter"

AGGREGATES: tuple[type[exp.Expr], ...] = tuple(
    getattr(exp, name) for name in _AGGREGATES.split() if hasattr(exp, name) and name != "Filter"
)
KNOWN: frozenset[type[exp.Expr]] = frozenset(
    getattr(exp, name)
    for name in f"{_STRUCTURE} {_VALUES} {_FUNCTIONS} {_AGGREGATES}".split()
    if hasattr(exp, name)
)
KNOWN_BY_NAME = frozenset(
    ["ifnull", "iif", "instr", "printf", "hex", "julianday", "datetime", "unixepoch", "json_extract"]
)
"""Functions that the parser has no class for; each needs an argument (`datetime()` means now)."""

MOVING_TEXTS = frozenset(("now", "today", "tomorrow", "yesterday", "localtime", "utc", "subsec"))
"""Words in texts that date functions read as the clock or the machine's zone, as in `'today 12:00'`."""

MOVING_NAMES = frozenset(
    (
        *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now"),
        *("utc_date", "utc_time", "utc_timestamp", "sysdate", "systimestamp", "rownum", "level"),
        *("current_user", "session_user", "system_user", "user"),
    )
)
"""Names that some dialect takes for a function although there are no parentheses."""

SELECT_PARTS = frozenset(
    ["with_", "expressions", "from_", "joins", "where", "group", "having", "order", "distinct", "kind"]
)
TABLE_PARTS = frozenset(["this", "db", "catalog", "alias", "joins"])
JOIN_WORDS = frozenset(("", "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "OUTER"))
JOIN_PARTS = frozenset(["this", "on", "using", "side", "kind"])


def may_move(text: str) -> bool:
    """Whether a text may mean another moment tomorrow."""
    return not MOVING_TEXTS.isdisjoint(re.findall("[a-z]+", text.lower()))


def parts(node: exp.Expr) -> set[str]:
    """The names of a node's parts that are there."""
    return {name for name, value in node.args.items() if value not in (None, False, [], "")}
