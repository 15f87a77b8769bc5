"""A stretch of the simulated year: an outage, a change of clocks, failing queries, restarts (benchmarks/year)."""

from __future__ import annotations

from datetime import date

import pytest

from benchmarks.year.story import Script, play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def test_every_promise_holds_around_an_outage() -> None:
    """Twenty days, nine without a daemon: every edition is made, nobody gets one twice, the owner is told once each."""
    script = Script(first=date(2024, 3, 19), days=20, seed=7, failing=0.15, restarting=0.2, dying=0.1)
    figures = play(script)
    assert figures.broken == ()
    assert figures.ticks == figures.editions + figures.left_alone
    assert figures.ticks_missed >= 8
    assert figures.runs_failed == figures.owner_told_of_failures > 0
    assert figures.restarts > 0
    assert figures.withheld > 0
    assert figures.delivered_twice == 0
