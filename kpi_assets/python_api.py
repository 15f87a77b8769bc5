"""What Python code asks of a report: which window, and a look at it. Exported by `kpi_assets`; see docs/python.md."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kpi_assets.config import LoadedReport
from kpi_assets.config.python import Report
from kpi_assets.contracts import Document, Window
from kpi_assets.errors import InputError, KpiAssetsError
from kpi_assets.pipeline import preview_document
from kpi_assets.plan import ReportPlan, build_plan, read_plan
from kpi_assets.session import home_from, open_session
from kpi_assets.windows import Moment, resolve_window


@dataclass(frozen=True)
class Preview:
    """An edition that was looked at: nothing was delivered. Views named by `faults` are placeholders."""

    document: Document
    faults: tuple[KpiAssetsError, ...] = ()

    @property
    def html(self) -> str:
        """The page, whole in itself."""
        return self.document.file("index.html").content.decode()

    def save(self, folder: Path | str) -> Path:
        """Write all files of the document, and return the page's path. Raises InputError when it cannot be written."""
        try:
            for file in self.document.files:
                target = Path(folder) / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error.strerror}") from error
        return (Path(folder) / "index.html").absolute()


def preview(
    report: Report | LoadedReport | ReportPlan | Path | str,
    window: Window | None = None,
    *,
    home: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Preview:
    """What `kpi-assets preview` makes, without Dagster: frames are kept in the store, nothing else is.

    `window`: default the newest whole one. `home`: where frames lie; default `$KPI_ASSETS_HOME`, then `./.kpi_assets`.
    """
    variables = os.environ if environ is None else environ
    plan = plan_of(report, variables)
    chosen = window or choose_window(plan)
    place = home_from(variables) if home is None else Path(home).absolute()
    with open_session(plan, place, variables) as session, tempfile.TemporaryDirectory() as scratch:
        return Preview(*preview_document(session, chosen, Path(scratch)))


def plan_of(
    report: Report | LoadedReport | ReportPlan | Path | str, environ: Mapping[str, str] | None = None
) -> ReportPlan:
    """The plan of whatever stands for a report. Raises ConfigError with all problems."""
    if isinstance(report, ReportPlan):
        return report
    if isinstance(report, str | Path):
        return read_plan(report, environ)
    return build_plan(report, environ)


def today_in(zone: str) -> date:
    """The day that it is now in the zone; the only place below which nobody asks for the time."""
    return datetime.now(ZoneInfo(zone)).date()


def choose_window(
    plan: ReportPlan,
    start: Moment | None = None,
    end: Moment | None = None,
    interval_days: int | None = None,
    *,
    today: date | None = None,
) -> Window:
    """The window that is asked for, by default the newest whole one. Raises InputError for one that cannot be made.

    `start` is the first day, `end` the day after the last; `today` is the day it is in the report's zone.
    """
    now = today or today_in(plan.zone)
    window = resolve_window(
        plan.config, plan.rule, today=now, zone=plan.zone, start=start, end=end, interval_days=interval_days
    )
    if reason := plan.refusal(window, now):
        raise InputError(reason)
    return window
