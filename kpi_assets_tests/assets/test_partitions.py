"""Which days Dagster shows as partitions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.partitions.context import partition_loading_context

from kpi_assets.assets.partitions import report_partitions
from kpi_assets.assets.run import materialize_editions, stretches
from kpi_assets.assets.windows import run_tags, select
from kpi_assets.calendar_windows import ends_on
from kpi_assets.config import load_report
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets_tests.shop import write_report

BERLIN = ZoneInfo("Europe/Berlin")


def month_plan(folder: Path, **settings: object) -> ReportPlan:
    file = write_report(folder)
    text = file.read_text(encoding="utf-8").replace("end_date: 2024-11-25\n", "")
    text = text.replace("partitions: {start: 2024-10-01}\n", "")
    file.write_text(yaml.safe_dump(settings) + text, encoding="utf-8")
    return build_plan(load_report([file]), {})


def keys_at(plan: ReportPlan, now: datetime) -> list[str]:
    with partition_loading_context(effective_dt=now):
        return list(report_partitions(plan).get_partition_keys())


@pytest.mark.parametrize(
    "settings",
    [
        {"window": "last_week"},
        {"window": "last_week", "week_starts": "sunday"},
        {"window": "last_month"},
        {"window": "last_quarter"},
        {"window": "last_year"},
        {"window": "month_to_date"},
        {"window": "28 days"},
        {"window": "3 business days", "holidays": "DE-BY"},
        {"window": "1 business day", "holidays": {"country": "IL", "worked": ["2024-11-22"]}},
    ],
)
def test_partitions_are_the_days_on_which_a_window_ends(tmp_path: Path, settings: dict[str, object]) -> None:
    """Over five years with two leap days: exactly those days, each from the midnight after it on."""
    plan = month_plan(tmp_path, partitions={"start": "2024-01-01"}, **settings)
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(5 * 365 + 2)]
    now = datetime(2028, 12, 31, 23, 59, tzinfo=BERLIN)
    expected = [day.isoformat() for day in days if ends_on(plan.rule, day) and day < now.date()]
    assert keys_at(plan, now) == expected


def test_a_run_over_a_range_makes_the_editions_that_end_in_it(tmp_path: Path) -> None:
    """What `run_tags` asks for is what `select` finds, for months as for days."""
    plan = month_plan(tmp_path, window="last_month")
    windows = plan.windows(date(2024, 10, 1), date(2025, 3, 31))
    assert [list(stretch) for stretch in stretches(windows)] == [list(windows)]
    keys = report_partitions(plan).get_partition_keys_in_range(
        dg.PartitionKeyRange(windows[0].key, windows[-1].key)
    )
    assert select(plan, keys, run_tags(plan, windows)).windows == windows


def test_two_months_are_one_run_and_compare_with_the_month_before(tmp_path: Path) -> None:
    """Two editions in one run; the second's change is against the first, not against thirty days."""
    plan = month_plan(tmp_path, window="last_month", partitions={"start": "2024-09-01"})
    result = materialize_editions(
        plan, plan.windows(date(2024, 10, 1), date(2024, 11, 30)), home=tmp_path / "home"
    )
    assert result.success
    assert len(result.run_ids) == 1
    page = (tmp_path / "home/editions/orders/2024-11-30/document/index.html").read_text(encoding="utf-8")
    assert "the month before" in page
