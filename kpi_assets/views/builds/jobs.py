"""Rows of the datasource's `builds` -> jobs, each with its last builds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kpi_assets.errors import ViewError
from kpi_assets.views.columns import is_missing, names

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("job", "started", "number", "result", "building", "seconds", "build_url", "url", "score", "health")
FAILED = ("FAILURE",)
BAD = ("FAILURE", "UNSTABLE")


@dataclass(frozen=True)
class Run:
    """A build. `result` is Jenkins' word (SUCCESS, UNSTABLE, FAILURE, ABORTED, NOT_BUILT), "" while it runs."""

    number: int
    result: str
    seconds: float | None
    url: str


@dataclass(frozen=True)
class JobRuns:
    """A job, its builds newest first, and Jenkins' own judgement of it."""

    name: str
    url: str
    score: float | None
    health: str
    runs: tuple[Run, ...]

    @property
    def shown_name(self) -> str:
        """The name as people know it: branches with their slashes."""
        return unquote(self.name)

    @property
    def latest(self) -> Run | None:
        """The newest build that has ended; where none has, the one that runs."""
        return next((run for run in self.runs if run.result), self.runs[0] if self.runs else None)

    @property
    def failing(self) -> bool:
        return self.latest is not None and self.latest.result in FAILED

    @property
    def finished(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.result)


def jobs_of(view: str, frame: pd.DataFrame) -> list[JobRuns]:
    """The jobs, in the rows' order. Raises ViewError where the rows are not those of `builds`."""
    if not len(frame):
        return []
    missing = [name for name in COLUMNS if name not in names(frame)]
    if missing:
        raise ViewError(view, f"there is no column '{missing[0]}': `datasource` must have plugin jenkins")
    rows = frame[list(COLUMNS)].to_dict("records")
    by_job: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        by_job.setdefault(str(row["job"]), []).append(row)
    return [_job(name, builds) for name, builds in by_job.items()]


def chosen(jobs: Sequence[JobRuns], patterns: Sequence[str], invert: bool) -> list[JobRuns]:
    """The jobs in whose names all patterns are found; with `invert` the others."""
    return [job for job in jobs if all(re.search(pattern, job.name) for pattern in patterns) != invert]


def _job(name: str, rows: Sequence[dict[Any, Any]]) -> JobRuns:
    first = rows[0]
    runs = sorted(_runs(rows), key=lambda run: -run.number)
    return JobRuns(name, _text(first["url"]), _number(first["score"]), _text(first["health"]), tuple(runs))


def _runs(rows: Sequence[dict[Any, Any]]) -> Iterator[Run]:
    for row in rows:
        number = _number(row["number"])
        if number is not None:
            yield Run(int(number), _text(row["result"]), _number(row["seconds"]), _text(row["build_url"]))


def _text(value: object) -> str:
    return "" if is_missing(value) else str(value)


def _number(value: Any) -> float | None:
    number = None if is_missing(value) else float(value)
    return number if number is not None and math.isfinite(number) else None
