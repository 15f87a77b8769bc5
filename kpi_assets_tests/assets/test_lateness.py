"""How late a report is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpi_assets.assets.lateness import lateness, newest_due
from kpi_assets.ledger import Claim, Held
from kpi_assets.ledger.model import Made
from kpi_assets.ledger.store import Ledger, open_ledger
from kpi_assets.ledger.totals import Totals
from kpi_assets.plan import ReportPlan
from kpi_assets_tests.assets.reports import Bell, Desk, make_plan
from kpi_assets_tests.ledger.worlds import receipt

TICK = datetime(2024, 11, 25, 6, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)


def plan_of(folder: Path, cron: str = "0 6 * * 1", **more: Any) -> ReportPlan:
    outputs: dict[str, Any] = {"desk": Desk, "bell": Bell}
    return make_plan(folder, outputs=outputs, config={"schedule": {"cron": cron}}, **more)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "home", {})


def late(plan: ReportPlan, ledger: Ledger, now: datetime, since: datetime = TICK - HOUR) -> float | None:
    totals = Totals(ledger.database)
    found = lateness([plan], totals, totals.all(), now=now, since=since)
    return found[0].seconds if found else None


def settle(ledger: Ledger, plan: ReportPlan, output: str, state: str, at: datetime = TICK) -> None:
    window = plan.window("2024-11-24")
    claim = Claim(plan.id, window.start, window.end, output, recipients=("ada",))
    held = ledger.claim(claim, now=at)
    assert isinstance(held, Held)
    if state == "sent":
        ledger.arrived(held, receipt(claim), now=at)
    elif state == "failed":
        ledger.failed(held, "no", now=at)
    elif state == "unknown":
        ledger.in_doubt(held, "the line broke", now=at)


def test_late_until_every_output_has_it(tmp_path: Path, ledger: Ledger) -> None:
    """A report is late from the tick on, until each of its outputs has settled the edition."""
    plan = plan_of(tmp_path)
    assert late(plan, ledger, TICK + HOUR) == 3600
    settle(ledger, plan, "desk", "sent")
    assert late(plan, ledger, TICK + HOUR) == 3600
    settle(ledger, plan, "bell", "failed")
    assert late(plan, ledger, TICK + 2 * HOUR) == 7200
    settle(ledger, plan, "bell", "sent")
    assert late(plan, ledger, TICK + 3 * HOUR) == 0
    assert late(plan, ledger, TICK + timedelta(days=7, seconds=5)) == 5


@pytest.mark.parametrize(("state", "seconds"), [("claimed", 10), ("unknown", 0), ("failed", 10)])
def test_what_is_under_way_or_failed_is_late(
    tmp_path: Path, ledger: Ledger, state: str, seconds: float
) -> None:
    """A delivery that is being made is not out yet; one in doubt has a metric of its own."""
    plan = plan_of(tmp_path)
    settle(ledger, plan, "desk", "sent")
    settle(ledger, plan, "bell", state)
    assert late(plan, ledger, TICK + timedelta(seconds=10)) == seconds


def test_a_report_without_outputs_is_out_when_it_is_made(tmp_path: Path, ledger: Ledger) -> None:
    """Without outputs the edition's making counts; of an older edition it does not."""
    plan = replace(plan_of(tmp_path), outputs=())
    window, totals = plan.window("2024-11-24"), Totals(ledger.database)
    totals.add(plan.id, Made(editions=1, newest_end=window.start), now=TICK)
    assert late(plan, ledger, TICK + HOUR) == 3600
    totals.add(plan.id, Made(editions=1, newest_end=window.end), now=TICK)
    assert late(plan, ledger, TICK + HOUR) == 0


def test_a_new_report_owes_nothing_of_before(tmp_path: Path, ledger: Ledger) -> None:
    """What became due before anybody watched a report that was never run is not late; what did later is."""
    plan = plan_of(tmp_path)
    assert late(plan, ledger, TICK + HOUR, since=TICK) == 0
    assert late(plan, ledger, TICK + timedelta(days=7) + HOUR, since=TICK) == 3600
    Totals(ledger.database).add(plan.id, Made(queries=1), now=TICK)
    assert late(plan, ledger, TICK + HOUR, since=TICK) == 3600


def test_reports_without_a_schedule_are_never_late(tmp_path: Path, ledger: Ledger) -> None:
    """Nobody said when such an edition is due."""
    assert late(make_plan(tmp_path), ledger, TICK) is None


@pytest.mark.parametrize(
    ("cron", "due"), [("0 6 * * *", (11, 27)), ("0 6 1 * *", (11, 1)), ("0 6 1 2 *", (2, 1))]
)
def test_the_newest_tick_is_found_however_rare(tmp_path: Path, cron: str, due: tuple[int, int]) -> None:
    """Daily, monthly and yearly schedules all have a newest due edition."""
    found = newest_due(plan_of(tmp_path, cron), datetime(2024, 11, 27, 12, tzinfo=UTC))
    assert found is not None
    assert found.at == datetime(2024, *due, 6, tzinfo=UTC)


def test_no_tick_yet(tmp_path: Path) -> None:
    """Before the first edition of a report nothing is due."""
    assert newest_due(plan_of(tmp_path), datetime(2024, 1, 1, 5, tzinfo=UTC)) is None
