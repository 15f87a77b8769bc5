"""Names of a report's assets: keys, operations, resources. One place, so that nobody builds them by hand."""

from __future__ import annotations

import re
from hashlib import sha256

import dagster as dg

from kpi_assets.plan import QueryPlan, ReportPlan

PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
"""What Dagster takes in an asset key. Ids of a report always are; names of tables may be anything."""


def part(text: str) -> str:
    """A text as part of an asset key: itself, or a readable stand-in of its own where Dagster would refuse it."""
    if PLAIN.fullmatch(text):
        return text
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', text)}_{sha256(text.encode()).hexdigest()[:6]}"


def query_key(report: str, query: str) -> dg.AssetKey:
    return dg.AssetKey([report, "queries", query])


def view_key(report: str, view: str) -> dg.AssetKey:
    return dg.AssetKey([report, "views", view])


def document_key(report: str) -> dg.AssetKey:
    return dg.AssetKey([report, "document"])


def output_key(report: str, output: str) -> dg.AssetKey:
    return dg.AssetKey([report, "outputs", output])


def source_key(datasource: str, table: str) -> dg.AssetKey:
    return dg.AssetKey(["source", datasource, part(table)])


def table_key(query: QueryPlan, table: str) -> dg.AssetKey:
    """The asset that stands for a table: the user's own where `tables:` names one, else an external one of ours."""
    own = query.table_assets.get(table)
    return dg.AssetKey(own.strip("/").split("/")) if own else source_key(query.datasource, table)


def datasource_resource(report: str, datasource: str) -> str:
    return step_name(report, "datasource", datasource)


def output_resource(report: str, output: str) -> str:
    return step_name(report, "output", output)


def step_name(report: str, stage: str, *more: str) -> str:
    """Name of the operation behind a stage, e.g. `weekly__queries`."""
    return "__".join((report, stage, *more))


def all_keys(plan: ReportPlan) -> list[dg.AssetKey]:
    """Keys of everything that a run of the report can make, from the data to the outputs."""
    return [
        *(query_key(plan.id, query.id) for query in plan.queries),
        *(view_key(plan.id, view.id) for view in plan.views),
        document_key(plan.id),
        *(output_key(plan.id, output.id) for output in plan.outputs),
    ]
