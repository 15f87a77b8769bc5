"""YAML text -> frozen models, with file, line and column in every error.

The way: `source` (bytes to text) -> `compose` (text to nodes with positions) -> `nodes.merge` (several files) ->
`compat` (KPI Reporter's keys) -> `repair.settle` (pydantic) -> `messages` (what is wrong, in
words) -> `load.LoadedReport`.
"""

from kpi_assets.config.args import resolve_args, validate_args, written_args
from kpi_assets.config.ids import report_id
from kpi_assets.config.load import (
    LoadedReport,
    default_files,
    load_report,
    refuse_same_ids,
    resolve_plain,
)
from kpi_assets.config.source_map import SourceMap
from kpi_assets.config.zones import machine_zone

__all__ = [
    "LoadedReport",
    "SourceMap",
    "default_files",
    "load_report",
    "machine_zone",
    "refuse_same_ids",
    "report_id",
    "resolve_args",
    "resolve_plain",
    "validate_args",
    "written_args",
]
