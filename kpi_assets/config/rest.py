"""What is left of a report without its faulty parts, so that the others can be checked in the same go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kpi_assets.config.models import ReportConfig
from kpi_assets.config.nodes import Path
from kpi_assets.config.repair import Fault, drop, settle, value_at
from kpi_assets.config.source_map import SourceMap

NAMED = ("datasources", "queries", "recipients", "views", "outputs")
"""Keys whose entries others name, or that hold most of a report."""
ROUNDS = 3


def sound_part(
    data: dict[str, Any], faults: Sequence[Fault], source_map: SourceMap
) -> tuple[ReportConfig, dict[str, Any]] | None:
    """The model and data without what is faulty; None where the lack of it would make others look faulty."""
    for _ in range(ROUNDS):
        for fault in faults:
            path = _part(data, fault)
            if not path or _missed(path, data):
                return None
            if value_at(data, path[:-1]) is not None and path[-1] in value_at(data, path[:-1]):
                data = drop(data, path)
        settled = settle(ReportConfig, data, source_map)
        if settled.model is not None:
            return settled.model, settled.data
        faults = settled.faults
    return None


def _part(data: Mapping[str, Any], fault: Fault) -> Path:
    """The smallest key that holds the fault: entries of lists are not left out alone."""
    path = fault.path
    while path and not isinstance(value_at(data, path[:-1]), Mapping):
        path = path[:-1]
    return path


def _missed(path: Path, data: Mapping[str, Any]) -> bool:
    """Would messages about the rest be wrong without this part?"""
    if len(path) == 1:
        meant = get_close_matches(str(path[0]), NAMED, n=1)
        return bool(meant) and (path[0] in NAMED or meant[0] not in data)
    return len(path) == 2 and path[0] in NAMED[:3]
