"""What happened -> outcomes of asset checks. A range of editions is one outcome that names the editions at fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from kpi_assets.assets import specs
from kpi_assets.contracts import Window
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline import Fetched
from kpi_assets.plan import ReportPlan

SHOWN = 10
"""How many editions at fault are listed."""


def of_query(plan: ReportPlan, key: dg.AssetKey, fetched: Fetched) -> list[dg.AssetCheckResult]:
    """The outcomes of a query's checks; a query that failed has only the one that says so."""
    answered = plan.config.on_view_error == "placeholder"
    if fetched.error:
        reason = {"queries": str(fetched.error)}
        return [_outcome(key, specs.ANSWERED, reason, dg.AssetCheckSeverity.ERROR)] if answered else []
    outcomes = [_outcome(key, specs.ANSWERED, {}, dg.AssetCheckSeverity.ERROR)] if answered else []
    empty = {edition: "no rows" for edition, frame in fetched.frames.items() if not frame.rows}
    outcomes.append(_outcome(key, specs.NOT_EMPTY, empty, dg.AssetCheckSeverity.WARN))
    if fetched.query.query.columns:
        broken = {edition: "; ".join(found) for edition, found in fetched.violations.items() if found}
        outcomes.append(_outcome(key, specs.CONTRACT, broken, dg.AssetCheckSeverity.ERROR))
    return outcomes


def of_view(
    plan: ReportPlan, key: dg.AssetKey, failed: Sequence[tuple[Window, KpiAssetsError]]
) -> list[dg.AssetCheckResult]:
    """Under the policy `placeholder`: could the view be made in every edition?"""
    if plan.config.on_view_error != "placeholder":
        return []
    reasons = {plan.edition(window): str(error) for window, error in failed}
    return [_outcome(key, specs.RENDERED, reasons, dg.AssetCheckSeverity.ERROR)]


def _outcome(
    key: dg.AssetKey, name: str, faults: Mapping[str, str], severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not faults,
        asset_key=key,
        check_name=name,
        severity=severity,
        description="\n".join(_listed(faults)) or None,
        metadata={"editions at fault": len(faults)} if faults else None,
    )


def _listed(faults: Mapping[str, str]) -> Iterator[str]:
    for edition, reason in list(faults.items())[:SHOWN]:
        yield f"{edition}: {reason}"
    if len(faults) > SHOWN:
        yield f"and {len(faults) - SHOWN} more"
