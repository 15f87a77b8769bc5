"""The sensor that tells owners, on real Dagster records and a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kpi_assets.assets import keys
from kpi_assets.assets.build import build_definitions
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.run import QUIET, materialize_editions
from kpi_assets.assets.runs import call_tags, run_request
from kpi_assets.assets.sensors.owner import FRESH, Look, OwnerCursor, look_at_runs, owner_sensor
from kpi_assets.assets.windows import BACKFILL_TAG
from kpi_assets.plan import ReportPlan
from kpi_assets.session import open_session
from kpi_assets_tests.assets.reports import SECRET, SumArgs, make_plan, with_source
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server
from kpi_assets_tests.owners import OWNER, notes_in, owned_plan

URL = "https://dagster.example.com"


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[MailPeer]:
    with mail_server(tmp_path, starttls=False) as running:
        yield running


class Desk:
    """A code location: runs editions and lets the sensor look."""

    def __init__(self, instance: dg.DagsterInstance, home: Path) -> None:
        self.instance, self.home = instance, home
        self.cursor: OwnerCursor | None = OwnerCursor(datetime.now(UTC))

    def run(self, plan: ReportPlan, key: str, **tags: str) -> str:
        request = run_request(plan, plan.window(key), notify=True)
        home = KpiAssetsResource(home=str(self.home))
        job = build_definitions([plan], home=home).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=keys.all_keys(plan),
            partition_key=key,
            tags={**request.tags, **tags},
            run_config=QUIET,
            raise_on_error=False,
        ).run_id

    def look(self, *plans: ReportPlan, later: timedelta = timedelta(0)) -> Look:
        found = look_at_runs(
            plans,
            self.instance,
            self.cursor,
            now=datetime.now(UTC) + later,
            base_url=URL,
            session=lambda plan: open_session(plan, self.home),
        )
        self.cursor = OwnerCursor.read(str(found.cursor))
        return found


@pytest.fixture
def desk(kept: dg.DagsterInstance, home: Path) -> Desk:
    return Desk(kept, home)


def test_a_failed_run_and_its_recovery_are_told_once(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """The failing asset, the error without its secret and the run's link once; then, once, that all is well."""
    good = owned_plan(tmp_path, peer)
    bad = with_source(good, fail=True)
    run = desk.run(bad, "2024-11-24")
    for _ in range(2):
        desk.look(good)
    ((subject, text),) = notes_in(peer)
    assert subject == "[kpi-assets] weekly: edition 2024-11-24 failed"
    assert f"Run: {URL}/runs/{run}" in text
    assert "weekly/queries/signups" in text
    assert "no such table: signups" in text
    assert SECRET not in text

    desk.run(good, "2024-11-25")
    for _ in range(2):
        desk.look(good)
    assert [subject for subject, _ in notes_in(peer)][1:] == [
        "[kpi-assets] weekly is well again: edition 2024-11-25 is done"
    ]


def test_a_backfill_is_told_once(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """Two runs of one backfill fail: one note, which names the backfill."""
    plan = with_source(owned_plan(tmp_path, peer), fail=True)
    for day in ("2024-11-23", "2024-11-24"):
        desk.run(plan, day, **{BACKFILL_TAG: "abc"})
    desk.look(plan)
    ((_, text),) = notes_in(peer)
    assert "Backfill: abc" in text


def test_a_run_that_will_be_retried_is_not_told(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """Dagster's own retries come first; the owner hears of the last try."""
    plan = with_source(owned_plan(tmp_path, peer), fail=True)
    retried = {"dagster/max_retries": "1", "dagster/retry_on_asset_or_op_failure": "true"}
    desk.run(plan, "2024-11-24", **retried)
    desk.look(plan)
    assert peer.posts == []


def test_a_placeholder_is_told(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """Under `on_view_error: placeholder` the run is green, and the owner hears which view could not be made."""
    views = {"per_day": SumArgs(), "total": SumArgs(fail_on=("2024-11-24",))}
    plan = owned_plan(tmp_path, peer, policy="placeholder", views=views)
    desk.run(plan, "2024-11-24")
    desk.look(plan)
    ((subject, text),) = notes_in(peer)
    assert subject == "[kpi-assets] weekly: edition 2024-11-24 went out incomplete"
    assert "weekly/views/total" in text
    assert "all text" in text


def test_a_week_switched_off_floods_nobody(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """Failures from before the sensor was first on, or older than six hours when it is on again, are not told."""
    plan = with_source(owned_plan(tmp_path, peer), fail=True)
    desk.run(plan, "2024-11-23")
    desk.cursor = None
    desk.look(plan)
    desk.run(plan, "2024-11-24")
    desk.look(plan, later=timedelta(days=7))
    desk.look(plan, later=timedelta(days=7))
    assert peer.posts == []
    assert timedelta(days=7) > FRESH


def test_the_command_line_and_the_sensor_tell_once(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """Runs of one call are one incident; runs of a call that tells nobody are told by nobody."""
    plan = with_source(owned_plan(tmp_path, peer), fail=True)
    windows = [plan.window(day) for day in ("2024-11-20", "2024-11-24")]
    quiet = call_tags("1", tells=False)
    materialize_editions(plan, windows, home=desk.home, environ={}, tags=quiet)
    desk.look(plan)
    assert peer.posts == []
    materialize_editions(plan, windows, home=desk.home, environ={}, tags=call_tags("2", tells=True))
    desk.look(plan)
    assert len(peer.posts) == 1


def test_an_owner_who_could_not_be_told_is_told_later(tmp_path: Path, peer: MailPeer, desk: Desk) -> None:
    """While the mail server refuses, the sensor says why and goes on; when it takes mail again, the owner is told."""
    plan = with_source(owned_plan(tmp_path, peer), fail=True)
    desk.run(plan, "2024-11-24")
    peer.answers[OWNER] = "451 later"
    assert "451 later" in desk.look(plan).troubles[0]
    peer.answers.clear()
    assert desk.look(plan).told
    assert not desk.look(plan).told
    assert len(peer.posts) == 1


def test_only_owned_reports_have_the_sensor(tmp_path: Path, peer: MailPeer, kept: dg.DagsterInstance) -> None:
    """One sensor per code location, on by default, and none where nobody can be told. Its first look tells nothing."""
    home = KpiAssetsResource(home=str(tmp_path))
    unowned = make_plan(tmp_path, "other")
    assert owner_sensor([unowned], home, URL) is None
    sensor = owner_sensor([unowned, owned_plan(tmp_path, peer)], home, URL)
    assert sensor
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    data: Any = sensor.evaluate_tick(dg.build_sensor_context(kept))
    assert data.skip_message == "no news"
    assert OwnerCursor.read(data.cursor)


def test_unexpected_errors_are_not_repeated(
    tmp_path: Path, peer: MailPeer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no error of ours is told by its kind alone: its text may hold anything."""

    def broken(*anything: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr("kpi_assets.assets.stages.compose_documents", broken)
    plan = owned_plan(tmp_path, peer)
    desk.run(plan, "2024-11-24")
    desk.look(plan)
    ((_, text),) = notes_in(peer)
    assert "weekly__document" in text
    assert "unexpected error (ZeroDivisionError)" in text
    assert "hunter2" not in text
