from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kpi_assets.assets import keys
from kpi_assets.assets.build import report_assets
from kpi_assets.assets.instance import open_instance
from kpi_assets.assets.resources import HOME, KpiAssetsResource, report_resources
from kpi_assets.assets.run import QUIET
from kpi_assets.assets.windows import NOTIFY_TAG, RANGE_END, RANGE_START, WINDOW_TAG
from kpi_assets.config.env import EnvRef
from kpi_assets.contracts import ColumnContract
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import SECRET, Bell, Desk, SumArgs, make_plan, with_source

DAY = "2024-11-24"
FIVE = {RANGE_START: "2024-11-20", RANGE_END: "2024-11-24"}


class Runner:
    """Runs a report's assets in process, in memory."""

    def __init__(self, instance: dg.DagsterInstance, home: Path) -> None:
        self.instance, self.home = instance, home

    def run(
        self,
        plan: ReportPlan,
        key: str | None = DAY,
        tags: dict[str, str] | None = None,
        selection: Sequence[dg.AssetKey] | None = None,
    ) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            report_assets(plan),
            instance=self.instance,
            resources={HOME: KpiAssetsResource(home=str(self.home)), **report_resources(plan)},
            partition_key=key,
            tags=tags or {},
            selection=selection,
            run_config=QUIET,
            raise_on_error=False,
        )

    def events(self, key: dg.AssetKey) -> dict[str, dg.AssetMaterialization]:
        """The newest materialization of each partition."""
        records = self.instance.fetch_materializations(key, limit=1000).records
        return {str(e.partition): e for r in reversed(records) if (e := r.asset_materialization)}

    def facts(self, key: dg.AssetKey, day: str = DAY) -> dict[str, Any]:
        return {name: value.value for name, value in self.events(key)[day].metadata.items()}

    def made(self, plan: ReportPlan) -> dict[str, int]:
        """How many partitions each asset of the report has."""
        return {key.to_user_string(): len(self.events(key)) for key in keys.all_keys(plan)}

    def checks(self, result: dg.ExecuteInProcessResult) -> dict[str, bool]:
        return {
            f"{e.asset_key.path[-1]}.{e.check_name}": e.passed for e in result.get_asset_check_evaluations()
        }


@pytest.fixture
def runner(instance: dg.DagsterInstance, home: Path) -> Runner:
    return Runner(instance, home)


def test_one_run_fills_an_empty_store(runner: Runner, tmp_path: Path) -> None:
    """One run on an empty store makes one edition of every asset, with one ranged query for the whole window."""
    plan = make_plan(tmp_path)
    assert runner.run(plan).success
    assert set(runner.made(plan).values()) == {1}
    assert (tmp_path / "asked.txt").read_text() == "signups 2024-11-18 2024-11-25\n"
    assert (tmp_path / "desk/desk/2024-11-24.txt").read_text() == "Sign-ups 2024-11-24"


def test_what_a_person_reads_of_an_edition(runner: Runner, tmp_path: Path) -> None:
    """Rows, window, thumbnail, spec without data, receipt and the way to the page are in the metadata."""
    plan = make_plan(tmp_path)
    assert runner.run(plan).success
    window = "2024-11-18 to 2024-11-24, 7 days, UTC"
    query = runner.facts(keys.query_key("weekly", "signups"))
    assert (query["dagster/partition_row_count"], query["queries sent"], query["window"]) == (7, 1, window)
    view = runner.facts(keys.view_key("weekly", "total"))
    assert (view["rows"], view["finding"], view["window"]) == (7, "147 sign-ups", window)
    assert view["thumbnail"].startswith("![chart](data:image/svg+xml;base64,")
    assert view["vega-lite"]["mark"] == "line"
    assert "datasets" not in view["vega-lite"]
    document = runner.facts(keys.document_key("weekly"))
    assert Path(document["report"]).read_text().startswith("<!")
    receipt = runner.facts(keys.output_key("weekly", "desk"))
    assert (receipt["location"], receipt["status"]) == (
        str(tmp_path / "desk/desk/2024-11-24.txt"),
        "published",
    )


def test_the_report_is_one_click_away_when_editions_are_served(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With KPI_ASSETS_PUBLIC_URL the link to the report is an http URL, since browsers refuse file://."""
    monkeypatch.setenv("KPI_ASSETS_PUBLIC_URL", "http://127.0.0.1:3001/")
    assert runner.run(make_plan(tmp_path)).success
    url = runner.facts(keys.document_key("weekly"))["report"]
    assert url == "http://127.0.0.1:3001/weekly/2024-11-24/document/index.html"


def test_a_backfill_is_one_run_with_metadata_of_each_edition(runner: Runner, tmp_path: Path) -> None:
    """One run over five days makes five editions, each with its own numbers, from one ranged query."""
    plan = make_plan(tmp_path)
    assert runner.run(plan, None, FIVE).success
    assert set(runner.made(plan).values()) == {5}
    assert (tmp_path / "asked.txt").read_text() == "signups 2024-11-14 2024-11-25\n"
    findings = [runner.facts(keys.view_key("weekly", "total"), f"2024-11-2{i}")["finding"] for i in range(5)]
    assert findings == ["119 sign-ups", "126 sign-ups", "133 sign-ups", "140 sign-ups", "147 sign-ups"]


def test_a_view_alone_can_be_made_again(runner: Runner, tmp_path: Path) -> None:
    """A view is rendered from stored frames, without a query and without the rest of the report."""
    plan = make_plan(tmp_path)
    assert runner.run(plan).success
    (tmp_path / "asked.txt").unlink()
    assert runner.run(plan, selection=[keys.view_key("weekly", "total")]).success
    assert not (tmp_path / "asked.txt").exists()
    assert len(runner.instance.fetch_materializations(keys.view_key("weekly", "total"), limit=9).records) == 2
    assert (
        len(runner.instance.fetch_materializations(keys.view_key("weekly", "per_day"), limit=9).records) == 1
    )


def test_a_view_without_frames_says_what_to_do(runner: Runner, tmp_path: Path) -> None:
    """A view whose query never ran fails with a sentence that names the asset to materialize."""
    result = runner.run(make_plan(tmp_path), selection=[keys.view_key("weekly", "total")])
    assert not result.success
    assert "materialize the query first (asset weekly/queries/signups)" in failure_text(result)


def test_fail_yields_the_good_views_and_stops(runner: Runner, tmp_path: Path) -> None:
    """Under `on_view_error: fail` good views are made, then one failure in plain words; nothing is sent."""
    plan = make_plan(tmp_path, views={"good": SumArgs(), "bad": SumArgs(fail_on=(DAY,)), "fine": SumArgs()})
    result = runner.run(plan)
    assert not result.success
    assert runner.made(plan) == {
        "weekly/queries/signups": 1,
        "weekly/views/good": 1,
        "weekly/views/bad": 0,
        "weekly/views/fine": 1,
        "weekly/document": 0,
        "weekly/outputs/desk": 0,
    }
    assert failure_text(result) == "view 'bad': the column 'signups' is all text"


def test_nothing_is_sent_of_an_edition_whose_view_failed(runner: Runner, tmp_path: Path) -> None:
    """Under `fail` a document made alone after a run whose view failed names that view, and nothing is delivered."""
    plan = make_plan(tmp_path, views={"good": SumArgs(), "bad": SumArgs(fail_on=(DAY,))})
    runner.run(plan)
    rest = [keys.document_key("weekly"), keys.output_key("weekly", "desk")]
    result = runner.run(plan, selection=rest)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert f"edition {DAY} not made: view 'bad'" in str(failure.step_failure_data)
    assert [runner.events(key) for key in rest] == [{}, {}]
    assert not list(tmp_path.glob("desk/**/*.txt"))


def test_placeholder_delivers_the_rest_and_fails_a_check(runner: Runner, tmp_path: Path) -> None:
    """Under `on_view_error: placeholder` the report is delivered and the failed view shows a failing check."""
    views = {"good": SumArgs(), "bad": SumArgs(fail_on=(DAY,))}
    plan = make_plan(tmp_path, views=views, policy="placeholder")
    result = runner.run(plan)
    assert result.success
    assert set(runner.made(plan).values()) == {1}
    assert runner.checks(result) == {
        "signups.answered": True,
        "signups.not_empty": True,
        "signups.same_columns": True,
        "good.rendered": True,
        "bad.rendered": False,
    }
    assert runner.facts(keys.view_key("weekly", "bad"))["status"] == "placeholder"


def test_a_failed_query_stops_the_report(runner: Runner, tmp_path: Path) -> None:
    """Under `fail` a query that is refused fails its step, in words and without a secret."""
    plan = make_plan(tmp_path, source={"fail": True})
    result = runner.run(plan)
    assert set(runner.made(plan).values()) == {0}
    assert failure_text(result) == "query 'signups' on datasource 'db': no such table: signups"


def test_a_failed_query_becomes_placeholders(runner: Runner, tmp_path: Path) -> None:
    """Under `placeholder` a refused query fails a check, its views stand as placeholders, and the report goes out."""
    plan = make_plan(tmp_path, source={"fail": True}, policy="placeholder")
    result = runner.run(plan)
    assert result.success
    assert set(runner.made(plan).values()) == {1}
    assert runner.checks(result) == {
        "signups.answered": False,
        "per_day.rendered": False,
        "total.rendered": False,
    }


def test_no_rows_is_a_warning(runner: Runner, tmp_path: Path) -> None:
    """A query without rows fails its `not_empty` check as a warning, and the report goes on."""
    result = runner.run(make_plan(tmp_path, queries={"signups": "empty"}))
    assert result.success
    (check,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (check.check_name, check.severity) == ("not_empty", dg.AssetCheckSeverity.WARN)


@pytest.mark.parametrize(("largest", "kept"), [(31, True), (20, False)])
def test_columns_are_a_contract(runner: Runner, tmp_path: Path, largest: int, kept: bool) -> None:
    """`columns:` is checked against the rows, and a broken promise fails the check, not the run."""
    plan = make_plan(tmp_path, columns=[ColumnContract("signups", "integer", nullable=False, max=largest)])
    result = runner.run(plan)
    assert result.success
    assert runner.checks(result) == {
        "signups.not_empty": True,
        "signups.same_columns": True,
        "signups.frame_contract": kept,
    }


def test_columns_that_change_are_seen(runner: Runner, tmp_path: Path) -> None:
    """A column that is gone fails the check `same_columns` as a warning that tells both sides; the run goes on."""
    selection = [keys.query_key("weekly", "signups")]
    assert runner.run(make_plan(tmp_path), selection=selection).success
    result = runner.run(make_plan(tmp_path, source={"renamed": "joiners"}), selection=selection)
    assert result.success
    (check,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (check.check_name, check.severity) == ("same_columns", dg.AssetCheckSeverity.WARN)
    assert check.description == (
        "column 'signups' (int64) is gone; now: day, joiners\ncolumn 'joiners' (int64) is new; before: day, signups"
    )
    columns = check.metadata["columns"]
    assert isinstance(columns, dg.TableMetadataValue)
    assert {"column": "signups", "before": "int64", "now": "-"} in [dict(row.data) for row in columns.records]


def test_columns_are_shown_without_a_promise(runner: Runner, tmp_path: Path) -> None:
    """Where `columns:` promises nothing, the edition tells the columns that came, under names the UI knows."""
    runner.run(make_plan(tmp_path))
    schema = runner.facts(keys.query_key("weekly", "signups"))["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [(column.name, column.type) for column in schema.columns] == [
        ("day", "timestamp"),
        ("signups", "int"),
    ]


def test_a_backfill_publishes_and_tells_nobody(runner: Runner, tmp_path: Path) -> None:
    """Outputs that people see are withheld in a range, and say so, unless the run is tagged."""
    plan = make_plan(tmp_path, outputs={"bell": Bell, "desk": Desk})
    assert runner.run(plan, None, FIVE).success
    assert len(list((tmp_path / "desk/desk").iterdir())) == 5
    assert not (tmp_path / "desk/bell").exists()
    assert runner.facts(keys.output_key("weekly", "bell"))["status"] == "withheld"
    assert runner.run(plan, None, {**FIVE, NOTIFY_TAG: "true"}).success
    assert len(list((tmp_path / "desk/bell").iterdir())) == 5


def test_one_output_that_fails_does_not_keep_the_others(runner: Runner, tmp_path: Path) -> None:
    """The other outputs deliver and are recorded, then the step fails naming the one that did not."""
    plan = make_plan(tmp_path, outputs={"desk": Desk}, output={"fail": True})
    both = make_plan(tmp_path, outputs={"other": Desk})
    result = runner.run(with_outputs(plan, both))
    assert not result.success
    assert len(runner.events(keys.output_key("weekly", "other"))) == 1
    assert failure_text(result) == "output 'desk': the desk is full: clear it"


def with_outputs(plan: ReportPlan, other: ReportPlan) -> ReportPlan:
    return replace(plan, outputs=(*plan.outputs, *other.outputs))


def test_another_length_is_an_edition_of_its_own(runner: Runner, tmp_path: Path) -> None:
    """A window tag makes an edition of that length beside the regular one, under the same partition."""
    plan = make_plan(tmp_path)
    assert runner.run(plan).success
    assert runner.run(plan, tags={WINDOW_TAG: "2024-11-01/2024-11-25"}).success
    assert runner.facts(keys.view_key("weekly", "total"))["rows"] == 24
    assert {path.name for path in (runner.home / "editions/weekly").iterdir() if path.is_dir()} == {
        DAY,
        f"{DAY}_24d",
    }


def test_only_changed_days_that_somebody_saw_are_announced(runner: Runner, tmp_path: Path) -> None:
    """Days are fetched for a window without being announced; once made into editions, a change of theirs is."""
    plan, key = make_plan(tmp_path), keys.query_key("weekly", "signups")
    assert runner.run(plan, "2024-11-23").success
    assert runner.run(plan, DAY).success
    assert len(runner.instance.fetch_materializations(key, limit=99).records) == 2
    assert runner.run(with_source(plan, offset=1), DAY).success
    records = runner.instance.fetch_materializations(key, limit=99).records
    assert sorted(str(r.partition_key) for r in records) == ["2024-11-23", "2024-11-23", DAY, DAY]
    tags = runner.events(key)["2024-11-23"].tags or {}
    assert tags["dagster/code_version"] == plan.queries[0].fingerprint
    assert tags["dagster/data_version"]


def test_the_same_rows_are_the_same_data_version(runner: Runner, tmp_path: Path) -> None:
    """A second run over unchanged rows yields the same versions, so that no view looks stale."""
    plan = make_plan(tmp_path)
    versions: list[list[str]] = []
    for _ in range(2):
        assert runner.run(plan).success
        events = [runner.events(key)[DAY] for key in keys.all_keys(plan)[:3]]
        versions.append([(event.tags or {})["dagster/data_version"] for event in events])
    assert versions[0] == versions[1]


def test_two_reports_do_not_run_each_others_code(runner: Runner, tmp_path: Path) -> None:
    """Assets of two reports in one location are bound to their own plan, not to the last one built."""
    plans = [make_plan(tmp_path / id, id, source={"offset": offset}) for id, offset in (("a", 0), ("b", 100))]
    for plan in plans:
        Path(plan.files[0]).parent.mkdir(parents=True)
    result = dg.materialize(
        [step for plan in plans for step in report_assets(plan)],
        instance=runner.instance,
        resources={
            HOME: KpiAssetsResource(home=str(runner.home)),
            **{key: door for plan in plans for key, door in report_resources(plan).items()},
        },
        partition_key=DAY,
        run_config=QUIET,
    )
    assert result.success
    assert runner.facts(keys.view_key("a", "total"))["finding"] == "147 sign-ups"
    assert runner.facts(keys.view_key("b", "total"))["finding"] == "847 sign-ups"


def test_a_missing_variable_is_named_and_nothing_is_sent(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is not set when the run starts fails the run with the variable's name."""
    monkeypatch.delenv("SIGNUPS_TOKEN")
    result = runner.run(make_plan(tmp_path))
    assert not result.success
    assert "SIGNUPS_TOKEN" in failure_text(result)


def test_secrets_reach_no_record(home: Path, tmp_path: Path) -> None:
    """After runs that succeed and fail in every stage, no file of Dagster's records holds the secret."""
    with open_instance(home, {}) as instance:
        runner = Runner(instance, home)
        assert runner.run(make_plan(tmp_path)).success
        assert not runner.run(make_plan(tmp_path, source={"fail": True})).success
        assert not runner.run(make_plan(tmp_path, output={"fail": True})).success
        assert not runner.run(with_source(make_plan(tmp_path), offset=EnvRef("${SIGNUPS_TOKEN}"))).success
    records = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"weekly" in records
    assert SECRET.encode() not in records


def failure_text(result: dg.ExecuteInProcessResult) -> str:
    """The words of the one step that failed."""
    (event,) = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    data: Any = event.step_failure_data
    return data.user_failure_data.description
