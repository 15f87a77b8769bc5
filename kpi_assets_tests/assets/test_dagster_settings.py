"""The settings of Dagster that we write or ship: every key of them is loaded, and means what its comment says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus

from kpi_assets.assets.instance import prepare_dagster_home
from kpi_assets_tests.servers import Database

DEPLOY = Path(__file__).parents[2] / "deploy"


def check(instance: dg.DagsterInstance, *, at_once: int, longest: int, level: str | None) -> None:
    """What all three have in common, and what differs."""
    assert instance.managed_python_loggers == ["kpi_assets"]
    assert instance.python_log_level == level
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_resume_run_attempts == 0
    assert instance.run_monitoring_max_runtime_seconds == longest
    assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 2)
    assert instance.run_retries_retry_on_asset_or_op_failure is False
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == at_once
    assert instance.get_tick_retention_settings(InstigatorType.SENSOR) == {
        TickStatus.STARTED: -1,
        TickStatus.SKIPPED: 3,
        TickStatus.FAILURE: 30,
        TickStatus.SUCCESS: 90,
    }
    assert set(instance.get_tick_retention_settings(InstigatorType.SCHEDULE).values()) == {90}
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_what_a_fresh_home_gets(tmp_path: Path) -> None:
    """The settings that are written into a new home load as they are meant."""
    folder = prepare_dagster_home(tmp_path, {})
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        check(instance, at_once=4, longest=86400, level=None)


def test_an_old_home_keeps_its_own(tmp_path: Path) -> None:
    """A file that is there already is never touched."""
    file = prepare_dagster_home(tmp_path, {}) / "dagster.yaml"
    file.write_text("telemetry: {enabled: false}\n")
    prepare_dagster_home(tmp_path, {})
    assert file.read_text() == "telemetry: {enabled: false}\n"


@pytest.mark.postgres
@pytest.mark.parametrize(("kind", "at_once"), [("docker", 4), ("celery", 8)])
def test_what_deployments_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Database, kind: str, at_once: int
) -> None:
    """The settings of each deployment load as they are meant, on PostgreSQL."""
    with deployed(tmp_path, monkeypatch, postgres, kind) as instance:
        check(instance, at_once=at_once, longest=14400, level="INFO")
        assert "Postgres" in type(instance.run_storage).__name__
        assert (type(instance.run_launcher).__name__ == "CeleryRunLauncher") == (kind == "celery")


@contextmanager
def deployed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, postgres: Database, kind: str
) -> Iterator[dg.DagsterInstance]:
    shutil.copy(DEPLOY / kind / "dagster.yaml", folder)
    settings = {
        "DAGSTER_POSTGRES_HOST": postgres.host,
        "DAGSTER_POSTGRES_USER": postgres.user,
        "DAGSTER_POSTGRES_PASSWORD": postgres.password,
        "DAGSTER_POSTGRES_DB": postgres.database,
        "KPI_ASSETS_BROKER": "redis://127.0.0.1:1/0",
        "KPI_ASSETS_BROKER_RESULTS": "redis://127.0.0.1:1/1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance
