"""`kpi-assets graph`: the assets of a report and their edges, without starting Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kpi_assets.cli.console import out
from kpi_assets.cli.reports import ConfigFiles, MoreFiles, read_plan

if TYPE_CHECKING:
    from kpi_assets.plan import ReportPlan

Edge = tuple[str, str]


def graph(
    config_file: ConfigFiles = None,
    more: MoreFiles = None,
    style: Annotated[
        Literal["text", "mermaid"], typer.Option("--format", help="`mermaid` for READMEs and wikis.")
    ] = "text",
) -> None:
    """Print the asset graph that a report becomes."""
    plan = read_plan(config_file, more)
    lines = _mermaid(list(edges(plan))) if style == "mermaid" else _text(plan)
    for line in lines:
        out.print(line, markup=False)


def edges(plan: ReportPlan) -> Iterator[Edge]:
    """Every (upstream, downstream) pair of asset keys."""
    document = f"{plan.id}/document"
    who = plan.recipients.query if plan.recipients else ""
    finding = f"{plan.id}/queries/{who}" if who else ""
    for query in plan.queries:
        for table in query.analysis.tables:
            source = query.table_assets.get(table, f"source/{query.datasource}/{table}")
            yield source, f"{plan.id}/queries/{query.id}"
        if finding and plan.is_personal(query=query.id):
            yield finding, f"{plan.id}/queries/{query.id}"
    for view in plan.views:
        for query in sorted({query for query, _ in view.needs.values()}):
            yield f"{plan.id}/queries/{query}", f"{plan.id}/views/{view.id}"
        yield f"{plan.id}/views/{view.id}", document
    if finding:
        yield finding, document
    for output in plan.outputs:
        yield document, f"{plan.id}/outputs/{output.id}"


def _text(plan: ReportPlan) -> Iterator[str]:
    upstream: dict[str, list[str]] = {}
    for above, below in edges(plan):
        upstream.setdefault(below, []).append(above)
    for below, above in upstream.items():
        yield below
        for key in above:
            yield f"  <- {key}"


def _mermaid(pairs: list[Edge]) -> Iterator[str]:
    names = {key: f"n{i}" for i, key in enumerate(dict.fromkeys(key for pair in pairs for key in pair))}
    yield "flowchart LR"
    for key, name in names.items():
        yield f'  {name}["{key}"]'
    for above, below in pairs:
        yield f"  {names[above]} --> {names[below]}"
