from __future__ import annotations

import subprocess
import sys

import pytest

from kpi_assets_tests.datasources.api import Asked, Reply, serving

SCRIPT = """
import sys
from kpi_assets_tests.datasources.helpers import ask, make, peak_megabytes
from kpi_assets.contracts import Window
from datetime import date
frame = ask(make("http", base_url=sys.argv[1]), "big.csv", Window(date(2024, 1, 1), date(2025, 1, 1), "UTC"),
            time_column="ts")
print(len(frame), frame["amount"].sum(), peak_megabytes())
"""


@pytest.mark.slow
def test_a_million_rows() -> None:
    """A million rows of CSV arrive complete over HTTP, and the asking process stays under 700 MB."""
    rows = (f"{i},2024-01-{1 + i % 28:02}T{i % 24:02}:00:00Z,customer {i},0.5,DE" for i in range(1_000_000))
    body = "\n".join(["id,ts,name,amount,from", *rows]).encode()

    def answer(_: Asked) -> Reply:
        return Reply(body, headers={"Content-Type": "text/csv"})

    with serving(answer) as api:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, api.url], capture_output=True, text=True, check=True
        )
    count, total, megabytes = done.stdout.split()[-3:]
    assert (count, total) == ("1000000", "500000.0")
    assert int(megabytes) < 700
