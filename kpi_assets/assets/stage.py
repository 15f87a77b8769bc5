"""One execution of one step: what it was asked for, what it saw, and how it ends."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import dagster as dg

from kpi_assets.assets.counting import Tally
from kpi_assets.assets.events import Event, Observer, StageFailed, StageName, StageStarted
from kpi_assets.assets.heartbeat import keep_alive
from kpi_assets.assets.journal import Journal
from kpi_assets.assets.resources import HOME, KpiAssetsResource, session_of
from kpi_assets.assets.windows import REFRESH_TAG, Selection, select, with_refresh
from kpi_assets.contracts import Window
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.logs import about
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

FAILING = "failing assets"
"""Metadata of a StageFailure: the keys of what could not be made, `a/b/c, a/b/d`; empty where no asset is to blame."""


class StageFailure(dg.Failure):
    """A stage's end with errors, in plain words. `errors` are the originals, for callers in the same process."""

    def __init__(
        self, errors: Sequence[KpiAssetsError], assets: Sequence[dg.AssetKey] = (), run_id: str = ""
    ) -> None:
        self.errors, self.run_id = tuple(errors), run_id
        self.assets = tuple(key.to_user_string() for key in assets)
        words = "\n".join(dict.fromkeys(str(error) for error in errors))
        super().__init__(words, metadata={FAILING: ", ".join(self.assets)})


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
    def checks_alone(self) -> bool:
        """Nothing is to be made: "Execute" in the UI's list of checks. Then what is stored is looked at."""
        return not self.context.selected_asset_keys

    @cached_property
    def selection(self) -> Selection:
        return select(self.plan, self._partitions(), self.tags)

    def _partitions(self) -> Sequence[str]:
        """The run's; checks alone have none, and are of the newest edition that was made. Raises InputError."""
        if self.context.has_partition_key or self.context.has_partition_key_range:
            return self.context.partition_keys
        if not self.checks_alone:
            raise InputError(
                "the run has no partition: choose the day that the edition ends with, or several days"
            )
        checked = {check.asset_key for check in self.context.selected_asset_check_keys}
        made = set[str].intersection(*map(self.context.instance.get_materialized_partitions, checked))
        if not made:
            raise InputError(
                "there is nothing to check yet: materialize an edition first, its checks are made with it"
            )
        return [max(made)]

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        return self.selection.windows

    @cached_property
    def tally(self) -> Tally:
        return Tally(self.plan)

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.plan)

    def about(self) -> AbstractContextManager[None]:
        """Inside, lines of the log are about this stage and its editions."""
        return about(self.plan.id, self.name, *map(self.plan.common_edition, self.windows))

    def saw(self, event: Event) -> None:
        """Something happened: count it, and tell whoever watches."""
        self.tally.see(event)
        self.journal.see(event)
        self.observe(event)

    @property
    def home(self) -> KpiAssetsResource:
        return self.resource(HOME)

    def resource(self, key: str) -> Any:
        return getattr(self.context.resources, key)

    def chosen(self, ids: Mapping[dg.AssetKey, str]) -> list[str]:
        """The ids whose assets (or checks of whose assets) were selected, in the plan's order."""
        checked = {check.asset_key for check in self.context.selected_asset_check_keys}
        wanted = checked if self.checks_alone else self.context.selected_asset_keys
        return [id for key, id in ids.items() if key in wanted]

    @contextmanager
    def session(self, ids: Sequence[str]) -> Generator[Session]:
        """A session for the body. Errors of ours leave it as one StageFailure, without the chain behind them:
        what a driver said may hold a secret, and Dagster stores the whole chain."""
        session: Session | None = None
        try:
            self.observe(StageStarted(self.name, tuple(ids), self.windows))
            plan = with_refresh(self.plan, {REFRESH_TAG: "missing"} if self.checks_alone else self.tags)
            with self.about():
                keep_alive(self.context.instance, self.context.run.run_id, self.home.folder)
            session = session_of(plan, self.home.folder, self.resource)
            self.tally.begin()
            yield session
        except KpiAssetsError as error:
            raise self.failure([error]) from None
        finally:
            if session:
                self.journal.write(self.windows)
                with self.about():
                    self.tally.write(session)
                session.close()

    def failure(self, errors: Sequence[KpiAssetsError], assets: Sequence[dg.AssetKey] = ()) -> StageFailure:
        self.observe(StageFailed(self.name, tuple(errors)))
        return StageFailure(errors, assets, self.context.run.run_id)

    def describe(self, key: dg.AssetKey, window: Window, facts: Mapping[str, Any]) -> None:
        """Metadata of one edition; costs no event of its own."""
        if not self.checks_alone:
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
