"""Which kind of windows a report has: `window:` (with `holidays:`), or `interval_days:`, or its dates."""

from __future__ import annotations

from datetime import date

from kpi_assets.calendar_windows import Days, window_rule
from kpi_assets.config.models import HolidaysConfig, ReportConfig
from kpi_assets.contracts import WindowRule
from kpi_assets.plan.notebook import Notebook
from kpi_assets.windows import resolve_window
from kpi_assets.workdays import Workdays, known_place


def rule_of(notebook: Notebook, zone: str) -> WindowRule:
    """The kind of the report's regular windows; what contradicts itself or is not known is noted as a problem."""
    config = notebook.config
    workdays = _workdays(notebook)
    if config.window is None:
        return Days(_interval_days(config, zone))
    for other in ("interval_days", "start_date"):
        if other in config.model_fields_set and getattr(config, other) is not None:
            notebook.problem(
                f"`window` and `{other}` both say how long the window is: leave one out", "window"
            )
    try:
        rule = window_rule(config.window, week_starts=config.week_starts, workdays=workdays)
        rule.newest(config.partitions.start, zone)
    except ValueError as error:
        notebook.problem(str(error), "window")
        return Days(config.interval_days)
    return rule


def _interval_days(config: ReportConfig, zone: str) -> int:
    """With both dates in the file the report's own window is as long as they say."""
    if config.start_date is None or config.end_date is None:
        return config.interval_days
    return resolve_window(config, Days(config.interval_days), today=date.min, zone=zone).length


def _workdays(notebook: Notebook) -> Workdays:
    """The business days that `holidays:` describes; `DE-BY` is Bavaria in Germany."""
    said = notebook.config.holidays
    if said is None:
        return Workdays()
    if isinstance(said, str):
        country, _, part = said.partition("-")
        said = HolidaysConfig.model_validate(
            {"country": country.strip().upper(), "subdivision": part.strip() or None}
        )
    wrong = known_place(said.country, said.subdivision) if said.country else ""
    if wrong:
        notebook.problem(wrong, "holidays")
        return Workdays()
    return Workdays(said.country, said.subdivision, frozenset(said.free), frozenset(said.worked))
