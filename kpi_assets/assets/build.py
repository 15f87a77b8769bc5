"""Plan -> Dagster assets: one fat, subsettable step per stage of a report. Bodies are one line; see `stages`.

Every function takes the plan that its step closes over: an asset made in a loop would bind late, and all reports would
run the last one. No `from __future__ import annotations` here: Dagster reads the annotation of `context`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from kpi_assets.assets import keys, specs, stages
from kpi_assets.assets.events import Observer, ignore
from kpi_assets.assets.resources import HOME, KpiAssetsResource, default_home, report_resources
from kpi_assets.assets.schedules import report_schedule
from kpi_assets.assets.sensors import report_sensors
from kpi_assets.plan import ReportPlan

Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def report_assets(plan: ReportPlan, observe: Observer = ignore) -> list[dg.AssetsDefinition]:
    """The steps of a report: queries, views, document, outputs. Empty stages are left out."""
    steps = [query_assets(plan, observe)] if plan.queries else []
    if plan.views:
        steps.append(view_assets(plan, observe))
    steps.append(document_asset(plan, observe))
    if plan.outputs:
        steps.append(output_assets(plan, observe))
    return steps


def query_assets(plan: ReportPlan, observe: Observer = ignore) -> dg.AssetsDefinition:
    """All queries of a report as one step, so that its datasources are asked side by side."""
    used = {query.datasource for query in plan.queries}

    @dg.multi_asset(
        name=keys.step_name(plan.id, "queries"),
        specs=[specs.query_spec(plan, query) for query in plan.queries],
        check_specs=[check for query in plan.queries for check in specs.query_checks(plan, query)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={HOME, *(keys.datasource_resource(plan.id, id) for id in used)},
        can_subset=True,
    )
    def fetch(context: dg.AssetExecutionContext) -> Results:
        stage = stages.Stage(context, plan, "queries", observe)
        yield from stages.told(stage, stages.fetch(stage))

    return fetch


def view_assets(plan: ReportPlan, observe: Observer = ignore) -> dg.AssetsDefinition:
    """All views of a report as one step."""

    @dg.multi_asset(
        name=keys.step_name(plan.id, "views"),
        specs=[specs.view_spec(plan, view) for view in plan.views],
        check_specs=[check for view in plan.views for check in specs.view_checks(plan, view)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={HOME},
        can_subset=True,
    )
    def render(context: dg.AssetExecutionContext) -> Results:
        stage = stages.Stage(context, plan, "views", observe)
        yield from stages.told(stage, stages.render(stage))

    return render


def document_asset(plan: ReportPlan, observe: Observer = ignore) -> dg.AssetsDefinition:
    """The composed document."""

    @dg.multi_asset(
        name=keys.step_name(plan.id, "document"),
        specs=[specs.document_spec(plan)],
        check_specs=list(specs.document_checks(plan)),
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={HOME},
    )
    def compose(context: dg.AssetExecutionContext) -> Results:
        yield from stages.compose(stages.Stage(context, plan, "document", observe))

    return compose


def output_assets(plan: ReportPlan, observe: Observer = ignore) -> dg.AssetsDefinition:
    """All outputs of a report as one step; what is published comes before what people are told of."""

    @dg.multi_asset(
        name=keys.step_name(plan.id, "outputs"),
        specs=[specs.output_spec(plan, output) for output in plan.outputs],
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={HOME, *(keys.output_resource(plan.id, output.id) for output in plan.outputs)},
        can_subset=True,
    )
    def deliver(context: dg.AssetExecutionContext) -> Results:
        yield from stages.deliver(stages.Stage(context, plan, "outputs", observe))

    return deliver


def build_definitions(
    plans: Iterable[ReportPlan],
    broken: Iterable[dg.AssetsDefinition] = (),
    home: KpiAssetsResource | None = None,
    executor: dg.ExecutorDefinition | None = dg.in_process_executor,
    *,
    merged: bool = False,
) -> dg.Definitions:
    """Everything of the reports as one code location. The executor is in-process: few fat steps, one import.

    `merged`: as a part of one, beside other parts made so. Then it holds nothing that another part may hold too: the
    tables that are read are left for Dagster to draw, and sensors go by the part's first report.
    """
    plans, home = list(plans), home or default_home()
    schedules = [report_schedule(plan) for plan in plans]
    sources = {spec.key: spec for plan in reversed(plans) for spec in specs.source_specs(plan)}
    resources = {key: door for plan in plans for key, door in report_resources(plan).items()}
    return dg.Definitions(
        assets=[
            *(step for plan in plans for step in report_assets(plan)),
            *(() if merged else sources.values()),
            *broken,
        ],
        resources={HOME: home, **resources},
        schedules=[schedule for schedule in schedules if schedule],
        sensors=list(report_sensors(plans, home, merged=merged)),
        executor=executor,
    )
