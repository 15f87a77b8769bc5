"""The bodies of the steps: call the pipeline, tell Dagster what happened. Every selected asset yields a result.

A step that yields nothing for an asset makes the next step *skipped* and the run green, so nothing is ever left out
silently: either a result, or one `StageFailure` at the end, after all good results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from kpi_assets.assets import checks, keys, metadata, personal
from kpi_assets.assets.events import Withheld
from kpi_assets.assets.stage import Stage
from kpi_assets.contracts import Window
from kpi_assets.delivery import Delivered, deliver_outputs
from kpi_assets.errors import DataError, KpiAssetsError
from kpi_assets.pipeline import (
    Composed,
    Fetched,
    Rendered,
    compose_documents,
    compose_for_recipients,
    fetch_queries,
    render_views,
)
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"

Results = Iterator[dg.MaterializeResult[Any]]
Outcomes = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def told(stage: Stage, results: Results) -> Outcomes:
    """The results; where checks alone were asked for, only what these found."""
    for result in results:
        yield from result.check_results or () if stage.checks_alone else [result]


# ---------------------------------------------------------------- queries


def fetch(stage: Stage) -> Results:
    """Bring the frames of the selected queries up to date."""
    plan = stage.plan
    ids = {keys.query_key(plan.id, query.id): query.id for query in plan.queries}
    chosen, errors, failing = stage.chosen(ids), list[KpiAssetsError](), list[dg.AssetKey]()
    theirs: dict[str, list[Fetched]] = {id: [] for id in chosen if plan.is_personal(query=id)}
    with stage.session(chosen) as session:
        for fetched in fetch_queries(session, stage.windows, chosen):
            stage.saw(fetched)
            if fetched.recipient:
                theirs[fetched.query.id].append(fetched)
            elif fetched.error and (plan.config.on_view_error == "fail" or _finds_recipients(fetched, plan)):
                errors.append(fetched.error)
                failing.append(keys.query_key(plan.id, fetched.query.id))
            else:
                yield _query_result(stage, fetched)
    if not any(key == keys.query_key(plan.id, plan.recipients.query) for key in failing if plan.recipients):
        for id, parts in theirs.items():
            yield _personal_query_result(stage, id, parts)
    if errors:
        raise stage.failure(errors, failing)


def _query_result(stage: Stage, fetched: Fetched) -> dg.MaterializeResult[Any]:
    key = keys.query_key(stage.plan.id, fetched.query.id)
    for window in stage.windows:
        stage.describe(key, window, metadata.of_query(stage.plan, fetched, window, lean=stage.selection.lean))
    _announce_healed(stage, key, metadata.changed_days(fetched), fetched.query.fingerprint)
    hashes = metadata.query_hashes(stage.plan, fetched, stage.windows)
    return stage.result(key, hashes, checks.of_query(stage.plan, key, fetched))


def _finds_recipients(fetched: Fetched, plan: ReportPlan) -> bool:
    """Without its rows nobody knows whom the report is for: there is no placeholder for that."""
    return plan.recipients is not None and fetched.query.id == plan.recipients.query


def _personal_query_result(stage: Stage, query: str, parts: Sequence[Fetched]) -> dg.MaterializeResult[Any]:
    """A query that is asked for each recipient. Where it fails for some, the others' editions are made all the same."""
    key = keys.query_key(stage.plan.id, query)
    for window in stage.windows:
        stage.describe(key, window, personal.of_query(parts, window))
    _announce_healed(stage, key, personal.changed(parts), stage.plan.queries_by_id[query].fingerprint)
    return stage.result(key, [personal.query_hash(parts)], checks.of_personal_query(stage.plan, key, parts))


def _announce_healed(stage: Stage, key: dg.AssetKey, contents: Mapping[str, str], version: str) -> None:
    """Tell Dagster of other editions whose rows changed: what was made of them is stale now.

    Each event costs milliseconds, so days that no edition was made of are not announced; nor are unchanged ones.
    """
    made = {window.key for window in stage.windows}
    changed = {day: content for day, content in contents.items() if day not in made}
    known = stage.context.instance.get_materialized_partitions(key) if changed else set[str]()
    for day in sorted(changed.keys() & known):
        tags = {DATA_VERSION: changed[day][:16], CODE_VERSION: version}
        stage.context.log_event(dg.AssetMaterialization(key, partition=day, tags=tags))


# ---------------------------------------------------------------- views


@dataclass
class _Made:
    """What became of one view over the windows of the run; `theirs`: where it is each recipient's own."""

    theirs: list[Rendered] = field(default_factory=list[Rendered])
    hashes: list[str] = field(default_factory=list)
    failed: list[tuple[Window, KpiAssetsError]] = field(default_factory=list)


def render(stage: Stage) -> Results:
    """Render the selected views; the good ones are yielded before the step fails."""
    plan = stage.plan
    ids = {keys.view_key(plan.id, view.id): view.id for view in plan.views}
    made: dict[str, _Made] = defaultdict(_Made)
    chosen = stage.chosen(ids)
    if stage.checks_alone:
        yield from _look_at_views(stage, chosen)
        return
    with stage.session(chosen) as session:
        for rendered in render_views(session, stage.windows, chosen):
            stage.saw(rendered)
            _note_view(stage, session, rendered, made[rendered.view.id])
    _describe_personal(stage, made)
    errors = [e for id in chosen for _, e in made[id].failed] if plan.config.on_view_error == "fail" else []
    for id in chosen:
        if not (errors and made[id].failed):
            key = keys.view_key(plan.id, id)
            yield stage.result(key, made[id].hashes, checks.of_view(plan, key, made[id].failed))
    if errors:
        raise stage.failure(errors, [keys.view_key(plan.id, id) for id in chosen if made[id].failed])


def _look_at_views(stage: Stage, views: Sequence[str]) -> Results:
    """Which of the stored blocks are placeholders? Nothing is drawn."""
    plan = stage.plan
    with stage.session(views) as session:
        for id in views:
            key, failed = keys.view_key(plan.id, id), list[tuple[Window, KpiAssetsError]]()
            for window in stage.windows:
                block = session.editions.find_block(plan.id, plan.edition(window), id)
                if block and block.status == "placeholder":
                    failed.append((window, DataError("a placeholder is shown")))
            yield stage.result(key, [], checks.of_view(plan, key, failed))


def _note_view(stage: Stage, session: Session, rendered: Rendered, made: _Made) -> None:
    key = keys.view_key(stage.plan.id, rendered.view.id)
    made.hashes.append(metadata.block_hash(rendered.block))
    if rendered.recipient:
        made.theirs.append(rendered)
        return
    if rendered.error:
        made.failed.append((rendered.window, rendered.error))
    facts = metadata.of_view(
        rendered, metadata.page(session, stage.home, rendered.window), lean=stage.selection.lean
    )
    stage.describe(key, rendered.window, facts)


def _describe_personal(stage: Stage, made: Mapping[str, _Made]) -> None:
    """Counts of all recipients, once they are all known."""
    for id, view in made.items():
        for window in dict.fromkeys(rendered.window for rendered in view.theirs):
            facts = personal.of_view(view.theirs, window)
            stage.describe(keys.view_key(stage.plan.id, id), window, facts)


# ---------------------------------------------------------------- document and outputs


def compose(stage: Stage) -> Results:
    """Compose the document of each edition."""
    key, hashes = keys.document_key(stage.plan.id), list[str]()
    if stage.plan.is_divided:
        yield _compose_for_recipients(stage, key)
        return
    with stage.session([stage.plan.id]) as session:
        for document in compose_documents(session, stage.windows):
            stage.saw(document)
            hashes.append(document.content_hash)
            where = metadata.page(session, stage.home, document.window)
            stage.describe(key, document.window, metadata.of_document(document, where))
    yield stage.result(key, hashes)


def _compose_for_recipients(stage: Stage, key: dg.AssetKey) -> dg.MaterializeResult[Any]:
    """A document for each. Who gets none is named by the check, and by the outputs: those of others go on."""
    made: list[Composed] = []
    with stage.session([stage.plan.id]) as session:
        for composed in compose_for_recipients(session, stage.windows):
            stage.saw(composed)
            made.append(composed)
    for window in stage.windows:
        stage.describe(key, window, personal.of_document(made, window))
    content = personal.combined(part.document.content_hash for part in made if part.document)
    return stage.result(key, [content], checks.of_documents(key, made))


def deliver(stage: Stage) -> Results:
    """Deliver each edition; an output that fails does not keep the others from trying."""
    plan = stage.plan
    ids = {keys.output_key(plan.id, output.id): output.id for output in plan.outputs}
    chosen = stage.chosen(ids)
    parts: dict[str, list[Delivered]] = defaultdict(list)
    with stage.session(chosen) as session:
        sent = [id for id in chosen if stage.selection.notify or plan.outputs_by_id[id].effect == "publish"]
        for delivered in _deliveries(stage, session, sent):
            stage.saw(delivered)
            parts[delivered.output].append(delivered)
    errors = [part.error for several in parts.values() for part in several if part.error]
    if plan.is_divided:
        errors = personal.missed(part for several in parts.values() for part in several)
    for id in chosen:
        if id not in sent:
            _withhold(stage, id)
        if not any(part.error for part in parts[id]):
            yield _output_result(stage, id, parts[id])
        else:
            _announce_delivered(stage, id, parts[id])
    if errors:
        failing = [key for key, id in ids.items() if any(part.error for part in parts[id])]
        raise stage.failure(errors, failing)


def _deliveries(stage: Stage, session: Session, outputs: Sequence[str]) -> Iterator[Delivered]:
    if outputs:
        run = stage.context.run
        yield from deliver_outputs(
            session,
            stage.windows,
            outputs,
            force=stage.selection.force,
            run_id=run.root_run_id or run.run_id,
        )


def _output_result(stage: Stage, output: str, parts: Sequence[Delivered]) -> dg.MaterializeResult[Any]:
    """An output that splits its audience has several deliveries of one edition: they are told together."""
    key = keys.output_key(stage.plan.id, output)
    for window in stage.windows:
        of_edition = [part for part in parts if part.window == window]
        if of_edition:
            stage.describe(key, window, metadata.of_deliveries(of_edition, window))
    hashes = [part.receipt.content_hash for part in parts if part.receipt]
    return stage.result(key, hashes or ["withheld"])


def _announce_delivered(stage: Stage, output: str, parts: Sequence[Delivered]) -> None:
    """The editions of a failing output that did go out: its one result for the whole range cannot be given."""
    key = keys.output_key(stage.plan.id, output)
    for window in stage.windows:
        of_edition = [part for part in parts if part.window == window]
        if of_edition and not any(part.error for part in of_edition):
            facts = metadata.of_deliveries(of_edition, window)
            stage.context.log_event(dg.AssetMaterialization(key, partition=window.key, metadata=facts))


def _withhold(stage: Stage, output: str) -> None:
    for window in stage.windows:
        stage.saw(Withheld(output, window))
        stage.describe(keys.output_key(stage.plan.id, output), window, metadata.of_withheld(window))
