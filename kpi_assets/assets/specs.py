"""What the assets of a report are, as Dagster shows them: pure functions from the plan to specs. Nothing runs here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import dagster as dg

from kpi_assets import __version__
from kpi_assets.assets import keys
from kpi_assets.assets.partitions import report_partitions
from kpi_assets.plan import OutputPlan, QueryPlan, ReportPlan, ViewPlan, digest

MAX_KINDS = 3
"""Dagster refuses more."""

ANSWERED, NOT_EMPTY, CONTRACT, RENDERED = "answered", "not_empty", "frame_contract", "rendered"
SAME_COLUMNS = "same_columns"
FOR_EVERYBODY = "for_every_recipient"


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
        deps=[
            *sorted({keys.table_key(query, table) for table in query.analysis.tables}),
            *_same_day(_recipients(plan) if plan.is_personal(query=query.id) else ()),
        ],
        description=_paragraphs(
            query.query.description
            or f"What {query.datasource} answers, {query.analysis.grain} by {query.analysis.grain}.",
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
    return dg.AssetSpec(
        keys.view_key(plan.id, view.id),
        deps=_same_day(keys.query_key(plan.id, query) for query in view.queries),
        description=_paragraphs(view.config.title, view.config.description),
        kinds=_kinds(view.view.kinds),
        code_version=view.fingerprint,
        metadata={"plugin": view.plugin, "queries": ", ".join(view.queries)},
        group_name=plan.id,
        owners=_owners(plan, view.config.owners),
        tags={**plan.config.tags, **view.config.tags},
        partitions_def=report_partitions(plan),
    )


def document_spec(plan: ReportPlan) -> dg.AssetSpec:
    """The composed document. Its version holds those of the views, the theme and the templates."""
    deciding = sorted(plan.when.queries if plan.when else ())
    return dg.AssetSpec(
        keys.document_key(plan.id),
        deps=_same_day(
            dict.fromkeys(
                [
                    *(keys.view_key(plan.id, view.id) for view in plan.views),
                    *(keys.query_key(plan.id, query) for query in deciding),
                    *_recipients(plan),
                ]
            )
        ),
        description=_paragraphs(
            plan.title,
            plan.config.description,
            f"Window: {plan.rule.name}, in {plan.zone}; the partition is its last day.",
            _scheduled(plan),
        ),
        kinds={"html"},
        code_version=plan.fingerprint,
        metadata={"formats": ", ".join(sorted(plan.formats)), **_files(plan)},
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
        description=f"{told} the edition by {output.plugin}.",
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
                description=f"Table {table} of datasource {query.datasource}; made elsewhere.",
                kinds=_kinds(("table", *(kind for kind in source.kinds if kind != "sql"))),
                group_name=plan.id,
            )


def query_checks(plan: ReportPlan, query: QueryPlan) -> Iterator[dg.AssetCheckSpec]:
    """Checks of a query. None blocks: a blocking check would stop every view of the report, not only its own."""
    key = keys.query_key(plan.id, query.id)
    if plan.config.on_view_error == "placeholder" or plan.is_personal(query=query.id):
        yield dg.AssetCheckSpec(ANSWERED, asset=key, description="The datasource answered.")
    yield dg.AssetCheckSpec(NOT_EMPTY, asset=key, description="There are rows for every edition.")
    yield dg.AssetCheckSpec(SAME_COLUMNS, asset=key, description="The columns are those of the fetch before.")
    if query.query.columns:
        yield dg.AssetCheckSpec(CONTRACT, asset=key, description="The rows keep what `columns:` promises.")


def view_checks(plan: ReportPlan, view: ViewPlan) -> Iterator[dg.AssetCheckSpec]:
    """Under `on_view_error: placeholder` a view that could not be made is seen by its failing check."""
    if plan.config.on_view_error == "placeholder":
        key = keys.view_key(plan.id, view.id)
        yield dg.AssetCheckSpec(RENDERED, asset=key, description="The view could be made.")


def _files(plan: ReportPlan) -> dict[str, str]:
    """The names of its files; a report said in Python has none."""
    return {"files": ", ".join(file.name for file in plan.files)} if plan.files else {}


def document_checks(plan: ReportPlan) -> Iterator[dg.AssetCheckSpec]:
    """Where recipients get documents of their own, that of one may be missing: those of others go out all the same."""
    if plan.is_divided:
        key = keys.document_key(plan.id)
        yield dg.AssetCheckSpec(
            FOR_EVERYBODY, asset=key, description="Every recipient's document could be made."
        )


def _recipients(plan: ReportPlan) -> list[dg.AssetKey]:
    """The query that finds the recipients: without it nobody knows for whom to ask."""
    query = plan.recipients.query if plan.recipients else ""
    return [keys.query_key(plan.id, query)] if query else []


def _columns(query: QueryPlan) -> dict[str, dg.TableSchema]:
    """What `columns:` promises. dagster-pandas is imported for reports that promise something, only."""
    if not query.query.columns:
        return {}
    from kpi_assets.assets.frame_contracts import table_schema

    schema = table_schema(query.query.columns)
    return {"dagster/column_schema": schema} if schema else {}


def _scheduled(plan: ReportPlan) -> str:
    """Dagster shows a schedule beside an asset only where it has a job of its own; ours have none."""
    schedule = plan.config.schedule
    if schedule is None:
        return ""
    return f"Schedule: `{schedule.cron}`, in {schedule.timezone or plan.zone}."


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


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())
