"""The metrics of all runs in the text format of Prometheus, read from the ledger anew at each scrape."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from kpi_assets import __version__
from kpi_assets.errors import KpiAssetsError
from kpi_assets.ledger.model import STATES
from kpi_assets.session import Clock

if TYPE_CHECKING:
    from kpi_assets.ledger.totals import Total, Totals
    from kpi_assets.plan import ReportPlan

log = logging.getLogger("kpi_assets")

Families = Iterator[CounterMetricFamily | GaugeMetricFamily]

SUMS = {
    "editions_made": ("editions", "Editions made, or made again."),
    "queries": ("queries", "Queries of reports brought up to date, whether or not rows had to be fetched."),
    "query_failures": ("failed_queries", "Queries that could not be brought up to date."),
    "view_failures": ("failed_views", "Views that could not be drawn."),
    "rows": ("rows", "Rows fetched from datasources."),
    "query_seconds": ("query_seconds", "Time that datasources took to answer."),
    "render_seconds": ("render_seconds", "Time that views and documents took to make."),
}


@dataclass(frozen=True, eq=False)
class Exporter:
    """A collector of prometheus_client. `since`: from when on a report that was never run can be late."""

    home: Path
    environ: Mapping[str, str]
    files: Sequence[Path]
    clock: Clock
    since: datetime

    def describe(self) -> Families:
        """Nothing is read when it is registered."""
        yield from ()

    def collect(self) -> Families:
        """Everything that is known; a ledger that is away is a metric, too."""
        yield _gauge("info", "Version of kpi_assets.", ("version",), [((__version__,), 1)])
        plans, broken = plans_of(tuple(_stamped(file) for file in self.files))
        label = [((file.name,), 1.0) for file in broken]
        yield _gauge("report_broken", "1: this report file cannot be loaded.", ("file",), label)
        try:
            found = [*self._of_ledger(plans)]
        except KpiAssetsError as error:
            log.error("no metrics of the ledger: %s", error)
            found = []
        yield _gauge("ledger_up", "1: the ledger answers.", (), [((), float(bool(found)))])
        yield from found

    def _of_ledger(self, plans: Sequence[ReportPlan]) -> Families:
        from kpi_assets.ledger.database import open_database
        from kpi_assets.ledger.totals import Totals

        totals, now = Totals(open_database(self.home, self.environ)), self.clock()
        runs = totals.all()
        yield from _sums(runs)
        yield from _deliveries(totals, now)
        yield from _lateness(plans, totals, runs, now, self.since)


def _sums(runs: Sequence[Total]) -> Families:
    for name, (attribute, text) in SUMS.items():
        family = CounterMetricFamily(f"kpi_assets_{name}", text, labels=("report",))
        for run in runs:
            family.add_metric((run.report,), getattr(run.made, attribute))
        yield family
    made = [((run.report,), run.made_at.timestamp()) for run in runs if run.made_at]
    text = "When an edition was last made, as Unix time."
    yield _gauge("last_edition_timestamp_seconds", text, ("report",), made)


def _deliveries(totals: Totals, now: datetime) -> Families:
    standing = totals.deliveries(now=now)
    counts = {(s.report, s.output, state): 0.0 for s in standing for state in STATES}
    counts |= {(s.report, s.output, s.state): float(s.count) for s in standing}
    text = "Deliveries in the ledger by their state now."
    yield _gauge("deliveries", text, ("report", "output", "state"), counts.items())
    last: dict[tuple[str, str], float] = {}
    for s in standing:
        if s.delivered_at:
            key = (s.report, s.output)
            last[key] = max(last.get(key, 0.0), s.delivered_at.timestamp())
    text = "When an edition last arrived, as Unix time."
    yield _gauge("last_delivery_timestamp_seconds", text, ("report", "output"), last.items())


def _lateness(
    plans: Sequence[ReportPlan], totals: Totals, runs: Sequence[Total], now: datetime, since: datetime
) -> Families:
    from kpi_assets.assets.lateness import lateness

    found = lateness(plans, totals, runs, now=now, since=since)
    text = "Since when the newest edition that is due by `schedule:` has not gone out; 0: it has."
    yield _gauge("lateness_seconds", text, ("report",), [((late.report,), late.seconds) for late in found])
    text = "When the newest edition became due by `schedule:`, as Unix time."
    due = [((late.report,), late.due.timestamp()) for late in found]
    yield _gauge("due_timestamp_seconds", text, ("report",), due)


def _gauge(name: str, text: str, labels: Sequence[str], values: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"kpi_assets_{name}", text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def _stamped(file: Path) -> tuple[Path, int, int]:
    """The file as it is now; a changed one is read again."""
    try:
        facts = file.stat()
    except OSError:
        return file, 0, 0
    return file, facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=1)
def plans_of(stamped: tuple[tuple[Path, int, int], ...]) -> tuple[list[ReportPlan], list[Path]]:
    """The plans of report files, and those that cannot be loaded."""
    from kpi_assets.definitions import load_plans

    plans, broken = load_plans([file for file, _, _ in stamped], os.environ)
    for report in broken:
        log.warning("%s", report.reason)
    return plans, [report.file for report in broken]
