"""Analyses on disk, since importing the parser costs more than most reports' queries."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kpi_assets.contracts import QueryAnalysis
from kpi_assets.datasources.analysis.reading import Reading

RULES = 4
"""Raised with every change of the rules in this package, so that old answers are not used."""


@dataclass(frozen=True)
class AnalysisCache:
    """Remembers analyses in a folder, one small file each; None = nowhere.

    The key holds everything that decides an answer, the parser's version and our rules included. A file is written
    whole or not at all; one that cannot be read or written only costs time.
    """

    folder: Path | None

    @classmethod
    def default(cls) -> AnalysisCache:
        """`$KPI_ASSETS_ANALYSIS_CACHE` (empty = off), else `$KPI_ASSETS_HOME/cache/analysis`."""
        chosen = os.environ.get("KPI_ASSETS_ANALYSIS_CACHE")
        if chosen is not None:
            return cls(Path(chosen) if chosen else None)
        return cls(Path(os.environ.get("KPI_ASSETS_HOME") or ".kpi_assets") / "cache" / "analysis")

    def get(
        self, text: str, reading: Reading, analyse: Callable[[str, Reading], QueryAnalysis]
    ) -> QueryAnalysis:
        """The remembered analysis, or a new one."""
        if self.folder is None:
            return analyse(text, reading)
        path = self.folder / f"{_key(text, reading)}.json"
        found = _read(path)
        if found is None:
            found = analyse(text, reading)
            _write(path, found)
        return found


def _key(text: str, reading: Reading) -> str:
    parts = [RULES, _parser_version(), text, repr(reading)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@cache
def _parser_version() -> str:
    return version("sqlglot")


def _read(path: Path) -> QueryAnalysis | None:
    try:
        raw: dict[str, Any] = json.loads(path.read_bytes())
        return QueryAnalysis(tables=tuple(raw.pop("tables")), **raw)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(path: Path, analysis: QueryAnalysis) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(analysis), file)
        Path(name).replace(path)
    except OSError:
        return
