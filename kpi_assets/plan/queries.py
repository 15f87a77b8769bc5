"""The queries of a report: named ones, and those written in views; what says the same is one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count

from kpi_assets.config.models import QueryConfig
from kpi_assets.contracts import ColumnContract, Need, Query, Span
from kpi_assets.errors import QueryError, suggest
from kpi_assets.plan.model import DatasourcePlan, QueryPlan, digest
from kpi_assets.plan.notebook import Notebook, Path


class QueryBook:
    """Finds the query that answers a need, planning it when it is asked for the first time."""

    def __init__(self, notebook: Notebook, datasources: Mapping[str, DatasourcePlan], zone: str) -> None:
        self.notebook, self.datasources, self.zone = notebook, datasources, zone
        self.config = notebook.config
        self.plans: dict[str, QueryPlan] = {}
        self._by_content: dict[str, str] = {}

    def add_named(self) -> None:
        """Plan everything under `queries:`."""
        for id_, config in self.config.queries.items():
            path = ("queries", id_)
            if not self._known(config.datasource, (*path, "datasource")):
                continue
            query = Query(
                id=id_,
                datasource=config.datasource,
                text=config.query,
                args=config.query_args,
                columns=_contracts(config),
                description=config.description,
            )
            self._add(query, config, (*path, "query"))

    def answer(self, view: str, needs: Mapping[str, Need]) -> dict[str, tuple[str, Span]] | None:
        """(query id, span) by role; None where a need cannot be answered, which is noted."""
        found = {role: (self._query_of(view, role, need), need.span) for role, need in needs.items()}
        answered = {role: (query, span) for role, (query, span) in found.items() if query is not None}
        if len(answered) < len(found):
            return None
        self._keep_spans(answered.values())
        return answered

    def _keep_spans(self, uses: Iterable[tuple[str, Span]]) -> None:
        for query_id, span in uses:
            plan = self.plans[query_id]
            if span not in plan.spans:
                self.plans[query_id] = replace(plan, spans=(*plan.spans, span))

    def _query_of(self, view: str, role: str, need: Need) -> str | None:
        path = ("views", view, "args", role)
        if need.ref is not None:
            if need.ref not in self.config.queries:
                hint = suggest(need.ref, self.config.queries)
                self.notebook.problem(f"query '{need.ref}' is not defined under `queries`: {hint}", *path)
            return need.ref if need.ref in self.plans else None
        if not self._known(need.datasource, ("views", view, "args", "datasource")):
            return None
        query = Query(self._free_id(view, role), str(need.datasource), need.text or "", need.args)
        same = self._by_content.get(query.digest())
        if same is None:
            self._add(query, None, path)
            same = query.id if query.id in self.plans else None
        return same

    def _known(self, id_: str | None, path: Path) -> bool:
        if id_ in self.datasources:
            return True
        if id_ is None:
            self.notebook.problem("the query names no datasource: add `datasource: <id>`", *path[:-1])
        elif id_ not in self.config.datasources:
            hint = suggest(id_, self.config.datasources)
            self.notebook.problem(f"datasource '{id_}' is not defined under `datasources`: {hint}", *path)
        return False

    def _add(self, query: Query, config: QueryConfig | None, path: Path) -> None:
        source = self.datasources[query.datasource]
        setting = config.grain if config and config.grain != "auto" else self.config.grain
        try:
            analysis = source.cls.analyse(query, source.lenient_args)
        except QueryError as error:
            self.notebook.problem(error.reason, *path)
            return
        grain = analysis.grain if setting == "auto" else setting
        reason = analysis.reason if setting == "auto" else f"`grain: {setting}` in the report file"
        identity = [source.plugin, dict(source.raw_args)]
        refresh = config.refresh if config and config.refresh is not None else self.config.refresh
        self.plans[query.id] = QueryPlan(
            query=query,
            analysis=replace(analysis, grain=grain),
            grain_reason=reason,
            refresh=refresh,
            fingerprint=query.digest(grain, self.zone, digest(identity)),
            spans=(),
            owners=config.owners if config else (),
            tags=config.tags if config else {},
            table_assets={**self.config.tables, **(config.tables if config else {})},
        )
        self._by_content.setdefault(query.digest(), query.id)

    def _free_id(self, view: str, role: str) -> str:
        wanted = view if role == "query" else f"{view}_{role.removesuffix('_query')}"
        taken = {*self.config.queries, *self.plans}
        others = (f"{wanted}_query{n or ''}" for n in count())
        return wanted if wanted not in taken else next(name for name in others if name not in taken)


def _contracts(config: QueryConfig) -> tuple[ColumnContract, ...]:
    return tuple(ColumnContract(name=name, **column.model_dump()) for name, column in config.columns.items())
