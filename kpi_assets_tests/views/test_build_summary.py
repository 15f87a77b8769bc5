"""jenkins.build_summary: how jobs do."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Block, Table
from kpi_assets.errors import ViewError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.build_summary import BuildSummaryArgs, BuildSummaryView
from kpi_assets_tests.views.worlds import context


def job(
    name: str, results: str = "", score: float | None = 100, seconds: tuple[float, ...] = ()
) -> pd.DataFrame:
    """A job's rows; `results` from the oldest to the newest: S F U A, and R for one that runs."""
    words = {"S": "SUCCESS", "F": "FAILURE", "U": "UNSTABLE", "A": "ABORTED", "R": None}
    numbers: list[int | None] = list(range(len(results), 0, -1)) or [None]
    return pd.DataFrame(
        {
            "job": name,
            "started": pd.Series([pd.Timestamp("2024-11-18 09:00", tz="Europe/Berlin")] * len(numbers)),
            "number": pd.Series(numbers, dtype="float64"),
            "result": pd.Series([words[results[n - 1]] if n else None for n in numbers], dtype=object),
            "building": [bool(n) and results[n - 1] == "R" for n in numbers],
            "seconds": pd.Series(
                [seconds[n - 1] if n and seconds else None for n in numbers], dtype="float64"
            ),
            "build_url": pd.Series([f"http://ci/{name}/{n}/" if n else None for n in numbers], dtype=object),
            "url": f"http://ci/{name}/",
            "color": "blue",
            "score": pd.Series([score] * len(numbers), dtype="float64"),
            "health": None,
        }
    )


def shown(*jobs: pd.DataFrame, **args: Any) -> Block:
    frame = pd.concat(jobs, ignore_index=True) if jobs else pd.DataFrame()
    before = frame.copy()
    block = BuildSummaryView(BuildSummaryArgs(**args)).render({"query": frame}, context("Services", 6))
    pd.testing.assert_frame_equal(frame, before)
    assert_honest_block(block)
    return block


def table(block: Block) -> Table:
    element = block.elements[0]
    assert isinstance(element, Table)
    return element


def rows(block: Block) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table(block).rows]


def test_a_job_is_told_in_a_row() -> None:
    """Latest result, health in words, builds from the oldest to the newest, duration and its trend."""
    block = shown(job("api", "SFUAS", 85, (10, 10, 10, 20, 20)))
    assert rows(block) == [
        [
            "api",
            "succeeded (#5)",
            "☀ sunny, 85\u202f% healthy",
            "✓",
            "✗",
            "!",
            "–",
            "✓",
            "10 s",
            "100\u202f% slower",
        ]
    ]
    row = table(block).rows[0]
    assert [cell.verdict for cell in row[3:8]] == ["better", "worse", "worse", "none", "better"]
    assert (row[0].link_url, row[1].link_url, row[9].verdict) == (
        "http://ci/api/",
        "http://ci/api/5/",
        "worse",
    )


def test_the_newest_build_stands_in_the_last_column_of_every_job() -> None:
    """Jobs with fewer builds have gaps on the left."""
    block = shown(job("a", "SSS"), job("b", "F"))
    assert [row[3:6] for row in rows(block)] == [["✓", "✓", "✓"], ["", "", "✗"]]
    assert [column.label for column in table(block).columns[3:6]] == ["−2", "−1", "Last"]


def test_jobs_without_builds_or_health_are_shown() -> None:
    """KPI Reporter's whole view failed for them."""
    assert rows(shown(job("new", "", None))) == [["new", "no builds", "n/a", "", "n/a", "n/a"]]


def test_a_build_that_runs_does_not_hide_the_last_result() -> None:
    """The latest result is that of the last build that ended; a job that never ended one is running."""
    found = rows(shown(job("a", "SFR"), job("b", "R")))
    assert [row[1] for row in found] == ["failed (#2)", "running (#1)"]
    assert found[0][3:6] == ["✓", "✗", "…"]


@pytest.mark.parametrize(
    ("score", "words"),
    [(100, "☀ sunny"), (80, "☀ sunny"), (79, "☼ fair"), (59, "☁ cloudy"), (39, "☂ rainy"), (0, "⚡ stormy")],
)
def test_weather_is_jenkins_own(score: int, words: str) -> None:
    """The bounds are those of its pictures."""
    assert rows(shown(job("a", "S", score)))[0][2].startswith(f"{words}, ")


@pytest.mark.parametrize(
    ("jobs", "finding"),
    [
        (["F", "SF", "SS"], "2 of 3 jobs are failing: j0 and j1"),
        (["F", "S"], "1 of 2 jobs is failing: j0"),
        (["U", "S"], "1 of 2 jobs is unstable: j0"),
        (["F", "F", "F", "S"], "3 of 4 jobs are failing"),
        (["S", "FS"], "Every job's latest build succeeded"),
        (["A", "S"], "No job is failing"),
        (["F"], "j0 is failing"),
        (["", ""], ""),
        (["R"], ""),
    ],
)
def test_the_finding_counts_what_is_wrong(jobs: list[str], finding: str) -> None:
    """Failing before unstable before all well; nothing is said of jobs without a result."""
    assert shown(*(job(f"j{i}", results) for i, results in enumerate(jobs))).finding == finding


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["svc-a-prod", "svc-b", "lib/feature/x"]),
        ({"name": "^svc-"}, ["svc-a-prod", "svc-b"]),
        ({"name": ["^svc-", "-prod$"]}, ["svc-a-prod"]),
        ({"name": "^svc-", "invert": True}, ["lib/feature/x"]),
        ({"name": ["^svc-", "-prod$"], "invert": True}, ["svc-b", "lib/feature/x"]),
        ({"name": "nothing"}, []),
    ],
)
def test_filters_choose_jobs_by_their_full_name(filters: dict[str, Any], names: list[str]) -> None:
    """All patterns must be found; `invert` takes the others. Branches are shown with their slashes."""
    block = shown(job("svc-a-prod", "S"), job("svc-b", "S"), job("lib/feature%2Fx", "S"), filters=filters)
    found = [row[0] for row in rows(block)] if names else []
    assert found == names
    assert block.status == ("ok" if names else "empty")


def test_no_jobs_are_no_error() -> None:
    """An empty Jenkins gives a sentence."""
    assert shown().elements[0].model_dump()["markdown"] == "No jobs."


def test_only_ten_builds_are_shown_and_three_on_a_phone() -> None:
    """`builds` asks for more or fewer; with little room there are three of them, and the trend of durations."""
    block = shown(job("a", "S" * 14))
    assert rows(block)[0][3:13] == ["✓"] * 10
    assert [column.low for column in table(block).columns[3:13]] == [True] * 7 + [False] * 3
    assert [column.label for column in table(block).columns if not column.low][-2:] == ["Last", "Trend"]
    assert BuildSummaryView(BuildSummaryArgs(builds=3)).needs()["query"].args == {"limit": 3}


def test_steady_durations_are_called_so() -> None:
    """Less than a tenth is no trend; fewer than four builds have none."""
    assert rows(shown(job("a", "SSSS", seconds=(100, 100, 105, 105))))[0][-1] == "steady"
    assert rows(shown(job("a", "SSS", seconds=(100, 100, 300))))[0][-1] == "n/a"


def test_rows_of_another_datasource_are_refused() -> None:
    """The message says which plugin the datasource must have."""
    with pytest.raises(ViewError, match="must have plugin jenkins"):
        shown(pd.DataFrame({"a": [1]}))


def test_a_broken_pattern_is_told_before_the_run() -> None:
    """Regular expressions are checked with the file."""
    with pytest.raises(ValidationError, match="no regular expression"):
        BuildSummaryArgs.model_validate({"filters": {"name": ["ok", "("]}})
