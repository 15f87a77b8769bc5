"""Runs that have fallen silent are ended; others are left alone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets import heartbeat
from kpi_assets.assets.heartbeat import heartbeat_lease, keep_alive
from kpi_assets.assets.resources import KpiAssetsResource
from kpi_assets.assets.sensors.lost_runs import end_lost_runs, lost_runs_sensor
from kpi_assets.errors import InputError
from kpi_assets.ledger.database import open_database
from kpi_assets.ledger.heartbeats import Heartbeats

NOW = datetime(2024, 11, 25, 6, 0, tzinfo=UTC)
LEASE = timedelta(seconds=45)


@pytest.fixture(autouse=True)
def _lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(heartbeat.VARIABLE, "45")


@pytest.fixture
def book(tmp_path: Path) -> Heartbeats:
    return Heartbeats(open_database(tmp_path, {}))


def run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = instance.create_run_for_job(empty_job, status=status)
    return run.run_id


@dg.job
def empty_job() -> None:
    """No op."""


def test_a_silent_run_is_ended(tmp_path: Path, book: Heartbeats) -> None:
    """Of three started runs, the one whose last sign no longer holds is failed; one that never gave any is not ours."""
    with dg.DagsterInstance.ephemeral() as instance:
        silent, alive, stranger = (run_of(instance, dg.DagsterRunStatus.STARTED) for _ in range(3))
        book.beat(silent, "worker-1", until=NOW - timedelta(seconds=1))
        book.beat(alive, "worker-2", until=NOW + LEASE)
        assert end_lost_runs(instance, KpiAssetsResource(home=str(tmp_path)), NOW) == (silent,)
        states = [instance.get_run_by_id(run) for run in (silent, alive, stranger)]
        assert [run and run.status.value for run in states] == ["FAILURE", "STARTED", "STARTED"]
        said = [
            str(entry.dagster_event and entry.dagster_event.message) for entry in instance.all_logs(silent)
        ]
        assert any("The worker on worker-1 was lost" in message for message in said)


def test_a_run_that_is_over_is_never_ended_again(tmp_path: Path, book: Heartbeats) -> None:
    """Its last sign lies about, and nothing happens."""
    with dg.DagsterInstance.ephemeral() as instance:
        done = run_of(instance, dg.DagsterRunStatus.SUCCESS)
        book.beat(done, "worker-1", until=NOW - LEASE)
        assert end_lost_runs(instance, KpiAssetsResource(home=str(tmp_path)), NOW) == ()


def test_a_sign_of_life_moves_on_and_is_forgotten_in_the_end(book: Heartbeats) -> None:
    """The last sign counts, from wherever it comes; two days after it there is nothing left."""
    book.beat("run", "one", until=NOW)
    book.beat("run", "two", until=NOW + LEASE)
    assert book.silent(["run"], now=NOW) == {}
    assert book.silent(["run"], now=NOW + LEASE) == {"run": "two"}
    assert book.silent(["run"], now=NOW + timedelta(days=3)) == {}


def test_a_run_gives_signs_until_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is given at once; when Dagster says that the run has ended, its thread ends."""
    monkeypatch.setenv(heartbeat.VARIABLE, "4")
    with dg.DagsterInstance.ephemeral() as instance:
        run = run_of(instance, dg.DagsterRunStatus.STARTED)
        keep_alive(instance, run, tmp_path)
        keep_alive(instance, run, tmp_path)
        threads = [thread for thread in threading.enumerate() if thread.name == f"heartbeat {run}"]
        assert len(threads) == 1
        found = instance.get_run_by_id(run)
        assert found
        instance.report_run_canceled(found)
        threads[0].join(60)
        assert not threads[0].is_alive()
    book = Heartbeats(open_database(tmp_path, {}))
    assert set(book.silent([run], now=datetime.now(UTC) + timedelta(minutes=1))) == {run}


def test_without_the_variable_there_are_no_signs_and_no_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one machine Dagster sees its runs itself."""
    monkeypatch.delenv(heartbeat.VARIABLE)
    assert heartbeat_lease({}) is None
    assert lost_runs_sensor(KpiAssetsResource()) is None


@pytest.mark.parametrize("text", ["soon", "3", "-45", "1.5"])
def test_a_lease_that_is_no_time_is_refused(text: str) -> None:
    """The message says what to write."""
    with pytest.raises(InputError, match="write whole seconds, at least 4"):
        heartbeat_lease({heartbeat.VARIABLE: text})
