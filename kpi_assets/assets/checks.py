"""What happened -> outcomes of asset checks. A range of editions is one outcome that names the editions at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import dagster as dg

from kpi_assets.assets import specs
from kpi_assets.contracts import Window
from kpi_assets.errors import KpiAssetsError
from kpi_assets.frames.heal import HealedFrame
from kpi_assets.pipeline import Composed, Fetched
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
    outcomes.append(_same_columns(key, fetched.frames.values()))
    if fetched.query.query.columns:
        broken = {edition: "; ".join(found) for edition, found in fetched.violations.items() if found}
        outcomes.append(_outcome(key, specs.CONTRACT, broken, dg.AssetCheckSeverity.ERROR))
    return outcomes


def of_personal_query(
    plan: ReportPlan, key: dg.AssetKey, parts: Sequence[Fetched]
) -> list[dg.AssetCheckResult]:
    """The same for a query that is asked for each recipient: one outcome that names those at fault."""
    failed = {_whose(part): str(part.error) for part in parts if part.error}
    outcomes = [_outcome(key, specs.ANSWERED, failed, dg.AssetCheckSeverity.ERROR)]
    empty = {
        f"{edition}, {_whose(part)}": "no rows"
        for part in parts
        for edition, frame in part.frames.items()
        if not frame.rows
    }
    outcomes.append(_outcome(key, specs.NOT_EMPTY, empty, dg.AssetCheckSeverity.WARN))
    outcomes.append(_same_columns(key, [frame for part in parts for frame in part.frames.values()]))
    if plan.queries_by_id[key.path[-1]].query.columns:
        broken = {
            f"{edition}, {_whose(part)}": "; ".join(found)
            for part in parts
            for edition, found in part.violations.items()
            if found
        }
        outcomes.append(_outcome(key, specs.CONTRACT, broken, dg.AssetCheckSeverity.ERROR))
    return outcomes


def of_documents(key: dg.AssetKey, made: Sequence[Composed]) -> list[dg.AssetCheckResult]:
    """Could every recipient's document be made?"""
    failed = {f"{part.window.key}, {n}": str(part.error) for n, part in enumerate(made, 1) if part.error}
    return [_outcome(key, specs.FOR_EVERYBODY, failed, dg.AssetCheckSeverity.ERROR)]


def _whose(part: Fetched) -> str:
    return part.recipient.address if part.recipient else ""


def of_view(
    plan: ReportPlan, key: dg.AssetKey, failed: Sequence[tuple[Window, KpiAssetsError]]
) -> list[dg.AssetCheckResult]:
    """Under the policy `placeholder`: could the view be made in every edition?"""
    if plan.config.on_view_error != "placeholder":
        return []
    reasons = {plan.edition(window): str(error) for window, error in failed}
    return [_outcome(key, specs.RENDERED, reasons, dg.AssetCheckSeverity.ERROR)]


def _same_columns(key: dg.AssetKey, frames: Iterable[HealedFrame]) -> dg.AssetCheckResult:
    """Are the columns those of the fetch before? Where not, both sides are told, in words and as a table."""
    drifted = next((frame for frame in frames if frame.drift), None)
    return dg.AssetCheckResult(
        passed=drifted is None,
        asset_key=key,
        check_name=specs.SAME_COLUMNS,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(drifted.drift) if drifted else None,
        metadata={"columns": _both_sides(drifted)} if drifted else None,
    )


def _both_sides(frame: HealedFrame) -> dg.TableMetadataValue:
    before, now = dict(frame.columns_before), dict(frame.columns)
    names = dict.fromkeys([*before, *now])
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"column": name, "before": before.get(name, "-"), "now": now.get(name, "-")})
            for name in names
        ]
    )


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
