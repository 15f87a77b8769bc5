"""The queries of a report: named ones, and those written in views; what says the same is one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count

from kpi_assets.calendar_windows import Days
from kpi_assets.config.models import QueryConfig
from kpi_assets.contracts import ColumnContract, Need, Query, Span, WindowRule
from kpi_assets.contracts.recipient import names_in
from kpi_assets.errors import QueryError, suggest
from kpi_assets.plan.hashing import digest
from kpi_assets.plan.notebook import Notebook, Path
from kpi_assets.plan.parts import DatasourcePlan, QueryPlan


class QueryBook:
    """Finds the query that answers a need, planning it when it is asked for the first time."""

    def __init__(
        self, notebook: Notebook, datasources: Mapping[str, DatasourcePlan], zone: str, rule: WindowRule
    ) -> None:
        self.notebook, self.datasources, self.zone, self.rule = notebook, datasources, zone, rule
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

    def answer(self, asker: str, needs: Mapping[str, Need], at: Path) -> dict[str, tuple[str, Span]] | None:
        """(query id, span) by role; None where a need cannot be answered, which is noted.

        `asker` is what a query that has no name is called after; `at` is where the roles stand in the file.
        """
        found = {role: (self._query_of(asker, (*at, role), need), need.span) for role, need in needs.items()}
        answered = {role: (query, span) for role, (query, span) in found.items() if query is not None}
        if len(answered) < len(found):
            return None
        self.keep_spans(answered.values())
        return answered

    def keep_spans(self, uses: Iterable[tuple[str, Span]]) -> None:
        """Have these spans of these queries fetched."""
        for query_id, span in uses:
            plan = self.plans[query_id]
            if span not in plan.spans:
                self.plans[query_id] = replace(plan, spans=(*plan.spans, span))

    def _query_of(self, asker: str, path: Path, need: Need) -> str | None:
        if need.ref is not None:
            if need.ref not in self.config.queries:
                hint = suggest(need.ref, self.config.queries)
                self.notebook.problem(f"query '{need.ref}' is not defined under `queries`: {hint}", *path)
            return need.ref if need.ref in self.plans else None
        if not self._known(need.datasource, (*path[:-1], "datasource")):
            return None
        query = Query(self._free_id(asker, str(path[-1])), str(need.datasource), need.text or "", need.args)
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
        self._check_names(query, path)
        grain = analysis.grain if setting == "auto" else setting
        reason = analysis.reason if setting == "auto" else f"`grain: {setting}` in the report file"
        identity = [source.plugin, dict(source.raw_args)]
        refresh = config.refresh if config and config.refresh is not None else self.config.refresh
        self.plans[query.id] = QueryPlan(
            query=query,
            analysis=replace(analysis, grain=grain),
            grain_reason=reason,
            refresh=refresh,
            fingerprint=query.digest(grain, self.zone, digest(identity), *self._rule_said(grain)),
            spans=(),
            owners=config.owners if config else (),
            tags=config.tags if config else {},
            table_assets={**self.config.tables, **(config.tables if config else {})},
        )
        self._by_content.setdefault(query.digest(), query.id)

    def _check_names(self, query: Query, path: Path) -> None:
        """Only what binds values may be asked for one recipient: pasted, a value could be anything."""
        asked = [query.text, query.args]
        if self.config.recipients is None:
            self.notebook.refuse_names(asked, *path)
        elif not self.datasources[query.datasource].cls.binds_recipients and any(names_in(asked)):
            plugin = self.datasources[query.datasource].plugin
            self.notebook.problem(f"`{plugin}` cannot be asked for one recipient: filter in SQL", *path)

    def _rule_said(self, grain: str) -> tuple[str, ...]:
        """A whole window's rows may depend on where the window before it starts (`{from} - {interval}`)."""
        fixed = isinstance(self.rule, Days) or grain == "day"
        return () if fixed else (self.rule.name,)

    def _free_id(self, asker: str, role: str) -> str:
        wanted = asker if role == "query" else f"{asker}_{role.removesuffix('_query')}"
        taken = {*self.config.queries, *self.plans}
        others = (f"{wanted}_query{n or ''}" for n in count())
        return wanted if wanted not in taken else next(name for name in others if name not in taken)


def _contracts(config: QueryConfig) -> tuple[ColumnContract, ...]:
    return tuple(ColumnContract(name=name, **column.model_dump()) for name, column in config.columns.items())
