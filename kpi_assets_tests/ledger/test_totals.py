"""What runs have done, added up, and how deliveries stand; in both databases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from kpi_assets.ledger import Claim, Held
from kpi_assets.ledger.model import Made
from kpi_assets.ledger.store import Ledger, open_ledger
from kpi_assets.ledger.totals import Standing, Totals
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, START, receipt


@pytest.fixture
def totals(ledger: Ledger) -> Totals:
    return Totals(ledger.database)


def claim(ledger: Ledger, wanted: Claim) -> Held:
    held = ledger.claim(wanted, now=START)
    assert isinstance(held, Held)
    return held


def test_parts_of_runs_are_added_up(totals: Totals) -> None:
    """Sums only rise, each report has its own, and the newest edition stays the newest."""
    day = date(2024, 11, 25)
    assert totals.all() == []
    totals.add("weekly", Made(queries=2, failed_queries=1, rows=10, query_seconds=0.5), now=START)
    assert [total.made_at for total in totals.all()] == [None]
    totals.add("weekly", Made(editions=3, render_seconds=1.5, newest_end=day), now=START)
    totals.add("daily", Made(editions=1, newest_end=day), now=START)
    later = START + timedelta(hours=1)
    totals.add("weekly", Made(editions=1, failed_views=2, newest_end=day - timedelta(days=7)), now=later)
    totals.add("weekly", Made(queries=1), now=later + timedelta(hours=1))
    daily, weekly = totals.all()
    assert (daily.report, daily.made.editions) == ("daily", 1)
    assert weekly.made == Made(4, 3, 1, 2, 10, 0.5, 1.5, day)
    assert weekly.made_at == later


def test_workers_that_count_at_once_lose_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """Eight processes' worth of parts, added side by side on connections of their own, are all there."""
    places = [Totals(open_ledger(tmp_path, environ).database) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: place.add("weekly", Made(rows=1), now=START), places * 3))
    assert places[0].all()[0].made.rows == 24


def test_deliveries_are_counted_by_state(ledger: Ledger, totals: Totals) -> None:
    """What a dead process left open counts as what it will be settled to: unknown, or failed where it publishes."""
    older = replace(MAIL, start=MAIL.start - timedelta(days=7), end=MAIL.end - timedelta(days=7))
    for done in (MAIL, older):
        ledger.arrived(claim(ledger, done), receipt(done), now=START)
    ledger.failed(claim(ledger, replace(MAIL, output="team")), "no", now=START)
    claim(ledger, replace(MAIL, output="dead"))
    claim(ledger, PAGE)
    assert states(totals.deliveries(now=START)) == {
        ("board", "sent", 2),
        ("dead", "claimed", 1),
        ("disk", "claimed", 1),
        ("team", "failed", 1),
    }
    after = totals.deliveries(now=START + ledger.lease)
    assert {("dead", "unknown", 1), ("disk", "failed", 1)} <= states(after)
    assert {s.output: s.delivered_at for s in after if s.state == "sent"} == {"board": START}


def states(found: Sequence[Standing]) -> set[tuple[str, str, int]]:
    return {(s.output, s.state, s.count) for s in found}


def test_states_of_editions(ledger: Ledger, totals: Totals) -> None:
    """Only of the editions asked for, by output; however many are asked for at once."""
    ledger.arrived(claim(ledger, MAIL), receipt(), now=START)
    ledger.failed(claim(ledger, replace(MAIL, recipients=("cid@example.com",))), "no", now=START)
    other = replace(MAIL, start=MAIL.start - timedelta(days=1))
    ledger.failed(claim(ledger, other), "no", now=START)
    wanted = [("weekly", MAIL.start - timedelta(days=n + 7), MAIL.end) for n in range(1200)]
    edition = ("weekly", MAIL.start, MAIL.end)
    assert totals.states_of([*wanted, edition], now=START) == {edition: {"board": {"sent", "failed"}}}
    assert totals.states_of([], now=START) == {}
