"""A ledger on each of the databases that it can lie in."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpi_assets.ledger.store import Ledger, open_ledger
from kpi_assets_tests.ledger.worlds import Clock


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that names the ledger's database."""
    if request.param == "sqlite":
        return {}
    return {"KPI_ASSETS_LEDGER": request.getfixturevalue("postgres").url}


@pytest.fixture
def ledger(tmp_path: Path, environ: dict[str, str]) -> Ledger:
    return open_ledger(tmp_path, environ)


@pytest.fixture
def clock() -> Clock:
    return Clock()
