"""What makes a report run by itself, and who is told when it does not: checked while it is planned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kpi_assets.contracts import Datasource, Output, Query
from kpi_assets.errors import QueryError, suggest
from kpi_assets.plan.notebook import Notebook
from kpi_assets.style.durations import parse_duration

LEAST_SECONDS = 30
"""Dagster's daemon looks at sensors no more often."""

_WORDS = re.compile(r"\s*(second|minute|hour|day|sec|min)s?\b")


@dataclass(frozen=True)
class WatchPlan:
    """A query that is asked every `seconds`; a changed answer makes the newest edition."""

    query: Query
    seconds: int


class _Backend(Protocol):
    @property
    def cls(self) -> type[Datasource]: ...

    @property
    def lenient_args(self) -> object: ...


class _Channel(Protocol):
    @property
    def cls(self) -> type[Output]: ...


def plan_watch(notebook: Notebook, datasources: Mapping[str, _Backend]) -> WatchPlan | None:
    """The watch of a report; problems are noted."""
    config = notebook.config.watch
    if config is None:
        return None
    source = datasources.get(config.datasource)
    if source is None:
        if config.datasource not in notebook.config.datasources:
            hint = suggest(config.datasource, notebook.config.datasources)
            text = f"datasource '{config.datasource}' is not defined under `datasources`: {hint}"
            notebook.problem(text, "watch", "datasource")
        return None
    query = Query("watch", config.datasource, config.query, config.query_args)
    try:
        source.cls.analyse(query, source.lenient_args)
    except QueryError as error:
        notebook.problem(str(error), "watch", "query")
    return WatchPlan(query, _seconds(notebook, config.every))


def warn_of_owner(notebook: Notebook, outputs: Sequence[_Channel]) -> None:
    """A report whose owner nobody can reach fails in silence: say so before it does."""
    owner = notebook.config.owner
    if owner is None or any(output.cls.tells(owner) for output in outputs):
        return
    if re.fullmatch(r"[^@\s]+@[^@\s]+", owner):
        fix = "add an output `smtp` or `sendgrid`, or name a channel of an output `slack`"
    elif owner.startswith("#"):
        fix = "add an output `slack`, or write a mail address and have an output `smtp` or `sendgrid`"
    else:
        fix = "write a mail address (user@host) or a Slack channel (#name, or its id)"
    text = f"nobody can be told when the report fails: no output reaches the owner '{owner}'; {fix}"
    notebook.warn([text], "owner")


def warn_of_upstream(notebook: Notebook, mapped: bool) -> None:
    """Without a table that stands for an asset there is nothing to wait for."""
    if notebook.config.upstream and not mapped:
        text = "`upstream` waits for nothing: map the tables that the queries read onto your assets under `tables`"
        notebook.warn([text], "upstream")


def _seconds(notebook: Notebook, every: str) -> int:
    try:
        seconds = parse_duration(_WORDS.sub(lambda word: word[1][0], every).replace(" ", "")) // 1000
    except ValueError:
        notebook.problem(
            f"'{every}' is no duration: write a number and a unit, e.g. 30 s, 5 minutes or 2h",
            "watch",
            "every",
        )
        return LEAST_SECONDS
    if seconds < LEAST_SECONDS:
        notebook.problem(f"every is {seconds} s: {LEAST_SECONDS} s is the least", "watch", "every")
    return seconds
