"""What the assets of a report are, as Dagster shows them: pure functions from the plan to specs. Nothing runs here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from functools import cache

import dagster as dg

from kpi_assets import __version__
from kpi_assets.assets import keys
from kpi_assets.plan import OutputPlan, QueryPlan, ReportPlan, ViewPlan, digest

MAX_KINDS = 3
"""Dagster refuses more."""

ANSWERED, NOT_EMPTY, CONTRACT, RENDERED = "answered", "not_empty", "frame_contract", "rendered"


@cache
def partitions_of(start: date, end: date | None, zone: str) -> dg.DailyPartitionsDefinition:
    """The days that exist. Reports that say the same share one object, so that a backfill may span them."""
    return dg.DailyPartitionsDefinition(start.isoformat(), end and end.isoformat(), timezone=zone)


def report_partitions(plan: ReportPlan) -> dg.DailyPartitionsDefinition:
    """From `partitions.start` on. A report whose `end_date` is written down has no editions behind it."""
    end = plan.config.end_date
    if isinstance(end, datetime):
        end = None if end.time() != time() else end.date()
    fixed = isinstance(end, date) and end > plan.first_day
    return partitions_of(plan.first_day, end if fixed else None, plan.zone)


def report_specs(plan: ReportPlan) -> Iterator[dg.AssetSpec]:
    """Everything that a report puts into the graph. Raises DagsterInvalidDefinitionError for a bad owner or tag."""
    yield from source_specs(plan)
    yield from (query_spec(plan, query) for query in plan.queries)
    yield from (view_spec(plan, view) for view in plan.views)
    yield document_spec(plan)
    yield from (output_spec(plan, output) for output in plan.outputs)


def query_spec(plan: ReportPlan, query: QueryPlan) -> dg.AssetSpec:
    """A query: its SQL to read, the tables it reads as upstream, its fingerprint as version."""
    source = plan.datasources[query.datasource]
    days = (
        "each partition holds that day's rows"
        if query.analysis.grain == "day"
        else "each partition holds a window"
    )
    return dg.AssetSpec(
        keys.query_key(plan.id, query.id),
        deps=sorted({keys.table_key(query, table) for table in query.analysis.tables}),
        description=_paragraphs(
            query.query.description,
            f"```{source.cls.language}\n{query.query.text.strip()}\n```",
            f"Grain `{query.analysis.grain}` ({days}): {query.grain_reason}.",
        ),
        kinds=_kinds(source.kinds or (source.plugin,)),
        code_version=query.fingerprint,
        metadata={"datasource": query.datasource, "refresh": str(query.refresh), **_columns(query)},
        group_name=plan.id,
        owners=_owners(plan, query.owners),
        tags={**plan.config.tags, **query.tags},
        partitions_def=report_partitions(plan),
    )


def view_spec(plan: ReportPlan, view: ViewPlan) -> dg.AssetSpec:
    """A view. Its version holds those of its queries, so that an edited query marks it stale at once."""
    queries = sorted({query for query, _ in view.needs.values()})
    return dg.AssetSpec(
        keys.view_key(plan.id, view.id),
        deps=_same_day(keys.query_key(plan.id, query) for query in queries),
        description=_paragraphs(view.config.title, view.config.description),
        kinds=_kinds(view.view.kinds),
        code_version=view.fingerprint,
        metadata={"plugin": view.plugin, "needs": _needs(view)},
        group_name=plan.id,
        owners=_owners(plan, view.config.owners),
        tags={**plan.config.tags, **view.config.tags},
        partitions_def=report_partitions(plan),
    )


def document_spec(plan: ReportPlan) -> dg.AssetSpec:
    """The composed document. Its version holds those of the views, the theme and the templates."""
    return dg.AssetSpec(
        keys.document_key(plan.id),
        deps=_same_day(keys.view_key(plan.id, view.id) for view in plan.views),
        description=_paragraphs(
            plan.title,
            plan.config.description,
            f"Covers {plan.interval_days} whole days in {plan.zone}; the partition is the last of them.",
        ),
        kinds={"html"},
        code_version=plan.fingerprint,
        metadata={"formats": ", ".join(sorted(plan.formats)), "files": ", ".join(f.name for f in plan.files)},
        group_name=plan.id,
        owners=_owners(plan),
        tags=dict(plan.config.tags),
        partitions_def=report_partitions(plan),
    )


def output_spec(plan: ReportPlan, output: OutputPlan) -> dg.AssetSpec:
    """An output; its partition is the delivery of one edition."""
    told = "Publishes" if output.effect == "publish" else "Tells people of"
    return dg.AssetSpec(
        keys.output_key(plan.id, output.id),
        deps=_same_day([keys.document_key(plan.id)]),
        description=f"{told} the edition by `{output.plugin}`.",
        kinds=_kinds(output.cls.kinds or (output.plugin,)),
        code_version=digest(__version__, output.plugin, sorted(output.formats)),
        metadata={"plugin": output.plugin, "effect": output.effect},
        group_name=plan.id,
        owners=_owners(plan),
        tags=dict(plan.config.tags),
        partitions_def=report_partitions(plan),
    )


def source_specs(plan: ReportPlan) -> Iterator[dg.AssetSpec]:
    """The tables that queries read and that are not mapped onto assets of the user's own, as external assets."""
    seen: set[dg.AssetKey] = set()
    for query in plan.queries:
        source = plan.datasources[query.datasource]
        for table in query.analysis.tables:
            key = keys.table_key(query, table)
            if table in query.table_assets or key in seen:
                continue
            seen.add(key)
            yield dg.AssetSpec(
                key,
                description=f"Table `{table}` of datasource `{query.datasource}`; made elsewhere.",
                kinds=_kinds(("table", *(kind for kind in source.kinds if kind != "sql"))),
                group_name=plan.id,
            )


def query_checks(plan: ReportPlan, query: QueryPlan) -> Iterator[dg.AssetCheckSpec]:
    """Checks of a query. None blocks: a blocking check would stop every view of the report, not only its own."""
    key = keys.query_key(plan.id, query.id)
    if plan.config.on_view_error == "placeholder":
        yield dg.AssetCheckSpec(ANSWERED, asset=key, description="The datasource answered.")
    yield dg.AssetCheckSpec(NOT_EMPTY, asset=key, description="There are rows for every edition.")
    if query.query.columns:
        yield dg.AssetCheckSpec(CONTRACT, asset=key, description="The rows keep what `columns:` promises.")


def view_checks(plan: ReportPlan, view: ViewPlan) -> Iterator[dg.AssetCheckSpec]:
    """Under `on_view_error: placeholder` a view that could not be made is seen by its failing check."""
    if plan.config.on_view_error == "placeholder":
        key = keys.view_key(plan.id, view.id)
        yield dg.AssetCheckSpec(RENDERED, asset=key, description="The view could be made.")


def _columns(query: QueryPlan) -> dict[str, dg.TableSchema]:
    """What `columns:` promises. dagster-pandas is imported for reports that promise something, only."""
    if not query.query.columns:
        return {}
    from kpi_assets.assets.frame_contracts import table_schema

    schema = table_schema(query.query.columns)
    return {"dagster/column_schema": schema} if schema else {}


def _owners(plan: ReportPlan, owners: Iterable[str] = ()) -> list[str]:
    """Who is named at the asset; the report's `owner` too, where it is a mail address that Dagster can show."""
    owner = plan.config.owner or ""
    told = [owner] if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", owner) else []
    return list(dict.fromkeys([*owners, *plan.config.owners, *told]))


def _same_day(upstream: Iterable[dg.AssetKey]) -> list[dg.AssetDep]:
    """Identity mapping: with a window mapping a backfill of N days would make N+6 editions, mails included."""
    return [dg.AssetDep(key, partition_mapping=dg.IdentityPartitionMapping()) for key in upstream]


def _kinds(kinds: Iterable[str]) -> set[str]:
    return set(list(dict.fromkeys(kinds))[:MAX_KINDS])


def _needs(view: ViewPlan) -> str:
    return "; ".join(f"{role}: {query}" for role, (query, _) in view.needs.items())


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())
