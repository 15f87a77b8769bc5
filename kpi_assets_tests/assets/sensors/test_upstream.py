"""The upstream sensor waits for the whole window of the assets that a report reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.runs import EditionRun
from kpi_assets.assets.schedules import report_schedule
from kpi_assets.assets.sensors.catch_up import catch_up_sensor
from kpi_assets.assets.sensors.upstream import (
    Source,
    Waiting,
    look_upstream,
    needed_partitions,
    sources_of,
    upstream_sensor,
)
from kpi_assets.contracts import Window
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import days_between, make_plan

DAY = timedelta(days=1)
NOW = datetime(2024, 11, 25, 7, tzinfo=UTC)
RAW = dg.AssetKey(["dbt", "signups"])


def waiting(folder: Path, **config: Any) -> ReportPlan:
    plan = make_plan(folder, config={"upstream": True, **config})
    queries = tuple(replace(query, table_assets={"signups": "dbt/signups"}) for query in plan.queries)
    return replace(plan, queries=queries)


class World:
    """What the sources have, day by day, and which runs there were."""

    def __init__(self, plan: ReportPlan) -> None:
        self.plan = plan
        self.days: set[str] = set()
        self.updated: datetime | None = None
        self.runs: dict[Window, list[EditionRun]] = defaultdict(list)
        self.since: datetime | None = None

    def sources(self, window: Window) -> Sequence[Source]:
        if self.updated:
            late = ("newer rows",) if self.updated < window.ends_at else ()
            return [Source("dbt/signups", late, self.updated)]
        return [
            Source("dbt/signups", tuple(d.isoformat() for d in window.days if d.isoformat() not in self.days))
        ]

    def look(self, now: datetime) -> Waiting:
        found = look_upstream(self.plan, self.since, self.sources, lambda w: self.runs[w], now=now)
        self.since = found.since
        for window, _ in found.editions:
            self.runs[window].append(EditionRun("r", "done", True, now, now))
        return found


def keys_of(found: Waiting) -> list[tuple[str, bool]]:
    return [(window.key, notify) for window, notify in found.editions]


def test_six_of_seven_days_are_not_enough(tmp_path: Path) -> None:
    """Six of the window's seven days: nothing, and the reason names the missing one; seven: one request."""
    world = World(waiting(tmp_path))
    world.days = {*days_between("2024-11-18", "2024-11-23")}
    found = world.look(NOW)
    assert (keys_of(found), found.reason) == (
        [],
        "edition 2024-11-24 waits for dbt/signups (2024-11-24)",
    )
    world.days.add("2024-11-24")
    assert keys_of(world.look(NOW)) == [("2024-11-24", True)]
    assert keys_of(world.look(NOW)) == []


def test_the_first_look_does_not_go_back(tmp_path: Path) -> None:
    """With years of history only the newest edition is made when the sensor is first switched on."""
    world = World(waiting(tmp_path))
    world.days = {*days_between("2024-01-01", "2024-11-24")}
    assert keys_of(world.look(NOW)) == [("2024-11-24", True)]
    assert keys_of(world.look(NOW + timedelta(hours=1))) == []


@pytest.mark.parametrize(
    ("policy", "told"), [("latest", [False, False, True]), ("all", [True] * 3), ("none", [False] * 3)]
)
def test_late_days_are_made_up_for(tmp_path: Path, policy: str, told: list[bool]) -> None:
    """Three days that arrive together make three editions; people get them as `catch_up` says."""
    world = World(waiting(tmp_path, catch_up=policy))
    world.days = {*days_between("2024-11-01", "2024-11-24")}
    world.look(NOW)
    assert keys_of(world.look(NOW + 3 * DAY)) == []
    world.days |= {"2024-11-25", "2024-11-26", "2024-11-27"}
    found = world.look(NOW + 3 * DAY)
    assert keys_of(found) == list(zip(["2024-11-25", "2024-11-26", "2024-11-27"], told, strict=True))


def test_a_week_switched_off_floods_nobody(tmp_path: Path) -> None:
    """After ten days off at most five editions are made at once, and people get one."""
    world = World(waiting(tmp_path))
    world.days = {*days_between("2024-11-01", "2024-12-31")}
    world.look(NOW)
    made = [
        edition
        for minute in range(5)
        for edition in keys_of(world.look(NOW + 10 * DAY + minute * DAY / 1440))
    ]
    assert [key for key, _ in made] == days_between("2024-11-25", "2024-12-04")
    assert [key for key, notify in made if notify] == ["2024-12-04"]


def test_a_table_without_partitions_must_be_newer_than_the_window(tmp_path: Path) -> None:
    """Made before the window's end it is too old; made again after the edition, the edition is made again."""
    world = World(waiting(tmp_path))
    world.updated = datetime(2024, 11, 24, 23, tzinfo=UTC)
    assert keys_of(world.look(NOW)) == []
    world.updated = datetime(2024, 11, 25, 1, tzinfo=UTC)
    assert keys_of(world.look(NOW)) == [("2024-11-24", True)]
    assert keys_of(world.look(NOW)) == []
    world.updated = NOW + timedelta(hours=1)
    assert keys_of(world.look(NOW + timedelta(hours=2))) == [("2024-11-24", True)]


def test_what_failed_is_not_tried_for_ever(tmp_path: Path) -> None:
    """An edition whose run failed is left to Dagster's retries and to people."""
    world = World(waiting(tmp_path))
    world.days = {*days_between("2024-11-01", "2024-11-24")}
    world.runs[world.plan.window("2024-11-24")].append(EditionRun("r", "failed", True, NOW, NOW))
    found = world.look(NOW)
    assert (keys_of(found), found.reason) == ([], "edition 2024-11-24 failed and is not tried again here")


def test_a_schedule_says_not_before(tmp_path: Path) -> None:
    """With `schedule:` the editions are those of its ticks, not before their time; there is no other schedule then."""
    plan = waiting(tmp_path, schedule={"cron": "0 6 * * 1"})
    assert report_schedule(plan) is None
    assert catch_up_sensor(plan) is None
    world = World(plan)
    world.days = {*days_between("2024-11-01", "2024-12-31")}
    assert keys_of(world.look(NOW)) == [("2024-11-24", True)]
    assert keys_of(world.look(NOW + 6 * DAY)) == []
    assert keys_of(world.look(NOW + 7 * DAY)) == [("2024-12-01", True)]


def test_what_covers_a_window(tmp_path: Path) -> None:
    """Days by their dates, hours by the clock; an asset that nobody here knows is read off its partitions."""
    window = Window.of_day(datetime(2024, 3, 31).date(), "Europe/Berlin")
    daily = dg.DailyPartitionsDefinition("2024-01-01", timezone="UTC")
    assert needed_partitions(daily, [], window) == ["2024-03-31"]
    hourly = dg.HourlyPartitionsDefinition("2024-01-01-00:00", timezone="Europe/Berlin")
    assert len(needed_partitions(hourly, [], window)) == 23
    assert needed_partitions(None, ["2024-01-01"], window) == ["2024-03-31"]
    hours = needed_partitions(None, ["2024-01-01-00:00"], window)
    assert hours == list(
        hourly.get_partition_keys_in_time_window(dg.TimeWindow(window.starts_at, window.ends_at))
    )
    assert needed_partitions(None, ["de", "fr"], window) == []
    assert needed_partitions(dg.StaticPartitionsDefinition(["de"]), ["de"], window) == []


def test_the_sensor_asks_dagster(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    """With real materializations of an asset of the same code location: 6 of 7 days nothing, 7 of 7 one request."""
    plan = waiting(tmp_path)
    raw = dg.AssetSpec(RAW, partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
    repository = dg.Definitions.merge(build_definitions([plan]), dg.Definitions([raw])).get_repository_def()
    sensor = upstream_sensor(plan, clock=lambda: NOW)
    assert sensor
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    for day in days_between("2024-11-18", "2024-11-23"):
        kept.report_runless_asset_event(dg.AssetMaterialization(RAW, partition=day))
    context = dg.build_sensor_context(kept, repository_def=repository)
    assert "waits for dbt/signups (2024-11-24)" in str(sensor.evaluate_tick(context).skip_message)
    kept.report_runless_asset_event(dg.AssetMaterialization(RAW, partition="2024-11-24"))
    requests = sensor.evaluate_tick(context).run_requests or ()
    assert [request.partition_key for request in requests] == ["2024-11-24"]


def test_tables_without_partitions_are_known_by_their_last_time(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    """Never made: missing. Made just now: there, with the moment, for a window of 2024; too old for one of 2099."""
    window = waiting(tmp_path).window("2024-11-24")
    (before,) = sources_of(kept, [RAW], lambda _: None, window)
    assert before.missing == ("never materialized",)
    kept.report_runless_asset_event(dg.AssetMaterialization(RAW))
    (after,) = sources_of(kept, [RAW], lambda _: None, window)
    assert after.missing == ()
    assert after.updated
    assert after.updated > window.ends_at
    (old,) = sources_of(kept, [RAW], lambda _: None, waiting(tmp_path).window("2099-11-24"))
    said = f"last materialized {after.updated:%Y-%m-%d %H:%M} UTC, before the end of 2099-11-24"
    assert old.missing == (said,)


def test_mapped_tables_alone_switch_nothing_on(tmp_path: Path) -> None:
    """Without `upstream: true` the sensor is there, and off; without mapped tables there is none."""
    sensor = upstream_sensor(waiting(tmp_path, upstream=False))
    assert sensor
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert upstream_sensor(make_plan(tmp_path)) is None
