from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.assets import keys
from kpi_assets.assets.instance import open_instance, prepare_dagster_home
from kpi_assets.assets.run import CHUNK, Progress, materialize_editions, stretches
from kpi_assets.contracts import Window
from kpi_assets.delivery import Delivered
from kpi_assets.errors import InputError, ViewError
from kpi_assets.pipeline import Fetched, Rendered
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import (
    Bell,
    Desk,
    SumArgs,
    days_between,
    make_plan,
    windows_of,
)

DAY = "2024-11-24"


def materialize(plan: ReportPlan, home: Path, *keys_: str, **more: Any) -> Any:
    return materialize_editions(plan, windows_of(plan, *keys_), home=home, environ={}, **more)


def test_a_run_leaves_an_edition_and_a_record(home: Path, tmp_path: Path) -> None:
    """One edition is on disk, delivered, and recorded in the instance of the home folder."""
    plan = make_plan(tmp_path)
    seen: list[Progress] = []
    result = materialize(plan, home, DAY, on_event=seen.append)
    assert result.success
    assert [type(event) for event in seen] == [Fetched, Rendered, Rendered, Delivered]
    assert [d.receipt.location for d in result.delivered if d.receipt] == [
        str(tmp_path / f"desk/desk/{DAY}.txt")
    ]
    assert (home / f"editions/weekly/{DAY}/document/index.html").exists()
    with open_instance(home, {}) as instance:
        run = instance.get_run_by_id(result.run_ids[0])
        assert run is not None
        assert run.tags["kpi_assets/edition"] == DAY
        assert instance.get_materialized_partitions(keys.document_key("weekly")) == {DAY}


def test_five_editions_are_one_run(home: Path, tmp_path: Path) -> None:
    """Neighbouring days are one Dagster run, with a record of each edition."""
    plan = make_plan(tmp_path)
    result = materialize(plan, home, *days_between("2024-11-20", DAY))
    assert (result.success, len(result.run_ids), len(result.delivered)) == (True, 1, 5)
    with open_instance(home, {}) as instance:
        assert len(instance.get_materialized_partitions(keys.document_key("weekly"))) == 5


def test_days_apart_are_runs_apart(home: Path, tmp_path: Path) -> None:
    """Editions with gaps between them are one run per stretch."""
    result = materialize(make_plan(tmp_path), home, "2024-11-10", "2024-11-11", DAY)
    assert (result.success, len(result.run_ids), len(result.delivered)) == (True, 2, 3)


def test_outputs_can_be_chosen(home: Path, tmp_path: Path) -> None:
    """Only the outputs named deliver; with none named the document is made and nothing is sent."""
    plan = make_plan(tmp_path, outputs={"desk": Desk, "bell": Bell})
    assert [d.output for d in materialize(plan, home, DAY, outputs=("bell",)).delivered] == ["bell"]
    assert materialize(plan, home, DAY, outputs=()).delivered == ()
    assert not (tmp_path / "desk/desk").exists()


def test_who_is_named_is_told_also_in_a_range(home: Path, tmp_path: Path) -> None:
    """A range tells nobody by default, and tells whom the caller names."""
    plan = make_plan(tmp_path, outputs={"desk": Desk, "bell": Bell})
    days = ("2024-11-23", DAY)
    assert {d.output for d in materialize(plan, home, *days).delivered} == {"desk"}
    assert {d.output for d in materialize(plan, home, *days, outputs=("bell",)).delivered} == {"bell"}


def test_people_are_told_once_and_again_by_force(home: Path, tmp_path: Path) -> None:
    """A second run tells nobody and says so in the asset's metadata; a forced one tells them again and says so."""
    plan = make_plan(tmp_path, outputs={"bell": Bell})
    runs = [materialize(plan, home, DAY, force=force).delivered[0] for force in (False, False, True)]
    assert [bool(run.skipped) for run in runs] == [False, True, False]
    assert [run.forced for run in runs] == [False, False, True]
    with open_instance(home, {}) as instance:
        records = instance.fetch_materializations(keys.output_key("weekly", "bell"), limit=3).records
    found = [record.asset_materialization for record in records]
    statuses = [str(made.metadata["status"].value) for made in found if made]
    assert statuses == ["sent again, forced", "not again", "sent"]


def test_errors_are_ours(home: Path, tmp_path: Path) -> None:
    """A failed run returns the errors of our own tree, not Dagster's, and is recorded as failed."""
    plan = make_plan(tmp_path, views={"bad": SumArgs(fail_on=(DAY,))})
    result = materialize(plan, home, DAY)
    assert [type(error) for error in result.errors] == [ViewError]
    assert result.faults == ()
    with open_instance(home, {}) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.FAILURE]


def test_placeholders_are_faults_of_a_run_that_succeeds(home: Path, tmp_path: Path) -> None:
    """Under `placeholder` the run succeeds, and says which views could not be made."""
    plan = make_plan(tmp_path, views={"bad": SumArgs(fail_on=(DAY,))}, policy="placeholder")
    result = materialize(plan, home, DAY)
    assert result.success
    assert [str(fault) for fault in result.faults] == ["view 'bad': the column 'signups' is all text"]


def test_the_run_says_what_it_did_and_nothing_else(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Dagster's own log does not reach the terminal, neither of a good run nor of a failed one."""
    materialize(make_plan(tmp_path), home, DAY)
    materialize(make_plan(tmp_path, source={"fail": True}), home, DAY)
    assert capfd.readouterr() == ("", "")


def test_another_length_keeps_its_length(home: Path, tmp_path: Path) -> None:
    """A window of another length goes through Dagster unchanged."""
    plan = make_plan(tmp_path)
    window = Window(date(2024, 11, 1), date(2024, 11, 25), "UTC")
    result = materialize_editions(plan, [window], home=home, environ={})
    assert [d.window for d in result.delivered] == [window]


def test_an_edition_before_the_first_partition_is_refused(home: Path, tmp_path: Path) -> None:
    """The message names the edition, the first day, and the key to change."""
    with pytest.raises(InputError, match=r"2023-12-31.*2024-01-01.*partitions"):
        materialize(make_plan(tmp_path), home, "2023-12-31")


def test_a_caller_may_go_past_the_reports_end(home: Path, tmp_path: Path) -> None:
    """A fixed `end_date` is the default of a run, not its limit."""
    plan = make_plan(tmp_path, config={"end_date": date(2024, 11, 25)})
    assert materialize(plan, home, "2024-12-24").success


def test_an_instance_of_the_users_own_is_used(tmp_path: Path) -> None:
    """With DAGSTER_HOME set, nothing is made for Dagster in our home."""
    own = tmp_path / "own"
    assert prepare_dagster_home(tmp_path / "home", {"DAGSTER_HOME": str(own)}) == own
    assert not (tmp_path / "home").exists()


def test_settings_are_written_once(tmp_path: Path) -> None:
    """Our dagster.yaml turns telemetry and the newsletter dialog off, and a changed one is left alone."""
    home = tmp_path / "new"
    settings = prepare_dagster_home(home, {}) / "dagster.yaml"
    assert "telemetry:\n  enabled: false\nnux:\n  enabled: false" in settings.read_text()
    settings.write_text("telemetry: {enabled: true}\n")
    prepare_dagster_home(home, {})
    assert settings.read_text() == "telemetry: {enabled: true}\n"


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way of the home folder is an InputError that names the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="KPI_ASSETS_HOME"):
        prepare_dagster_home(tmp_path / "file" / "home", {})


@given(st.sets(st.integers(0, 900), max_size=60), st.integers(1, 9))
def test_stretches_hold_every_edition_once(offsets: set[int], length: int) -> None:
    """However the days lie, stretches are without gaps, in order, not too long, and lose nothing."""
    windows = [Window.ending(date.fromordinal(738000 + n), length, "UTC") for n in offsets]
    found = list(stretches(windows))
    assert [w for stretch in found for w in stretch] == sorted(windows)
    for stretch in found:
        assert len(stretch) <= CHUNK
        assert (stretch[-1].end - stretch[0].end).days == len(stretch) - 1


def test_a_stretch_ends_with_the_chunk() -> None:
    """A range longer than a chunk is several runs."""
    windows = [Window.ending(date.fromordinal(738000 + n), 7, "UTC") for n in range(CHUNK + 1)]
    assert [len(stretch) for stretch in stretches(windows)] == [CHUNK, 1]


def test_a_changed_report_runs_changed(home: Path, tmp_path: Path) -> None:
    """Assets are built for the plan that is given, each time: nothing of an earlier run is left over."""
    plan = make_plan(tmp_path)
    assert materialize(plan, home, DAY).success
    shorter = replace(plan, views=plan.views[:1])
    seen: list[Progress] = []
    assert materialize(shorter, home, DAY, on_event=seen.append).success
    assert len([event for event in seen if isinstance(event, Rendered)]) == 1


def test_one_bad_edition_of_a_backfill_leaves_the_others(home: Path, tmp_path: Path) -> None:
    """Where one edition's view cannot be made, the others are delivered all the same, and the run counts as failed."""
    plan = make_plan(tmp_path, views={"per_day": SumArgs(fail_on=("2024-11-22",)), "total": SumArgs()})
    result = materialize(plan, home, *days_between("2024-11-20", DAY))
    assert not result.success
    assert [type(error) for error in result.errors] == [ViewError]
    good = ["2024-11-20", "2024-11-21", "2024-11-23", DAY]
    assert [item.window.key for item in result.delivered] == good
    with open_instance(home, {}) as instance:
        assert instance.get_materialized_partitions(keys.document_key("weekly")) == set(good)
