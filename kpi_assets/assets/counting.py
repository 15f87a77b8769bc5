"""Counts what the stages of a run do, for metrics: one short transaction at the end of each stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from kpi_assets.assets.events import Event
from kpi_assets.contracts import Document, Window
from kpi_assets.errors import KpiAssetsError
from kpi_assets.ledger.model import Made
from kpi_assets.logs import logger
from kpi_assets.pipeline import Composed, Fetched, Rendered
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

log = logger("kpi_assets")


@dataclass
class Tally:
    """What one stage has done so far. `drew`: it made views or documents, so that its time is spent on rendering."""

    plan: ReportPlan
    began: float = 0.0
    made: Made = field(default_factory=Made)
    drew: bool = False

    def begin(self) -> None:
        self.began = perf_counter()

    def see(self, event: Event) -> None:
        if isinstance(event, Fetched):
            self.made = self.made.plus(_of_query(event))
        elif isinstance(event, Rendered):
            self.drew = True
            self.made = self.made.plus(Made(failed_views=int(event.error is not None)))
        elif isinstance(event, Document) or (isinstance(event, Composed) and event.document):
            self.count_edition(event.window)

    def count_edition(self, window: Window) -> None:
        self.drew = True
        self.made = self.made.plus(
            Made(editions=1, newest_end=window.end if self.plan.is_regular(window) else None)
        )

    def write(self, session: Session) -> None:
        """Add it to the report's totals. A run goes on without: figures about runs are not worth a report."""
        if not self.made.queries and not self.drew:
            return
        from kpi_assets.ledger.totals import Totals

        seconds = perf_counter() - self.began if self.drew else 0.0
        made = self.made.plus(Made(render_seconds=seconds))
        try:
            Totals(session.ledger.database).add(self.plan.id, made, now=session.clock())
        except KpiAssetsError as error:
            log.warning("the run is not counted in the metrics: %s", error)


def _of_query(fetched: Fetched) -> Made:
    call = fetched.call
    return Made(
        queries=1,
        failed_queries=int(fetched.error is not None),
        rows=call.rows_fetched if call else 0,
        query_seconds=call.seconds_fetched if call else 0.0,
    )
