"""A report file that cannot be loaded still shows in the graph: a document that says why. The others load.

No `from __future__ import annotations` here: Dagster reads the annotation of `context`.
"""

from typing import Any

import dagster as dg

from kpi_assets.assets import keys
from kpi_assets.assets.markdown import told


def broken_asset(report: str, reason: str) -> dg.AssetsDefinition:
    """Stands for a report that cannot be loaded; materializing it raises the reason."""
    spec = dg.AssetSpec(
        keys.document_key(report),
        description=f"This report cannot be loaded.\n\n{told(reason)}",
        group_name=report,
        kinds={"broken"},
    )

    @dg.multi_asset(name=keys.step_name(report, "broken"), specs=[spec])
    def explain(context: dg.AssetExecutionContext) -> Any:
        del context
        raise dg.Failure(reason, allow_retries=False)

    return explain
