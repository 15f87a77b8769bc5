"""Counts what the stages of a run do, for metrics: one short transaction at the end of each stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from time import perf_counter

from kpi_assets.assets.events import Event
from kpi_assets.contracts import Document, Window
from kpi_assets.errors import KpiAssetsError
from kpi_assets.logs import logger
from kpi_assets.pipeline import Composed, Fetched, Rendered
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

log = logger("kpi_assets")


@dataclass
class Tally:
    """What one stage has done so far."""

    plan: ReportPlan
    began: float = 0.0
    editions: int = 0
    queries: int = 0
    failed_queries: int = 0
    failed_views: int = 0
    rows: int = 0
    query_seconds: float = 0.0
    drew: bool = False
    newest_end: date | None = None

    def begin(self) -> None:
        self.began = perf_counter()

    def see(self, event: Event) -> None:
        if isinstance(event, Fetched):
            self._fetched(event)
        elif isinstance(event, Rendered):
            self.drew = True
            self.failed_views += event.error is not None
        elif isinstance(event, Document) or (isinstance(event, Composed) and event.document):
            self.count_edition(event.window)

    def _fetched(self, fetched: Fetched) -> None:
        self.queries += 1
        self.failed_queries += fetched.error is not None
        for frame in list(fetched.frames.values())[:1]:  # each tells of the whole call
            self.rows += frame.rows_fetched
            self.query_seconds += frame.seconds_fetched

    def count_edition(self, window: Window) -> None:
        self.drew = True
        self.editions += 1
        if self.plan.is_regular(window):
            self.newest_end = max(self.newest_end or window.end, window.end)

    def write(self, session: Session) -> None:
        """Add it to the report's totals. A run goes on without: figures about runs are not worth a report."""
        if not self.queries and not self.drew:
            return
        from kpi_assets.ledger.totals import Made, Totals

        made = Made(
            editions=self.editions,
            queries=self.queries,
            failed_queries=self.failed_queries,
            failed_views=self.failed_views,
            rows=self.rows,
            query_seconds=self.query_seconds,
            render_seconds=perf_counter() - self.began if self.drew else 0.0,
            newest_end=self.newest_end,
        )
        try:
            Totals(session.ledger.database).add(self.plan.id, made, now=session.clock())
        except KpiAssetsError as error:
            log.warning("the run is not counted in the metrics: %s", error)
