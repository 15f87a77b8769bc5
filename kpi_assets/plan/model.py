"""What a plan is made of: frozen, complete, without secrets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from kpi_assets import __version__
from kpi_assets.config.env import EnvRef
from kpi_assets.config.models import ReportConfig, ViewConfig
from kpi_assets.contracts import (
    Datasource,
    Format,
    Output,
    Query,
    QueryAnalysis,
    Refresh,
    Span,
    View,
    Window,
)
from kpi_assets.errors import Problem
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme


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

    def refusal(self, window: Window, today: date) -> str | None:
        """Why an edition of this window cannot be made, or None. `today` is the day it is in the report's zone."""
        if window.end > today:
            return (
                f"the window ends on {window.last_day}, which is not over in {self.zone}; "
                f"the last whole day is {today - timedelta(days=1)}"
            )
        if window.last_day < self.first_day:
            return f"the edition {window.key} lies before partitions.start ({self.first_day}); set an earlier start"
        return None

    def edition(self, window: Window) -> str:
        """The edition's id: its key, with the length where the window is not the report's own."""
        return window.key if window.length == self.interval_days else f"{window.key}_{window.length}d"


def digest(*parts: object) -> str:
    """A short hash of JSON-like values; EnvRefs count by their template, never by their value."""
    text = json.dumps(parts, sort_keys=True, default=_canonical)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: object) -> str:
    return value.template if isinstance(value, EnvRef) else str(value)
