from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_analysis_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every analysis is made anew, and no folder is written in."""
    monkeypatch.setenv("KPI_ASSETS_ANALYSIS_CACHE", "")
