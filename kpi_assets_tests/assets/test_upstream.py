"""Pins of Dagster's behaviour that the design leans on, each with its reason. One fails: read the release notes."""
# No `from __future__ import annotations` here: Dagster reads the annotation of `context`.

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import time_machine

DAYS = dg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin")
RANGE = {
    "dagster/asset_partition_range_start": "2024-03-30",
    "dagster/asset_partition_range_end": "2024-04-01",
}


def spec(name: str, *upstream: str, **more: Any) -> dg.AssetSpec:
    deps = [dg.AssetDep(up, partition_mapping=dg.IdentityPartitionMapping()) for up in upstream]
    return dg.AssetSpec(name, deps=deps, partitions_def=DAYS, **more)


def step(*specs: dg.AssetSpec, body: Any, **more: Any) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="step_" + "_".join(s.key.path[-1] for s in specs),
        specs=specs,
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        **more,
    )
    def run(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from body(context)

    return run


def every_key(context: dg.AssetExecutionContext) -> Iterator[Any]:
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key)


def events(instance: dg.DagsterInstance, name: str) -> dict[str, dg.AssetMaterialization]:
    """The newest materialization of each partition."""
    records = instance.fetch_materializations(dg.AssetKey(name), limit=100).records
    found = [record.asset_materialization for record in reversed(records)]
    return {str(event.partition): event for event in found if event}


def test_metadata_can_differ_by_partition_of_one_run(instance: dg.DagsterInstance) -> None:
    """Reason: a backfill is one run, and every edition has its own rows, window and link."""

    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for key in context.partition_keys:
            context.add_asset_metadata({"day": key}, asset_key="a", partition_key=key)
        yield dg.MaterializeResult(asset_key="a")

    assert dg.materialize([step(spec("a"), body=body)], instance=instance, tags=RANGE).success
    assert {key: event.metadata["day"].value for key, event in events(instance, "a").items()} == {
        day: day for day in ("2024-03-30", "2024-03-31", "2024-04-01")
    }


def test_what_yields_nothing_skips_what_follows_and_stays_green(instance: dg.DagsterInstance) -> None:
    """Reason: so every selected key of ours always yields a result, or the step fails."""

    def only_a(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="a")

    steps = [step(spec("a"), spec("b"), body=only_a), step(spec("c", "a", "b"), body=every_key)]
    assert dg.materialize(steps, instance=instance, partition_key="2024-03-30").success
    assert not events(instance, "c")


def test_results_before_a_failure_stay(instance: dg.DagsterInstance) -> None:
    """Reason: `on_view_error: fail` yields the good views, then fails once."""

    def half(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="a")
        raise dg.Failure("b cannot be made")

    steps = [step(spec("a"), spec("b"), body=half), step(spec("c", "a", "b"), body=every_key)]
    result = dg.materialize(steps, instance=instance, partition_key="2024-03-30", raise_on_error=False)
    assert not result.success
    assert list(events(instance, "a")) == ["2024-03-30"]
    assert not events(instance, "c")


def test_a_failing_check_that_does_not_block_lets_the_rest_run(instance: dg.DagsterInstance) -> None:
    """Reason: `on_view_error: placeholder` shows a failing check, and the document is delivered all the same."""

    def failing(context: dg.AssetExecutionContext) -> Iterator[Any]:
        outcome = dg.AssetCheckResult(passed=False, asset_key=dg.AssetKey("a"), check_name="rendered")
        yield dg.MaterializeResult(asset_key="a", check_results=[outcome])

    checked = step(spec("a"), body=failing, check_specs=[dg.AssetCheckSpec("rendered", asset="a")])
    steps = [checked, step(spec("c", "a"), body=every_key)]
    assert dg.materialize(steps, instance=instance, partition_key="2024-03-30").success
    assert list(events(instance, "c")) == ["2024-03-30"]


def test_a_day_can_be_announced_beside_the_result(instance: dg.DagsterInstance) -> None:
    """Reason: days whose stored rows changed are announced with their version tags, which Dagster keeps."""

    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        tags = {"dagster/data_version": "new", "dagster/code_version": "1"}
        context.log_event(dg.AssetMaterialization("a", partition="2024-03-29", tags=tags))
        yield dg.MaterializeResult(asset_key="a", data_version=dg.DataVersion("own"))

    steps = [step(spec("a", code_version="1"), body=body)]
    assert dg.materialize(steps, instance=instance, partition_key="2024-03-30").success
    versions = {
        day: (event.tags or {})["dagster/data_version"] for day, event in events(instance, "a").items()
    }
    assert versions == {"2024-03-29": "new", "2024-03-30": "own"}


def test_the_last_partition_is_the_last_whole_day() -> None:
    """Reason: an edition's key is the last day inside its window, so it exists when that day is over."""
    with time_machine.travel(datetime(2024, 3, 31, 0, 0, 1, tzinfo=ZoneInfo("Europe/Berlin")), tick=False):
        assert DAYS.get_last_partition_key() == "2024-03-30"


def test_a_failure_without_a_chain_is_stored_without_it(instance: dg.DagsterInstance) -> None:
    """Reason: a driver's error may hold a secret; `from None` keeps it out of Dagster's records."""

    def body(context: dg.AssetExecutionContext) -> Iterator[Any]:
        try:
            raise ValueError("password=hunter2")
        except ValueError:
            raise dg.Failure("the backend refused") from None
        yield

    result = dg.materialize(
        [step(spec("a"), body=body)], instance=instance, partition_key="2024-03-30", raise_on_error=False
    )
    assert not result.success
    stored = "".join(str(record) for record in instance.all_logs(result.run_id))
    assert "the backend refused" in stored
    assert "hunter2" not in stored


def test_string_annotations_break_assets() -> None:
    """Reason: modules that declare assets do without `from __future__ import annotations`."""
    source = "@dg.asset\ndef a(context: dg.AssetExecutionContext) -> None: ...\n"
    exec(source, {"dg": dg})
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="context"):
        exec(f"from __future__ import annotations\n{source}", {"dg": dg})
