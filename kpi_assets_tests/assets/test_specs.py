from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from kpi_assets.assets import keys, specs
from kpi_assets.assets.build import build_definitions
from kpi_assets.contracts import ColumnContract
from kpi_assets_tests.assets.graph import graph_text, sorted_specs
from kpi_assets_tests.assets.reports import Bell, Desk, SumArgs, make_plan

GOLDEN = Path(__file__).parents[1] / "golden" / "assets" / "graph.txt"


def two_reports(folder: Path) -> dg.Definitions:
    weekly = make_plan(
        folder,
        queries={"signups": "SELECT day, signups FROM signups", "paid": "SELECT day, paid FROM signups"},
        views={"per_day": SumArgs(), "paid": SumArgs(query="paid")},
        outputs={"desk": Desk, "bell": Bell},
        columns=[ColumnContract("signups", "integer", nullable=False)],
        config={"owners": ("ann@example.com",), "description": "How many people came."},
    )
    return build_definitions([weekly, make_plan(folder, "daily", policy="placeholder")])


def test_the_whole_graph(tmp_path: Path) -> None:
    """The graph of two reports is as the golden file has it; UPDATE_GOLDEN=1 writes it anew."""
    text = graph_text(two_reports(tmp_path))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_definitions_hold_together(tmp_path: Path) -> None:
    """Dagster accepts the definitions of two reports together, without a warning."""
    dg.Definitions.validate_loadable(two_reports(tmp_path))


def test_all_assets_share_one_partitions_definition(tmp_path: Path) -> None:
    """Reports of one start and zone share the very same partitions, so that a backfill may span them."""
    definitions = [spec.partitions_def for spec in sorted_specs(two_reports(tmp_path)) if spec.partitions_def]
    assert len(definitions) > 10
    assert len({id(definition) for definition in definitions}) == 1


def test_a_report_that_ends_has_no_partitions_behind_its_end(tmp_path: Path) -> None:
    """With `end_date` written down, the newest partition is the edition that `kpi-assets run` makes."""
    plan = make_plan(tmp_path, config={"end_date": date(2024, 11, 25)})
    assert specs.report_partitions(plan).get_last_partition_key() == "2024-11-24"


def test_an_edited_query_changes_the_version_of_its_views(tmp_path: Path) -> None:
    """Query, view and document carry their fingerprints, so that the UI marks what an edit made stale."""
    plan = make_plan(tmp_path)
    query, view = plan.queries[0], plan.views[0]
    assert specs.query_spec(plan, query).code_version == query.fingerprint
    assert specs.view_spec(plan, view).code_version == view.fingerprint
    edited = replace(plan, views=(replace(view, fingerprint="other"), *plan.views[1:]))
    assert specs.document_spec(edited).code_version != specs.document_spec(plan).code_version


def test_a_table_can_be_an_asset_of_the_users_own(tmp_path: Path) -> None:
    """`tables:` puts the user's asset upstream, and no external one of ours beside it."""
    plan = make_plan(tmp_path)
    mapped = replace(plan.queries[0], table_assets={"signups": "dbt/marts/signups"})
    plan = replace(plan, queries=(mapped,))
    (dep,) = specs.query_spec(plan, mapped).deps
    assert dep.asset_key == dg.AssetKey(["dbt", "marts", "signups"])
    assert list(specs.source_specs(plan)) == []


def test_two_reports_may_read_one_table(tmp_path: Path) -> None:
    """A table that two reports read is one asset."""
    found = [s for s in sorted_specs(two_reports(tmp_path)) if s.key.path[0] == "source"]
    assert [spec.key for spec in found] == [keys.source_key("db", "signups")]


@pytest.mark.parametrize("table", ["orders", "shop.orders", "Größe der Körbe", 'a"b/c'])
def test_any_table_name_can_be_an_asset(table: str) -> None:
    """Table names that Dagster would refuse get a readable stand-in of their own."""
    key = keys.source_key("db", table)
    dg.Definitions.validate_loadable(dg.Definitions(assets=[dg.AssetSpec(key)]))
    assert key != keys.source_key("db", table + "!")


def test_secrets_are_not_in_the_graph(tmp_path: Path) -> None:
    """Neither a secret nor the arguments that lead to it are part of a spec."""
    text = graph_text(two_reports(tmp_path))
    assert "correct-horse" not in text
    assert "SIGNUPS_TOKEN" not in text
