"""Jobs as a table that says the same in every format: signs are characters, colour only repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from kpi_assets.contracts import Cell, Column, RenderContext, Table, Verdict
from kpi_assets.style.digits import length_of
from kpi_assets.views.builds.jobs import JobRuns, Run
from kpi_assets.views.composing import days_of, measure_of

SIGNS = {"SUCCESS": "✓", "FAILURE": "✗", "UNSTABLE": "!", "ABORTED": "–", "NOT_BUILT": "–"}
RUNNING, UNKNOWN = "…", "?"
WORDS = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "UNSTABLE": "unstable",
    "ABORTED": "aborted",
    "NOT_BUILT": "not built",
}
VERDICTS: dict[str, Verdict] = {"SUCCESS": "better", "FAILURE": "worse", "UNSTABLE": "worse"}
LEGEND = "Builds from the oldest to the newest: ✓ succeeded, ✗ failed, ! unstable, – aborted, … running."
WEATHER = ((80, "☀ sunny"), (60, "☼ fair"), (40, "☁ cloudy"), (20, "☂ rainy"), (0, "⚡ stormy"))
"""Least score of each of Jenkins' pictures."""
ENOUGH = 4
"""Finished builds that a trend of durations needs."""
NOTABLE = 0.1
NARROW = 3
"""Builds shown where there is little room; the trend of durations stays."""


def table(jobs: Sequence[JobRuns], context: RenderContext, most: int) -> Table:
    """A row per job in their order; a column per build, the newest last."""
    width = max(1, min(most, max((len(job.runs) for job in jobs), default=1)))
    return Table(
        caption=f"{measure_of(context)}, {days_of(context)}",
        columns=(
            Column(label="Job", header=True),
            Column(label="Latest"),
            Column(label="Health"),
            *(
                Column(label=_heading(place, width), align="center", low=place < width - NARROW)
                for place in range(width)
            ),
            Column(label="Duration", align="right", low=True),
            Column(label="Trend", align="right"),
        ),
        rows=tuple(_row(job, width, context) for job in jobs),
    )


def _heading(place: int, width: int) -> str:
    """Only the last builds are named: `−1` is the one before the newest."""
    return "Last" if place == width - 1 else f"−{width - 1 - place}"


def _row(job: JobRuns, width: int, context: RenderContext) -> tuple[Cell, ...]:
    runs = tuple(reversed(job.runs[:width]))
    blank = (Cell(text="", missing=True),) * (width - len(runs))
    return (
        Cell(text=job.shown_name, link_url=job.url or None),
        _latest(job),
        _health(job, context),
        *blank,
        *(_status(run) for run in runs),
        *_durations(job, context),
    )


def _latest(job: JobRuns) -> Cell:
    run = job.latest
    if run is None:
        return Cell(text="no builds", missing=True)
    words = WORDS.get(run.result, run.result.lower().replace("_", " ")) if run.result else "running"
    return Cell(
        text=f"{words} (#{run.number})", verdict=VERDICTS.get(run.result, "none"), link_url=run.url or None
    )


def _health(job: JobRuns, context: RenderContext) -> Cell:
    """`☀ sunny, 100 % healthy`; what Jenkins has not judged is not guessed."""
    if job.score is None:
        return Cell(text="n/a", missing=True)
    weather = next((words for least, words in WEATHER if job.score >= least), WEATHER[-1][1])
    return Cell(text=f"{weather}, {context.numbers.percent(job.score / 100, 0)} healthy")


def _status(run: Run) -> Cell:
    sign = SIGNS.get(run.result, UNKNOWN) if run.result else RUNNING
    return Cell(text=sign, verdict=VERDICTS.get(run.result, "none"))  # a link would take its colour in mail


def _durations(job: JobRuns, context: RenderContext) -> tuple[Cell, Cell]:
    """The median duration of the builds that ended, and the newer half's against the older's."""
    seconds = [run.seconds for run in reversed(job.finished) if run.seconds is not None]
    if not seconds:
        return Cell(text="n/a", missing=True), Cell(text="n/a", missing=True)
    usual = median(seconds)
    typical = Cell(text=context.numbers.duration(usual), value=length_of(usual))
    half = len(seconds) // 2
    before = median(seconds[:half]) if half else 0
    if len(seconds) < ENOUGH or not before:
        return typical, Cell(text="n/a", missing=True)
    change = median(seconds[-half:]) / before - 1
    if abs(change) < NOTABLE:
        return typical, Cell(text="steady")
    faster = change < 0
    words = f"{context.numbers.percent(abs(change), 0)} {'faster' if faster else 'slower'}"
    return typical, Cell(text=words, verdict="better" if faster else "worse")
