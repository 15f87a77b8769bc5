"""`jenkins.build_summary`: how a CI server's jobs do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, field_validator

from kpi_assets.contracts import Block, Need, PluginArgs, RenderContext, View
from kpi_assets.views.builds.jobs import BAD, JobRuns, chosen, jobs_of
from kpi_assets.views.builds.table import LEGEND, table
from kpi_assets.views.composing import compose, nothing

if TYPE_CHECKING:
    import pandas as pd

PLUGIN = "jenkins.build_summary"
MOST_NAMED = 2
"""So many jobs are named in the finding; of more, their number alone."""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class JobFilters(PluginArgs):
    """Which jobs are shown."""

    name: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        (), description="Regular expression, or a list that must all match, searched in the job's full name."
    )
    invert: bool = Field(False, description="Show the jobs that do not match instead.")

    @field_validator("name")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
        return value


class BuildSummaryArgs(PluginArgs):
    """Which jobs, and how many of their builds."""

    datasource: str = Field("jenkins", description="Id of a datasource with plugin jenkins.")
    filters: JobFilters | None = Field(
        None,
        description="Which jobs: `name`, a regular expression or a list that must all match, searched in the full name "
        "(folders with /); `invert: true` shows the others.",
    )
    builds: int = Field(10, ge=1, le=50, description="Last builds shown of each job.")


class BuildSummaryView(View):
    """A row per job: health, last builds from the oldest to the newest, latest result, trend of durations."""

    Args = BuildSummaryArgs
    kinds = ("table",)
    args: BuildSummaryArgs

    def needs(self) -> Mapping[str, Need]:
        return {
            "query": Need(datasource=self.args.datasource, text="builds", args={"limit": self.args.builds})
        }

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frame, filters = frames["query"], self.args.filters
        jobs = jobs_of(context.view, frame)
        if filters and filters.name:
            jobs = chosen(jobs, filters.name, filters.invert)
        if not jobs:
            return nothing(context, PLUGIN, "No jobs.").model_copy(update={"rows": len(frame)})
        return compose(
            context,
            PLUGIN,
            (table(jobs, context, self.args.builds),),
            rows=len(frame),
            finding=_finding(jobs, context),
            note=LEGEND,
        )


def _finding(jobs: Sequence[JobRuns], context: RenderContext) -> str:
    """How many fail; where none does, how many are unstable; else that all are well."""
    count = context.numbers.number(len(jobs))
    built = [job for job in jobs if job.latest and job.latest.result]
    if not built:
        return ""
    failing = [job for job in built if job.failing]
    unstable = [job for job in built if job.latest and job.latest.result in BAD]
    worst, word = (failing, "failing") if failing else (unstable, "unstable")
    if worst and len(jobs) == 1:
        return f"{worst[0].shown_name} is {word}"
    if worst:
        verb = "is" if len(worst) == 1 else "are"
        named = f": {' and '.join(job.shown_name for job in worst)}" if len(worst) <= MOST_NAMED else ""
        return f"{context.numbers.number(len(worst))} of {count} jobs {verb} {word}{named}"
    if all(job.latest and job.latest.result == "SUCCESS" for job in jobs):
        return "Every job's latest build succeeded" if len(jobs) > 1 else f"{jobs[0].shown_name} succeeds"
    return "No job is failing"
