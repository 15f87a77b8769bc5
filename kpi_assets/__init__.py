"""KPI reports as a Dagster asset graph.

The way of the data::

    report.yaml -config-> ReportConfig -plan-> ReportPlan       what can fail before a run fails here
    datasource -query-> frame -(window of frames)-> view -> block -> document -> output -> receipt

A query is asked of a datasource and answered with a frame, kept day by day in the frame store. Views turn frames into
blocks, blocks are composed into a document, outputs deliver it. `pipeline` calls these stages in order; `assets` shows
them to Dagster; `cli` is the front door.

The names below are the Python API (docs/python.md). Each is imported when it is first asked for, so that
`import kpi_assets` loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_assets.assets.resources import KpiAssetsResource
    from kpi_assets.assets.run import RunResult, materialize_editions
    from kpi_assets.component import KpiReport
    from kpi_assets.config import LoadedReport, load_report
    from kpi_assets.config.models import (
        ColumnConfig,
        DatasourceConfig,
        HolidaysConfig,
        OutputConfig,
        PartitionsConfig,
        QueryConfig,
        ReportConfig,
        ScheduleConfig,
        ThemeConfig,
        ViewConfig,
        WatchConfig,
    )
    from kpi_assets.config.python import Report, env, load_mapping
    from kpi_assets.config.recipients import RecipientsConfig
    from kpi_assets.config.when import ConditionConfig, NamedQuery, WhenConfig
    from kpi_assets.contracts import Document, Window
    from kpi_assets.datasources.dataframe import forget_frame, register_frame
    from kpi_assets.definitions import build_definitions
    from kpi_assets.plan import ReportPlan, build_plan
    from kpi_assets.python_api import Preview, choose_window, preview

__version__ = "0.1.0"

_MODULES = {
    "kpi_assets.assets.resources": ("KpiAssetsResource",),
    "kpi_assets.assets.run": ("RunResult", "materialize_editions"),
    "kpi_assets.component": ("KpiReport",),
    "kpi_assets.config": ("LoadedReport", "load_report"),
    "kpi_assets.config.models": (
        "ColumnConfig",
        "DatasourceConfig",
        "HolidaysConfig",
        "OutputConfig",
        "PartitionsConfig",
        "QueryConfig",
        "ReportConfig",
        "ScheduleConfig",
        "ThemeConfig",
        "ViewConfig",
        "WatchConfig",
    ),
    "kpi_assets.config.python": ("Report", "env", "load_mapping"),
    "kpi_assets.config.recipients": ("RecipientsConfig",),
    "kpi_assets.config.when": ("ConditionConfig", "NamedQuery", "WhenConfig"),
    "kpi_assets.contracts": ("Document", "Window"),
    "kpi_assets.datasources.dataframe": ("forget_frame", "register_frame"),
    "kpi_assets.definitions": ("build_definitions",),
    "kpi_assets.plan": ("ReportPlan", "build_plan"),
    "kpi_assets.python_api": ("Preview", "choose_window", "preview"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ColumnConfig",
    "ConditionConfig",
    "DatasourceConfig",
    "Document",
    "HolidaysConfig",
    "KpiAssetsResource",
    "KpiReport",
    "LoadedReport",
    "NamedQuery",
    "OutputConfig",
    "PartitionsConfig",
    "Preview",
    "QueryConfig",
    "RecipientsConfig",
    "Report",
    "ReportConfig",
    "ReportPlan",
    "RunResult",
    "ScheduleConfig",
    "ThemeConfig",
    "ViewConfig",
    "WatchConfig",
    "WhenConfig",
    "Window",
    "__version__",
    "build_definitions",
    "build_plan",
    "choose_window",
    "env",
    "forget_frame",
    "load_mapping",
    "load_report",
    "materialize_editions",
    "preview",
    "register_frame",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kpi_assets' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
