"""Processes that deliver the same edition at the same moment."""

from __future__ import annotations

import time

from kpi_assets_tests.kills.bench import Bench, gate_to, home_for
from kpi_assets_tests.kills.books import Books
from kpi_assets_tests.kills.gate import Stop


def race(bench: Bench, racers: int) -> tuple[int, str, tuple[int, ...]]:
    """How often people got the edition, the ledger's state, and how the processes ended.

    All come up to the ledger, which somebody else holds, and are let in at the same moment; who delivers is held at the
    peer's door until the others have come to the ledger as well.
    """
    with home_for(bench) as home, gate_to(bench, Stop("accept")) as gate:
        environ = {**bench.environ(gate.port), "KPI_ASSETS_LEASE": "60"}
        books = Books(home, environ)
        books.clear()
        bench.clear(gate.port)
        with books.held():
            errands = [bench.start(bench.report, home, environ) for _ in range(racers)]
            time.sleep(bench.seconds)
        gate.reached.wait(60)
        gate.open()
        codes = tuple(errand.join() for errand in errands)
        return bench.received(), books.state(), codes
