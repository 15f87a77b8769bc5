"""Jobs and builds as frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_assets.datasources.ci.jobs import Build, Job, JobInfo

if TYPE_CHECKING:
    import pandas as pd


def jobs_frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """fullname, name, url, color: a row per job."""
    rows = [(job.fullname, job.names[-1], job.url, job.color) for job in jobs]
    return _frame(("fullname", "name", "url", "color"), rows)


def info_frame(info: JobInfo, zone: str) -> pd.DataFrame:
    """A row per build, newest first; `duration` in milliseconds, as Jenkins has it."""
    rows = [
        (
            build.started,
            build.number,
            build.name,
            build.result,
            build.building,
            build.milliseconds,
            build.url,
            info.score,
            info.health,
        )
        for build in info.builds
    ]
    names = (
        "timestamp",
        "number",
        "displayName",
        "result",
        "building",
        "duration",
        "url",
        "score",
        "description",
    )
    return _timed(_frame(names, rows), "timestamp", zone, ("number", "duration", "score"))


def builds_frame(infos: Sequence[JobInfo], zone: str) -> pd.DataFrame:
    """A row per build, newest first, jobs by name; a job without builds has one row that tells of none."""
    rows = [row for info in sorted(infos, key=lambda info: info.job.names) for row in _builds(info)]
    of_build = ("started", "number", "result", "building", "seconds", "build_url")
    names = ("job", *of_build, "url", "color", "score", "health")
    return _timed(_frame(names, rows), "started", zone, ("number", "seconds", "score"))


def _builds(info: JobInfo) -> Iterable[tuple[object, ...]]:
    job = info.job
    builds: tuple[Build | None, ...] = info.builds or (None,)
    for build in builds:
        facts: tuple[object, ...] = (None, None, None, False, None, None)
        if build:
            seconds = None if build.milliseconds is None else build.milliseconds / 1000
            facts = (build.started, build.number, build.result, build.building, seconds, build.url)
        yield (job.fullname, *facts, job.url, job.color, info.score, info.health)


def _frame(names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    import pandas as pd

    columns = {name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(names)}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def _timed(frame: pd.DataFrame, time: str, zone: str, numbers: Iterable[str]) -> pd.DataFrame:
    """Milliseconds as moments of the zone; numbers as floats, since some are missing."""
    import pandas as pd

    moments: Any = pd.to_datetime(frame[time].astype("Int64"), unit="ms", utc=True).dt.as_unit("ns")
    typed = {name: frame[name].astype("float64") for name in numbers}
    there: Any = {time: moments.dt.tz_convert(ZoneInfo(zone)), "building": frame["building"].astype(bool)}
    return frame.assign(**there, **typed)
