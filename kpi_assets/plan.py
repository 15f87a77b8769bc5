"""Config + registry -> ReportPlan: names resolved, arguments validated, grains decided. No I/O towards backends.

Everything that can fail before a run fails here, and all of it at once: `build_plan` raises one ConfigError with every
problem of the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from kpi_assets import __version__
from kpi_assets.config import LoadedReport, resolve_plain, validate_args, written_args
from kpi_assets.config.env import EnvRef
from kpi_assets.config.models import OutputConfig, QueryConfig, ReportConfig, ViewConfig
from kpi_assets.config.zones import machine_zone
from kpi_assets.contracts import (
    ColumnContract,
    Datasource,
    Format,
    Need,
    Output,
    Query,
    QueryAnalysis,
    Refresh,
    Span,
    View,
    Window,
)
from kpi_assets.errors import ConfigError, PluginError, Problem, QueryError, suggest
from kpi_assets.registry import datasource_class, output_class, view_class
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets.windows import resolve_window

DEFAULT_OUTPUTS = {"static": OutputConfig(plugin="static", redeliver="never")}


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


@dataclass(frozen=True)
class OutputPlan:
    """An output before its secrets are known. `effect`: `publish` or `notify`. `redeliver`: `never` or `on_change`."""

    id: str
    plugin: str
    cls: type[Output]
    raw_args: Mapping[str, Any]
    effect: str
    formats: frozenset[Format]
    redeliver: str = "never"


@dataclass(frozen=True)
class ReportPlan:
    """A report that can run. `interval_days` is the length of its regular window."""

    id: str
    config: ReportConfig
    files: tuple[Path, ...]
    zone: str
    interval_days: int
    theme: Theme
    numbers: NumberStyle
    datasources: Mapping[str, DatasourcePlan]
    queries: tuple[QueryPlan, ...]
    views: tuple[ViewPlan, ...]
    outputs: tuple[OutputPlan, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def title(self) -> str:
        return str(self.config.title)

    @property
    def first_day(self) -> date:
        return self.config.partitions.start

    @cached_property
    def queries_by_id(self) -> Mapping[str, QueryPlan]:
        return {query.id: query for query in self.queries}

    @cached_property
    def views_by_id(self) -> Mapping[str, ViewPlan]:
        return {view.id: view for view in self.views}

    @cached_property
    def outputs_by_id(self) -> Mapping[str, OutputPlan]:
        return {output.id: output for output in self.outputs}

    @property
    def formats(self) -> frozenset[Format]:
        """Every format that some output wants; HTML always, since the edition's page is kept."""
        wanted: frozenset[Format] = frozenset({"html"})
        return wanted.union(*(output.formats for output in self.outputs))

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that the document is made from, except data."""
        look = self.config.model_dump(
            mode="json", include={"title", "lead", "theme", "locale", "findings", "public_url"}
        )
        return digest(__version__, look, [view.fingerprint for view in self.views], self.template_hash)

    @cached_property
    def template_hash(self) -> str:
        """Hash of the user's own templates, so that an edit marks documents stale."""
        folder = self.theme.theme_dir
        if not folder or not Path(folder).is_dir():
            return ""
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return digest(*[[path.name, path.read_bytes().hex()] for path in files])

    def window(self, key: str | date) -> Window:
        """The regular window of the edition whose partition key is `key`."""
        return Window.ending(key, self.interval_days, self.zone)

    def edition(self, window: Window) -> str:
        """The edition's id: its key, with the length where the window is not the report's own."""
        return window.key if window.length == self.interval_days else f"{window.key}_{window.length}d"


def build_plan(loaded: LoadedReport, environ: Mapping[str, str]) -> ReportPlan:
    """Resolve and check everything of a report. Raises ConfigError with all problems."""
    return _Planner(resolve_plain(loaded, environ), environ).plan()


def digest(*parts: object) -> str:
    """A short hash of JSON-like values; EnvRefs count by their template, never by their value."""
    text = json.dumps(parts, sort_keys=True, default=_canonical)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: object) -> str:
    return value.template if isinstance(value, EnvRef) else str(value)


class _Planner:
    """Collects problems while it builds the parts of one plan."""

    def __init__(self, loaded: LoadedReport, environ: Mapping[str, str]) -> None:
        self.loaded, self.config, self.environ = loaded, loaded.config, environ
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = list(loaded.warnings)
        self.zone = self.config.timezone or machine_zone(environ)
        self.datasources: dict[str, DatasourcePlan] = {}
        self.queries: dict[str, QueryPlan] = {}
        self.by_content: dict[str, str] = {}

    def plan(self) -> ReportPlan:
        self.datasources = {plan.id: plan for plan in self._datasources()}
        self._named_queries()
        views = tuple(self._views())
        outputs = tuple(self._outputs())
        if self.problems:
            raise ConfigError(self.problems)
        return ReportPlan(
            id=self.loaded.id,
            config=self.config,
            files=tuple(self.loaded.files),
            zone=self.zone,
            interval_days=self._interval_days(),
            theme=self._theme(),
            numbers=NumberStyle(self.config.locale),
            datasources=self.datasources,
            queries=tuple(self.queries.values()),
            views=views,
            outputs=outputs,
            warnings=tuple(self.warnings),
        )

    def _problem(self, message: str, *path: str | int) -> None:
        self.problems.append(self.loaded.problem(message, path))

    def _interval_days(self) -> int:
        """With both dates in the file the report's own window is as long as they say."""
        if self.config.start_date is None or self.config.end_date is None:
            return self.config.interval_days
        return resolve_window(self.config, today=date.min, zone=self.zone).length

    def _theme(self) -> Theme:
        theme = Theme.from_config(self.config.theme)
        return replace(theme, theme_dir=self._beside(theme.theme_dir), logo=self._beside(theme.logo))

    def _beside(self, path: str | None) -> str | None:
        """A relative path is meant beside the report file, if something is there, else in the working folder."""
        if not path or os.path.isabs(path):  # noqa: PTH117 - a plain string may also be a ~ path
            return path
        near = Path(self.loaded.files[0]).parent / path
        return str(near) if near.exists() else str(Path(path).expanduser())

    def _args(self, model: type[Any], args: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
        """Validated arguments, or None after noting the problems."""
        checked, problems, warnings = validate_args(
            model, args, path=path, source_map=self.loaded.source_map, environ=self.environ
        )
        self.problems += problems
        self.warnings += warnings
        return checked

    def _written(
        self, model: type[Any], args: Mapping[str, Any], path: tuple[str | int, ...]
    ) -> dict[str, Any]:
        return written_args(model, args, path=path, source_map=self.loaded.source_map)

    def _datasources(self) -> Iterator[DatasourcePlan]:
        for id_, config in self.config.datasources.items():
            try:
                cls = datasource_class(config.plugin)
            except PluginError as error:
                self._problem(str(error), "datasources", id_, "plugin")
                continue
            args = self._args(cls.Args, config.args, ("datasources", id_, "args"))
            if args is not None:
                raw = self._written(cls.Args, config.args, ("datasources", id_, "args"))
                yield DatasourcePlan(id_, config.plugin, cls, raw, args)

    def _named_queries(self) -> None:
        for id_, config in self.config.queries.items():
            path = ("queries", id_)
            if not self._known_datasource(config.datasource, (*path, "datasource")):
                continue
            query = Query(
                id=id_,
                datasource=config.datasource,
                text=config.query,
                args=config.query_args,
                columns=_contracts(config),
                description=config.description,
            )
            self._add_query(query, config, (*path, "query"))

    def _known_datasource(self, id_: str | None, path: tuple[str | int, ...]) -> bool:
        if id_ in self.datasources:
            return True
        if id_ is None:
            self._problem("the query names no datasource: add `datasource: <id>`", *path[:-1])
        elif id_ not in self.config.datasources:
            hint = suggest(id_, self.config.datasources)
            self._problem(f"datasource '{id_}' is not defined under `datasources`: {hint}", *path)
        return False

    def _add_query(self, query: Query, config: QueryConfig | None, path: tuple[str | int, ...]) -> None:
        source = self.datasources[query.datasource]
        setting = config.grain if config and config.grain != "auto" else self.config.grain
        try:
            analysis = source.cls.analyse(query, source.lenient_args)
        except QueryError as error:
            self._problem(error.reason, *path)
            return
        grain = analysis.grain if setting == "auto" else setting
        reason = analysis.reason if setting == "auto" else f"`grain: {setting}` in the report file"
        identity = [source.plugin, dict(source.raw_args)]
        refresh = config.refresh if config and config.refresh is not None else self.config.refresh
        self.queries[query.id] = QueryPlan(
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
        self.by_content.setdefault(query.digest(), query.id)

    def _views(self) -> Iterator[ViewPlan]:
        for id_, config in self.config.views.items():
            try:
                cls = view_class(config.plugin)
            except PluginError as error:
                self._problem(str(error), "views", id_, "plugin")
                continue
            args = self._args(cls.Args, config.args, ("views", id_, "args"))
            if args is not None:
                yield from self._view(id_, config, cls(args))

    def _view(self, id_: str, config: ViewConfig, view: View) -> Iterator[ViewPlan]:
        cols = self._cols(id_, config, view)
        found = {role: self._need(id_, role, need) for role, need in view.needs().items()}
        if any(query is None for query, _ in found.values()):
            return
        needs = {role: (str(query), span) for role, (query, span) in found.items()}
        for query_id, span in needs.values():
            plan = self.queries[query_id]
            if span not in plan.spans:
                self.queries[query_id] = replace(plan, spans=(*plan.spans, span))
        self._warn_about(id_, view)
        yield ViewPlan(id_, config.plugin, view, needs, config, cols, self._hash(config, needs))

    def _warn_about(self, id_: str, view: View) -> None:
        for text in view.warnings():
            self.warnings.append(self.loaded.problem(text, ("views", id_, "args")))

    def _cols(self, id_: str, config: ViewConfig, view: View) -> int:
        columns = self.config.theme.num_columns
        cols = config.cols or view.default_cols or columns
        if not 1 <= cols <= columns:
            self._problem(
                f"cols must be between 1 and theme.num_columns ({columns}), not {cols}", "views", id_, "cols"
            )
        return min(max(cols, 1), columns)

    def _hash(self, config: ViewConfig, needs: Mapping[str, tuple[str, Span]]) -> str:
        queries = [
            [role, self.queries[query].fingerprint, str(span)] for role, (query, span) in needs.items()
        ]
        return digest(__version__, config.model_dump(mode="python", exclude={"owners", "tags"}), queries)

    def _need(self, view: str, role: str, need: Need) -> tuple[str | None, Span]:
        """The id of the query that answers a need; written queries that say the same are one query."""
        path = ("views", view, "args", role)
        if need.ref is not None:
            if need.ref not in self.config.queries:
                hint = suggest(need.ref, self.config.queries)
                self._problem(f"query '{need.ref}' is not defined under `queries`: {hint}", *path)
            return (need.ref if need.ref in self.queries else None), need.span
        if not self._known_datasource(need.datasource, ("views", view, "args", "datasource")):
            return None, need.span
        query = Query(self._query_id(view, role), str(need.datasource), need.text or "", need.args)
        same = self.by_content.get(query.digest())
        if same is None:
            self._add_query(query, None, path)
            same = query.id if query.id in self.queries else None
        return same, need.span

    def _query_id(self, view: str, role: str) -> str:
        wanted = view if role == "query" else f"{view}_{role.removesuffix('_query')}"
        taken = {*self.config.queries, *self.queries}
        return wanted if wanted not in taken else f"{wanted}_query"

    def _outputs(self) -> Iterator[OutputPlan]:
        configs = DEFAULT_OUTPUTS if self.config.outputs is None else self.config.outputs
        for id_, config in configs.items():
            try:
                cls = output_class(config.plugin)
            except PluginError as error:
                self._problem(str(error), "outputs", id_, "plugin")
                continue
            args = self._args(cls.Args, config.args, ("outputs", id_, "args"))
            if args is not None:
                raw = self._written(cls.Args, config.args, ("outputs", id_, "args"))
                formats = cls(id_, args).formats
                yield OutputPlan(id_, config.plugin, cls, raw, cls.effect, formats, config.redeliver)


def _contracts(config: QueryConfig) -> tuple[ColumnContract, ...]:
    return tuple(ColumnContract(name=name, **column.model_dump()) for name, column in config.columns.items())
