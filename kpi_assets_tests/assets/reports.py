"""A small report with its own plugins, for tests of the Dagster side: nothing here draws or speaks to a backend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from kpi_assets.calendar_windows import Days
from kpi_assets.config.env import EnvRef
from kpi_assets.config.models import PartitionsConfig, ReportConfig, ViewConfig
from kpi_assets.contracts import (
    Block,
    ColumnContract,
    Datasource,
    Document,
    Drawing,
    Format,
    Grain,
    Need,
    Output,
    Picture,
    PluginArgs,
    Query,
    QueryAnalysis,
    Receipt,
    RenderContext,
    Span,
    View,
    Window,
)
from kpi_assets.errors import DeliveryError, QueryError, ViewError
from kpi_assets.plan import DatasourcePlan, OutputPlan, QueryPlan, ReportPlan, ViewPlan
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.secrets import secret

SECRET = secret("correct-horse-battery-staple")
ENVIRON = {"SIGNUPS_TOKEN": SECRET, "DESK_TOKEN": SECRET}


class SignupsArgs(PluginArgs):
    token: str = ""
    asked: str = ""
    """A file that gets a line for every query that is sent."""
    fail: bool = False
    offset: int = 0
    """Added to every value, so that a test can change what the source says."""
    renamed: str = ""
    """What the column of values is called instead."""


class Signups(Datasource):
    """Says `day of the month` sign-ups for every day; with `fail` it refuses, telling its secret."""

    Args = SignupsArgs
    kinds = ("sql", "sqlite")
    language = "sql"

    def query(self, query: Query, window: Window) -> Any:
        import pandas as pd

        if self.args.asked:
            with Path(self.args.asked).open("a") as asked:
                asked.write(f"{query.id} {window.start} {window.end}\n")
        if self.args.fail:
            raise QueryError(query.id, self.id, "no such table: signups")
        days = [] if "empty" in query.text else window.days
        return pd.DataFrame(
            {
                "day": pd.to_datetime([*days]),
                self.args.renamed or "signups": [day.day + self.args.offset for day in days],
            }
        )

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        return QueryAnalysis("day", "one row a day", day_column="day", tables=("signups",))


class SumArgs(PluginArgs):
    query: str = "signups"
    fail_on: tuple[str, ...] = ()
    """Editions in which the view cannot be made."""


class SumView(View):
    """The sum of a frame, as a chart."""

    Args = SumArgs

    def needs(self) -> Mapping[str, Need]:
        return {"query": Need(ref=self.args.query)}

    def render(self, frames: Mapping[str, Any], context: RenderContext) -> Block:
        if context.window.key in self.args.fail_on:
            raise ViewError(context.view, "the column 'signups' is all text")
        frame = frames["query"]
        values = [
            {"day": str(day), "signups": int(n)}
            for day, n in zip(frame["day"], frame["signups"], strict=True)
        ]
        spec = {
            "data": {"name": "rows"},
            "datasets": {"rows": values},
            "mark": "line",
            "encoding": {
                "x": {"field": "day", "type": "temporal"},
                "y": {"field": "signups", "type": "quantitative"},
            },
        }
        picture = Picture(
            name=context.view,
            alt=f"{sum(frame['signups'])} sign-ups",
            drawings=(Drawing(width_class="wide", width=100, height=50, svg="<svg/>"),),
            spec=json.dumps(spec),
        )
        title = f"{sum(frame['signups'])} sign-ups"
        return Block(
            view=context.view, plugin="sum", title=title, finding=title, elements=(picture,), rows=len(frame)
        )


class DeskArgs(PluginArgs):
    folder: str
    token: str = ""
    fail: bool = False


class Desk(Output):
    """Puts the page on somebody's desk: a file per edition."""

    Args = DeskArgs
    kinds = ("static",)

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset({"html"})

    def deliver(self, document: Document) -> Receipt:
        if self.args.fail:
            raise DeliveryError(self.id, "the desk is full: clear it")
        place = Path(self.args.folder) / self.id / f"{document.edition}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(document.title)
        return Receipt(self.id, "desk", self.effect, str(place), document.content_hash, files=1)  # pyright: ignore[reportArgumentType]


class Bell(Desk):
    """The same, where people see it."""

    effect = "notify"


def make_plan(
    folder: Path,
    id: str = "weekly",
    *,
    queries: Mapping[str, str] | None = None,
    views: Mapping[str, SumArgs] | None = None,
    outputs: Mapping[str, type[Output]] | None = None,
    policy: str = "fail",
    source: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    columns: Sequence[ColumnContract] = (),
    grain: Grain = "day",
    config: Mapping[str, Any] | None = None,
) -> ReportPlan:
    """A report of one datasource; by default one query, two views, one output that publishes."""
    report = ReportConfig(
        title="Sign-ups {end}",
        timezone="UTC",
        on_view_error=policy,  # pyright: ignore[reportArgumentType]
        partitions=PartitionsConfig(start=date(2024, 1, 1)),
        **(config or {}),
    )
    raw: dict[str, Any] = {
        "token": EnvRef("${SIGNUPS_TOKEN}"),
        "asked": str(folder / "asked.txt"),
        **(source or {}),
    }
    lenient = SignupsArgs.model_validate({**raw, "token": ""})
    texts = queries or {"signups": "SELECT day, count(*) AS signups\nFROM signups\nGROUP BY day"}
    made_views = views or {"per_day": SumArgs(), "total": SumArgs()}
    return ReportPlan(
        id=id,
        config=report,
        files=(folder / f"{id}.yaml",),
        zone="UTC",
        rule=Days(report.interval_days),
        theme=Theme(),
        numbers=NumberStyle("en"),
        datasources={"db": DatasourcePlan("db", "signups", Signups, raw, lenient)},
        queries=tuple(_query(name, text, columns, grain) for name, text in texts.items()),
        views=tuple(_view(name, args) for name, args in made_views.items()),
        outputs=tuple(
            _output(name, cls, folder, output or {}) for name, cls in (outputs or {"desk": Desk}).items()
        ),
    )


def with_source(plan: ReportPlan, **args: Any) -> ReportPlan:
    """The same report on a source that says something else."""
    source = plan.datasources["db"]
    changed = replace(source, raw_args={**source.raw_args, **args})
    return replace(plan, datasources={"db": changed})


def _query(name: str, text: str, columns: Sequence[ColumnContract], grain: Grain) -> QueryPlan:
    query = Query(name, "db", text, columns=tuple(columns), description="Sign-ups by day.")
    analysis = replace(Signups.analyse(query, None), grain=grain)
    return QueryPlan(query, analysis, "one row a day", "window", query.digest(grain), spans=(Span(),))


def _view(name: str, args: SumArgs) -> ViewPlan:
    view = SumView(args)
    needs = {role: (str(need.ref), need.span) for role, need in view.needs().items()}
    title = name.replace("_", " ").capitalize()
    return ViewPlan(
        name, "sum", view, needs, ViewConfig(plugin="sum", title=title), 6, f"view-{name}-{args}"[:16]
    )


def _output(name: str, cls: type[Output], folder: Path, args: Mapping[str, Any]) -> OutputPlan:
    raw = {"folder": str(folder / "desk"), "token": EnvRef("${DESK_TOKEN}"), **args}
    return OutputPlan(name, cls.__name__.lower(), cls, raw, cls.effect, frozenset({"html"}))


def days_between(first: str, last: str) -> list[str]:
    """Partition keys, both ends included."""
    start, end = date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()
    return [date.fromordinal(n).isoformat() for n in range(start, end + 1)]


def windows_of(plan: ReportPlan, *keys: str) -> list[Window]:
    return [plan.window(key) for key in keys]
