"""What tests of the Dagster side share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets.instance import open_instance
from kpi_assets_tests.assets.reports import ENVIRON


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose Dagster records have been made once: making the tables takes a second."""
    home = tmp_path_factory.mktemp("furnished")
    with open_instance(home, {}):
        pass
    return home


@pytest.fixture
def home(tmp_path: Path, _furnished: Path) -> Path:
    """`$KPI_ASSETS_HOME` of a test, without editions."""
    return Path(shutil.copytree(_furnished, tmp_path / "home"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def kept(home: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance on files, as schedules and sensors need it."""
    with open_instance(home, {}) as instance:
        yield instance
