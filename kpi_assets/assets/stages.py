"""The bodies of the steps: call the pipeline, tell Dagster what happened. Every selected asset yields a result.

A step that yields nothing for an asset makes the next step *skipped* and the run green, so nothing is ever left out
silently: either a result, or one `StageFailure` at the end, after all good results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import dagster as dg

from kpi_assets.assets import checks, keys, metadata
from kpi_assets.assets.events import Observer, StageFailed, StageName, StageStarted, Withheld
from kpi_assets.assets.resources import HOME, KpiAssetsResource, session_of
from kpi_assets.assets.windows import Selection, select, with_refresh
from kpi_assets.contracts import Window
from kpi_assets.delivery import Delivered, deliver_outputs
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline import (
    Fetched,
    Rendered,
    compose_documents,
    fetch_queries,
    render_views,
)
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"

Results = Iterator[dg.MaterializeResult[Any]]


class StageFailure(dg.Failure):
    """A stage's end with errors, in plain words. `errors` are the originals, for callers in the same process."""

    def __init__(self, errors: Sequence[KpiAssetsError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(dict.fromkeys(str(error) for error in errors)))


@dataclass(frozen=True)
class Stage:
    """One execution of one step."""

    context: dg.AssetExecutionContext
    plan: ReportPlan
    name: StageName
    observe: Observer

    @cached_property
    def tags(self) -> Mapping[str, str]:
        return self.context.run.tags

    @cached_property
    def selection(self) -> Selection:
        return select(self.plan, self.context.partition_keys, self.tags)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        return self.selection.windows

    @property
    def home(self) -> KpiAssetsResource:
        return self.resource(HOME)

    def resource(self, key: str) -> Any:
        return getattr(self.context.resources, key)

    def chosen(self, ids: Mapping[dg.AssetKey, str]) -> list[str]:
        """The ids whose assets were selected, in the plan's order."""
        return [id for key, id in ids.items() if key in self.context.selected_asset_keys]

    @contextmanager
    def session(self, ids: Sequence[str]) -> Generator[Session]:
        """A session for the body. Errors of ours leave it as one StageFailure, without the chain behind them:
        what a driver said may hold a secret, and Dagster stores the whole chain."""
        session: Session | None = None
        try:
            self.observe(StageStarted(self.name, tuple(ids), self.windows))
            plan = with_refresh(self.plan, self.tags)
            session = session_of(plan, self.home.folder, self.resource)
            yield session
        except KpiAssetsError as error:
            raise self.failure([error]) from None
        finally:
            if session:
                session.close()

    def failure(self, errors: Sequence[KpiAssetsError]) -> StageFailure:
        self.observe(StageFailed(self.name, tuple(errors)))
        return StageFailure(errors)

    def describe(self, key: dg.AssetKey, window: Window, facts: Mapping[str, Any]) -> None:
        """Metadata of one edition; costs no event of its own."""
        self.context.add_asset_metadata(facts, asset_key=key, partition_key=window.key)

    def result(
        self, key: dg.AssetKey, hashes: Sequence[str], outcomes: Sequence[dg.AssetCheckResult] = ()
    ) -> dg.MaterializeResult[Any]:
        """The result of one asset. Its data version is the content's hash; of a range, that of all contents."""
        wanted = self.context.selected_asset_check_keys
        kept = [o for o in outcomes if dg.AssetCheckKey(key, str(o.check_name)) in wanted]
        version = hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode()).hexdigest()
        return dg.MaterializeResult(
            asset_key=key, data_version=dg.DataVersion(version[:16]), check_results=kept
        )


# ---------------------------------------------------------------- queries


def fetch(stage: Stage, datasource: str) -> Results:
    """Bring the frames of one datasource's queries up to date."""
    plan = stage.plan
    ids = {keys.query_key(plan.id, q.id): q.id for q in plan.queries if q.datasource == datasource}
    chosen, errors = stage.chosen(ids), list[KpiAssetsError]()
    with stage.session(chosen) as session:
        for fetched in fetch_queries(session, stage.windows, chosen):
            stage.observe(fetched)
            if fetched.error and plan.config.on_view_error == "fail":
                errors.append(fetched.error)
            else:
                yield _query_result(stage, fetched)
    if errors:
        raise stage.failure(errors)


def _query_result(stage: Stage, fetched: Fetched) -> dg.MaterializeResult[Any]:
    key = keys.query_key(stage.plan.id, fetched.query.id)
    for window in stage.windows:
        stage.describe(key, window, metadata.of_query(stage.plan, fetched, window))
    _announce_healed(stage, key, fetched)
    hashes = metadata.query_hashes(stage.plan, fetched, stage.windows)
    return stage.result(key, hashes, checks.of_query(stage.plan, key, fetched))


def _announce_healed(stage: Stage, key: dg.AssetKey, fetched: Fetched) -> None:
    """Tell Dagster of other editions whose rows changed: what was made of them is stale now.

    Each event costs milliseconds, so days that no edition was made of are not announced; nor are unchanged ones.
    """
    made = {window.key for window in stage.windows}
    changed = {day: content for day, content in metadata.changed_days(fetched).items() if day not in made}
    known = stage.context.instance.get_materialized_partitions(key) if changed else set[str]()
    for day in sorted(changed.keys() & known):
        version = {DATA_VERSION: changed[day][:16], CODE_VERSION: fetched.query.fingerprint}
        stage.context.log_event(dg.AssetMaterialization(key, partition=day, tags=version))


# ---------------------------------------------------------------- views


@dataclass
class _Made:
    """What became of one view over the windows of the run."""

    hashes: list[str] = field(default_factory=list)
    failed: list[tuple[Window, KpiAssetsError]] = field(default_factory=list)


def render(stage: Stage) -> Results:
    """Render the selected views; the good ones are yielded before the step fails."""
    plan = stage.plan
    ids = {keys.view_key(plan.id, view.id): view.id for view in plan.views}
    made: dict[str, _Made] = defaultdict(_Made)
    chosen = stage.chosen(ids)
    with stage.session(chosen) as session:
        for rendered in render_views(session, stage.windows, chosen):
            stage.observe(rendered)
            _note_view(stage, session, rendered, made[rendered.view.id])
    errors = [e for id in chosen for _, e in made[id].failed] if plan.config.on_view_error == "fail" else []
    for id in chosen:
        if not (errors and made[id].failed):
            key = keys.view_key(plan.id, id)
            yield stage.result(key, made[id].hashes, checks.of_view(plan, key, made[id].failed))
    if errors:
        raise stage.failure(errors)


def _note_view(stage: Stage, session: Session, rendered: Rendered, made: _Made) -> None:
    key = keys.view_key(stage.plan.id, rendered.view.id)
    made.hashes.append(metadata.block_hash(rendered.block))
    if rendered.error:
        made.failed.append((rendered.window, rendered.error))
    facts = metadata.of_view(
        rendered, metadata.page(session, stage.home, rendered.window), lean=stage.selection.lean
    )
    stage.describe(key, rendered.window, facts)


# ---------------------------------------------------------------- document and outputs


def compose(stage: Stage) -> Results:
    """Compose the document of each edition."""
    key, hashes = keys.document_key(stage.plan.id), list[str]()
    with stage.session([stage.plan.id]) as session:
        for document in compose_documents(session, stage.windows):
            stage.observe(document)
            hashes.append(document.content_hash)
            where = metadata.page(session, stage.home, document.window)
            stage.describe(key, document.window, metadata.of_document(document, where))
    yield stage.result(key, hashes)


def deliver(stage: Stage) -> Results:
    """Deliver each edition; an output that fails does not keep the others from trying."""
    plan = stage.plan
    ids = {keys.output_key(plan.id, output.id): output.id for output in plan.outputs}
    chosen = stage.chosen(ids)
    parts: dict[str, list[Delivered]] = defaultdict(list)
    with stage.session(chosen) as session:
        sent = [id for id in chosen if stage.selection.notify or plan.outputs_by_id[id].effect == "publish"]
        for delivered in _deliveries(stage, session, sent):
            stage.observe(delivered)
            parts[delivered.output].append(delivered)
    errors = [part.error for several in parts.values() for part in several if part.error]
    for id in chosen:
        if id not in sent:
            _withhold(stage, id)
        if not any(part.error for part in parts[id]):
            yield _output_result(stage, id, parts[id])
    if errors:
        raise stage.failure(errors)


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


def _withhold(stage: Stage, output: str) -> None:
    for window in stage.windows:
        stage.observe(Withheld(output, window))
        stage.describe(keys.output_key(stage.plan.id, output), window, metadata.of_withheld(window))
