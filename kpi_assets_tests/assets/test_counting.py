"""What runs leave behind for metrics."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from kpi_assets.assets.counting import Tally
from kpi_assets.ledger.model import Made
from kpi_assets.ledger.store import open_ledger
from kpi_assets.ledger.totals import Totals
from kpi_assets.session import Session
from kpi_assets_tests.assets.reports import SumArgs, days_between, make_plan, windows_of, with_source
from kpi_assets_tests.assets.test_run import DAY, materialize


def made(home: Path) -> Made:
    (total,) = Totals(open_ledger(home, {}).database).all()
    return total.made


def test_a_run_is_counted(home: Path, tmp_path: Path) -> None:
    """Editions, queries, rows and seconds of one run and of a backfill are in the report's totals."""
    plan = make_plan(tmp_path)
    materialize(plan, home, DAY)
    first = made(home)
    assert (first.editions, first.queries, first.rows) == (1, 1, 7)
    assert (first.failed_queries, first.failed_views) == (0, 0)
    assert first.query_seconds > 0
    assert first.render_seconds > 0
    assert first.newest_end == date(2024, 11, 25)
    materialize(plan, home, *days_between("2024-11-20", "2024-11-23"))
    second = made(home)
    assert (second.editions, second.queries, second.newest_end) == (5, 2, date(2024, 11, 25))
    assert second.render_seconds > first.render_seconds


def test_another_length_is_not_the_reports_newest(home: Path, tmp_path: Path) -> None:
    """A window of another length is counted, and does not stand for the edition that is due."""
    plan = make_plan(tmp_path)
    window = plan.window(DAY)
    longer = type(window)(date(2024, 11, 1), window.end, window.zone)
    tally = Tally(plan)
    tally.count_edition(longer)
    assert (tally.made.editions, tally.made.newest_end) == (1, None)
    tally.count_edition(window)
    assert (tally.made.editions, tally.made.newest_end) == (2, window.end)


@pytest.mark.parametrize("policy", ["fail", "placeholder"])
def test_failures_are_counted(home: Path, tmp_path: Path, policy: str) -> None:
    """A failed query and the views without its rows count, whether or not an edition is made all the same."""
    plan = make_plan(tmp_path, policy=policy, views={"total": SumArgs(fail_on=(DAY,))})
    materialize(plan, home, DAY)
    found = made(home)
    assert (found.failed_views, found.editions) == (1, 0 if policy == "fail" else 1)
    materialize(with_source(plan, fail=True), home, "2024-10-01")
    assert made(home).failed_queries == 1


def test_a_ledger_that_is_away_does_not_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run is not counted, and says so, without the password."""
    monkeypatch.setenv("KPI_ASSETS_LEDGER", "postgresql://me:hunter22@127.0.0.1:1/kpi")
    plan = make_plan(tmp_path)
    tally = Tally(plan)
    tally.count_edition(windows_of(plan, DAY)[0])
    with caplog.at_level(logging.WARNING, logger="kpi_assets"):
        tally.write(Session(plan, tmp_path))
    assert "not counted in the metrics" in caplog.text
    assert "hunter22" not in caplog.text
