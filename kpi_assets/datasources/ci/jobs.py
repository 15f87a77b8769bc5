"""Jenkins' JSON -> jobs and builds. What Jenkins leaves out is missing, never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

JOB = "name,url,color,buildable"
DEPTH = 4
"""Levels of folders that one listing brings; deeper ones are listed on their own."""
DEEPEST = 20
CONTAINERS = ("Folder", "MultiBranchProject", "OrganizationFolder")


def listing_tree() -> str:
    """The `tree=` of a listing: the jobs in a folder, the jobs in folders in it, and so on."""
    tree = f"jobs[{JOB}]"
    for _ in range(DEPTH - 1):
        tree = f"jobs[{JOB},{tree}]"
    return tree


@dataclass(frozen=True)
class Job:
    """A job that can be built. `names` are its folders' names and its own, as Jenkins' addresses have them."""

    names: tuple[str, ...]
    url: str = ""
    color: str = ""

    @property
    def fullname(self) -> str:
        return "/".join(self.names)

    @property
    def path(self) -> str:
        return path_of(self.names)


def path_of(names: tuple[str, ...]) -> str:
    """`/job/folder/job/name`. A branch's name holds `%2F` where the branch has a slash, so it is quoted again."""
    return "".join(f"/job/{quote(name, safe='')}" for name in names)


def jobs_in(body: Any, above: tuple[str, ...], listing: Callable[[tuple[str, ...]], Any]) -> Iterator[Job]:
    """The jobs of a listing, depth first; `listing` asks for folders that it does not open.

    Raises TypeError and KeyError for what is no listing.
    """
    if len(above) > DEEPEST:
        raise TypeError("folders do not end")
    for item in body["jobs"]:
        names = (*above, str(item["name"]))
        if isinstance(item.get("jobs"), list):
            yield from jobs_in(item, names, listing)
        elif str(item.get("_class", "")).endswith(CONTAINERS):
            yield from jobs_in(listing(names), names, listing)
        else:
            yield Job(names, str(item.get("url") or ""), str(item.get("color") or ""))


@dataclass(frozen=True)
class Build:
    """A build; `started` in milliseconds since 1970, `milliseconds` None while it runs. `result` is Jenkins' word."""

    number: int
    result: str | None
    building: bool
    started: int | None
    milliseconds: int | None
    url: str
    name: str


@dataclass(frozen=True)
class JobInfo:
    """A job with its builds, newest first, and its first health report."""

    job: Job
    builds: tuple[Build, ...]
    score: int | None
    health: str | None


def info_of(job: Job, body: Any, before: int, most: int) -> JobInfo:
    """A job's answer: the last builds that started before an instant. Raises TypeError, KeyError, ValueError."""
    found = [_build(item) for item in body.get("builds") or ()]
    kept = [build for build in found if build.started is None or build.started < before]
    kept.sort(key=lambda build: -build.number)
    reports = body.get("healthReport") or [{}]
    score, health = reports[0].get("score"), reports[0].get("description")
    known = Job(job.names, job.url or str(body.get("url") or ""), job.color or str(body.get("color") or ""))
    return JobInfo(known, tuple(kept[:most]), None if score is None else int(score), health)


def _build(item: Any) -> Build:
    number, started = int(item["number"]), item.get("timestamp")
    result, building = item.get("result"), bool(item.get("building"))
    return Build(
        number=number,
        result=None if building else result,
        building=building,
        started=None if started is None else int(started),
        milliseconds=None if building else int(item.get("duration") or 0),
        url=str(item.get("url") or ""),
        name=str(item.get("displayName") or f"#{number}"),
    )
