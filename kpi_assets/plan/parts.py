"""What a plan is made of: frozen, complete, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kpi_assets.config.models import ViewConfig
from kpi_assets.config.when import ConditionConfig
from kpi_assets.contracts import (
    Datasource,
    Format,
    Output,
    Query,
    QueryAnalysis,
    Recipient,
    Refresh,
    Span,
    View,
)
from kpi_assets.contracts.recipient import names_in
from kpi_assets.plan.hashing import digest


@dataclass(frozen=True)
class DatasourcePlan:
    """A datasource before its secrets are known: `raw_args` still hold EnvRefs."""

    id: str
    plugin: str
    cls: type[Datasource]
    raw_args: Mapping[str, Any]
    lenient_args: Any

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.cls.kinds


@dataclass(frozen=True)
class QueryPlan:
    """A query with everything decided: its grain, what is fetched again, and the spans that views need of it.

    `table_assets` maps the tables it reads onto asset keys of the user's own (`a/b/c`), where `tables:` says so.
    """

    query: Query
    analysis: QueryAnalysis
    grain_reason: str
    refresh: Refresh
    fingerprint: str
    spans: tuple[Span, ...] = (Span(),)
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    table_assets: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.query.id

    @property
    def datasource(self) -> str:
        return self.query.datasource

    @property
    def mapped_assets(self) -> frozenset[str]:
        """Asset keys of the user's own (`a/b/c`) that it reads."""
        return frozenset(
            self.table_assets[table] for table in self.analysis.tables if table in self.table_assets
        )

    def for_recipient(self, recipient: Recipient) -> QueryPlan:
        """The query asked for one recipient; her rows lie apart from everybody else's."""
        names = sorted(set(names_in([self.query.text, self.query.args])))
        asked = [[name, str(recipient.values.get(name))] for name in names]
        return replace(
            self,
            query=replace(self.query, recipient=recipient),
            fingerprint=digest(self.fingerprint, recipient.identity, asked),
        )


@dataclass(frozen=True)
class ConditionPlan:
    """A condition of `when:`: on the rows of `query`, or, with `parts`, on what those say."""

    config: ConditionConfig
    query: str = ""
    parts: tuple[ConditionPlan, ...] = ()

    @property
    def queries(self) -> frozenset[str]:
        """Ids of all queries that it asks."""
        own = frozenset({self.query} if self.query else ())
        return own.union(*(part.queries for part in self.parts))


@dataclass(frozen=True)
class ViewPlan:
    """A view, built, with the frames it needs: role -> (query id, span)."""

    id: str
    plugin: str
    view: View
    needs: Mapping[str, tuple[str, Span]]
    config: ViewConfig
    cols: int
    fingerprint: str
    when: ConditionPlan | None = None

    @property
    def queries(self) -> tuple[str, ...]:
        """Ids of the queries that it shows, or that decide whether it is shown."""
        asked = self.when.queries if self.when else frozenset[str]()
        return tuple(sorted({query for query, _ in self.needs.values()} | asked))


@dataclass(frozen=True)
class RecipientsPlan:
    """Who gets editions of their own: the rows of `query`, or those `listed`; `column` says who each is.

    `names` are the values that the report asks of them. `queries` and `views` are those that are not the same for all.
    """

    names: frozenset[str]
    queries: frozenset[str]
    views: frozenset[str]
    query: str = ""
    column: str = "email"
    listed: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class OutputPlan:
    """An output before its secrets are known. `effect`: `publish` or `notify`. `redeliver`: `never` or `on_change`.

    `recipient`: whose editions it delivers, where they are somebody's own; a sample in the plan of all of them.
    """

    id: str
    plugin: str
    cls: type[Output]
    raw_args: Mapping[str, Any]
    effect: str
    formats: frozenset[Format]
    redeliver: str = "never"
    recipient: Recipient | None = None
