"""For authors of plugins: suites of tests to subclass, fakes that record, and the checks behind both.

`DatasourceSuite`, `ViewSuite` and `OutputSuite` need pytest; docs/plugins.md shows their use. Nothing else here does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_assets.testing.blocks import assert_honest_block, block_problems
    from kpi_assets.testing.datasources import DatasourceSuite
    from kpi_assets.testing.fakes import FakeDatasource, FakeMessenger, FakeOutput, fake_session
    from kpi_assets.testing.outputs import OutputSuite
    from kpi_assets.testing.samples import WEEK, sample_context, sample_document
    from kpi_assets.testing.views import ViewSuite

_HOMES = {
    "DatasourceSuite": "datasources",
    "FakeDatasource": "fakes",
    "FakeMessenger": "fakes",
    "FakeOutput": "fakes",
    "OutputSuite": "outputs",
    "ViewSuite": "views",
    "WEEK": "samples",
    "assert_honest_block": "blocks",
    "block_problems": "blocks",
    "fake_session": "fakes",
    "sample_context": "samples",
    "sample_document": "samples",
}

__all__ = [
    "WEEK",
    "DatasourceSuite",
    "FakeDatasource",
    "FakeMessenger",
    "FakeOutput",
    "OutputSuite",
    "ViewSuite",
    "assert_honest_block",
    "block_problems",
    "fake_session",
    "sample_context",
    "sample_document",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kpi_assets.testing' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"kpi_assets.testing.{_HOMES[name]}"), name)
