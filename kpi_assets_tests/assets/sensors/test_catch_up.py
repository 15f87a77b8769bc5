"""Catch-up after outages: pure decisions at fixed moments, and one look of the sensor at real records."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.runs import EditionRun
from kpi_assets.assets.sensors.catch_up import (
    ABSENCE,
    AT_ONCE,
    GRACE,
    TRIES,
    CatchUp,
    CatchUpCursor,
    catch_up,
    catch_up_sensor,
)
from kpi_assets.assets.windows import NOTIFY_TAG
from kpi_assets.contracts import Window
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import Bell, Desk, make_plan

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2024, 11, 1, 12, tzinfo=UTC)
"""A moment between two ticks."""


def daily(folder: Path, cron: str = "0 6 * * *", **config: Any) -> ReportPlan:
    return make_plan(
        folder, outputs={"desk": Desk, "bell": Bell}, config={"schedule": {"cron": cron}, **config}
    )


class Story:
    """A report, its sensor and its runs, over time."""

    def __init__(self, plan: ReportPlan) -> None:
        self.plan = plan
        self.cursor: CatchUpCursor | None = None
        self.runs: dict[Window, list[EditionRun]] = defaultdict(list)
        self.made: list[tuple[str, bool]] = []

    def look(self, now: datetime, *, scheduled: bool = True) -> CatchUp:
        found = catch_up(self.plan, self.cursor, lambda w: self.runs[w], now=now, scheduled=scheduled)
        self.cursor = CatchUpCursor.read(str(found.cursor))
        return found

    def after_an_outage(self, now: datetime) -> CatchUp:
        """The look at which the sensor is back, and the next."""
        self.look(now)
        return self.look(now + MINUTE)

    def finish(self, found: CatchUp, now: datetime, state: Any = "done") -> None:
        for window, notify in found.editions:
            self.made.append((window.key, notify))
            self.runs[window].append(EditionRun("r", state, notify, now, now))


def keys_of(found: CatchUp) -> list[tuple[str, bool]]:
    return [(window.key, notify) for window, notify in found.editions]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("latest", {"2024-11-04"}),
        ("all", {"2024-11-01", "2024-11-02", "2024-11-03", "2024-11-04"}),
        ("none", set()),
    ],
)
def test_what_was_missed_is_made_and_people_get_what_yaml_says(
    tmp_path: Path, policy: str, told: set[str]
) -> None:
    """After an outage over four ticks all four editions are made, oldest first; people get the last, all or none."""
    story = Story(daily(tmp_path, catch_up=policy))
    story.look(START)
    found = story.after_an_outage(START + 4 * DAY)
    assert [key for key, _ in keys_of(found)] == ["2024-11-01", "2024-11-02", "2024-11-03", "2024-11-04"]
    assert {key for key, notify in keys_of(found) if notify} == told
    story.finish(found, START + 4 * DAY)
    assert not story.look(START + 4 * DAY + 2 * MINUTE).editions


def test_the_first_look_misses_nothing(tmp_path: Path) -> None:
    """A report that is new has no missed editions, however long its partitions go back."""
    story = Story(daily(tmp_path))
    assert not story.look(START).editions
    assert not story.look(START + MINUTE).editions


def test_the_schedule_has_its_turn_first(tmp_path: Path) -> None:
    """No edition counts as missed within ten minutes of its tick, nor on the look after an absence."""
    story = Story(daily(tmp_path))
    tick = datetime(2024, 11, 2, 6, tzinfo=UTC)
    story.look(tick - MINUTE)
    assert not story.look(tick + MINUTE).editions
    story.cursor = CatchUpCursor(tick - MINUTE, tick + GRACE - MINUTE)
    assert keys_of(story.look(tick + GRACE)) == [("2024-11-01", True)]
    story.cursor = CatchUpCursor(tick - MINUTE, tick + GRACE)
    assert not story.look(tick + GRACE + ABSENCE + MINUTE).editions


def test_an_edition_that_is_made_is_not_missed(tmp_path: Path) -> None:
    """What a run has made, or is making, is not made again; the cursor waits for what is under way."""
    story = Story(daily(tmp_path))
    story.look(START)
    first, second = story.plan.window("2024-11-01"), story.plan.window("2024-11-02")
    story.runs[first].append(EditionRun("a", "done", delivers=False))
    story.runs[second].append(EditionRun("b", "running", delivers=True))
    assert not story.after_an_outage(START + 2 * DAY).editions
    assert story.cursor
    assert story.cursor.settled == datetime(2024, 11, 2, 6, tzinfo=UTC)
    story.runs[second][0] = EditionRun("b", "done", delivers=True)
    now = START + 2 * DAY + 2 * MINUTE
    story.look(now)
    assert story.cursor.settled == now - GRACE


def test_a_long_outage_is_made_up_for_in_small_steps(tmp_path: Path) -> None:
    """Of a year only the last 31 days are made, five at a time, each once, and people get one edition."""
    story = Story(daily(tmp_path))
    story.look(START)
    now = START + 365 * DAY
    story.look(now)
    for _ in range(20):
        now += MINUTE
        found = story.look(now)
        assert len(found.editions) <= AT_ONCE
        story.finish(found, now)
    days = [key for key, _ in story.made]
    assert days == [str((START + (365 - 31 + n) * DAY).date()) for n in range(31)]
    assert [key for key, notify in story.made if notify] == [days[-1]]


def test_no_more_than_five_at_once(tmp_path: Path) -> None:
    """While runs of catch-up are under way only as many are added as there is room for."""
    story = Story(daily(tmp_path))
    story.look(START)
    now = START + 9 * DAY
    story.finish(story.after_an_outage(now), now, "running")
    assert len(story.made) == AT_ONCE
    assert not story.look(now + 2 * MINUTE).editions


def test_a_week_switched_off_floods_nobody(tmp_path: Path) -> None:
    """Sensor and schedule off for a week: nothing is missed. The sensor alone: the missed are made, one is told."""
    story = Story(daily(tmp_path))
    story.look(START)
    story.look(START + 7 * DAY, scheduled=False)
    assert not story.after_an_outage(START + 7 * DAY + MINUTE).editions

    other = Story(daily(tmp_path))
    other.look(START)
    found = other.after_an_outage(START + 3 * DAY)
    assert [notify for _, notify in keys_of(found)] == [False, False, True]


def test_what_failed_is_tried_again_and_then_left(tmp_path: Path) -> None:
    """A failed edition is made again after one hour, then after two more; after three failures it is left alone."""
    story = Story(daily(tmp_path))
    story.look(START)
    story.cursor = CatchUpCursor(START, START + DAY)
    now, times = START + DAY, list[float]()
    while now < START + 2 * DAY - 6 * HOUR - GRACE:
        found = story.look(now)
        if found.editions:
            times.append((now - START - DAY) / HOUR)
            story.finish(found, now, "failed")
        now += 5 * MINUTE
    assert times == [0, 1, 3]
    assert len(times) == TRIES


def test_weekly_reports_miss_weeks(tmp_path: Path) -> None:
    """Ticks decide: nine days without a Monday miss nothing, with one they miss one edition."""
    story = Story(daily(tmp_path, "0 6 * * 1"))
    story.look(datetime(2024, 11, 4, 7, tzinfo=UTC))
    assert keys_of(story.after_an_outage(datetime(2024, 11, 13, 7, tzinfo=UTC))) == [("2024-11-10", True)]


def test_the_sensor_asks_dagster(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    """Evaluated by Dagster with its cursor: requests with partition and tags; nothing while the schedule is stopped."""
    plan = daily(tmp_path)
    now = START
    sensor = catch_up_sensor(plan, clock=lambda: now)
    assert sensor
    repository = build_definitions([plan]).get_repository_def()

    def look(cursor: str | None) -> Any:
        return sensor.evaluate_tick(dg.build_sensor_context(kept, cursor=cursor, repository_def=repository))

    first = look(None)
    assert "from now on" in str(first.skip_message)
    now = START + 2 * DAY
    back = look(first.cursor)
    assert "just back" in str(back.skip_message)
    now += MINUTE
    requests = look(back.cursor).run_requests
    assert [(r.partition_key, r.tags[NOTIFY_TAG]) for r in requests] == [
        ("2024-11-01", "false"),
        ("2024-11-02", "true"),
    ]
    assert {r.tags["kpi_assets/report"] for r in requests} == {"weekly"}
