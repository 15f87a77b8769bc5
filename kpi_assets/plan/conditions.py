"""`when:` -> ConditionPlan: queries found, and columns held against what contracts say of them."""

from __future__ import annotations

from collections.abc import Iterator

from kpi_assets.config.when import ConditionConfig
from kpi_assets.contracts import ColumnContract, Need, Span
from kpi_assets.errors import suggest
from kpi_assets.plan.notebook import Path
from kpi_assets.plan.parts import ConditionPlan
from kpi_assets.plan.queries import QueryBook

NUMERIC = frozenset({"integer", "float", "number", "boolean", None})
BEFORE = Span(windows_back=1)


def plan_condition(
    queries: QueryBook, config: ConditionConfig | None, asker: str, at: Path
) -> ConditionPlan | None:
    """The condition that stands at `at`; None where there is none, or a query cannot be found, which is noted.

    A query without a name is called after `asker`.
    """
    if config is None:
        return None
    if config.query is None:
        key = "any" if config.any else "all"
        parts = [
            plan_condition(queries, part, asker, (*at, key, i))
            for i, part in enumerate(config.any or config.all)
        ]
        found = tuple(part for part in parts if part)
        return ConditionPlan(config, parts=found) if len(found) == len(parts) else None
    answered = queries.answer(asker, {"query": _need(config)}, at)
    if answered is None:
        return None
    query = answered["query"][0]
    if config.crossed:
        queries.keep_spans([(query, BEFORE)])
    for reason in _refusals(config, query, queries.plans[query].query.columns):
        queries.notebook.problem(reason, *at, "column")
    for hint in _doubts(config, query, queries.plans[query].query.columns):
        queries.notebook.warn([hint], *at, "column")
    return ConditionPlan(config, query)


def _need(config: ConditionConfig) -> Need:
    if config.query is None or isinstance(config.query, str):
        return Need(datasource=config.datasource, text=config.query, args=config.query_args)
    return Need(ref=config.query.ref)


def _refusals(config: ConditionConfig, query: str, contracts: tuple[ColumnContract, ...]) -> Iterator[str]:
    """What can never hold, by the contract of the column."""
    promised = next((contract for contract in contracts if contract.name == config.column), None)
    if promised is None or not config.limits:
        return
    as_text = all(isinstance(value, str) for _, value in config.limits)
    if not as_text and promised.type not in NUMERIC:
        yield (
            f"column '{config.column}' of query '{query}' is of type {promised.type} by its contract "
            "and cannot be compared with a number"
        )
    elif as_text and promised.type not in ("string", None):
        yield (
            f"column '{config.column}' of query '{query}' is of type {promised.type} by its contract "
            "and is never equal to text"
        )


def _doubts(config: ConditionConfig, query: str, contracts: tuple[ColumnContract, ...]) -> Iterator[str]:
    """A contract need not name every column, so that one it does not know may still come."""
    known = [contract.name for contract in contracts]
    if known and config.column is not None and config.column not in known:
        yield f"column '{config.column}' is not among the `columns` of query '{query}': {suggest(config.column, known)}"
