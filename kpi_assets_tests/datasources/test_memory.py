from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets_tests.datasources.helpers import sqlite_file

SCRIPT = """
import sys
import dagster
from kpi_assets_tests.datasources.helpers import ask, make, peak_megabytes
from kpi_assets.contracts import Window
from datetime import date
frame = ask(make("sqlite", database=sys.argv[1]), "select * from big where ts >= {from} and ts < {to}",
            Window(date(2024, 1, 1), date(2025, 1, 1), "Europe/Berlin"))
print(len(frame), frame["amount"].sum(), peak_megabytes())
"""


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path) -> None:
    """A million rows of five columns arrive complete, and the whole process stays under 600 MB."""
    path = sqlite_file(
        tmp_path / "big.db",
        "create table big (id integer, ts text, name text, amount real, country text)",
        """with recursive r(i) as (select 1 union all select i + 1 from r where i < 1000000) insert into big
        select i, datetime('2024-01-01', i || ' seconds'), 'customer ' || i, 0.5, 'DE' from r""",
    )
    done = subprocess.run([sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, check=True)
    rows, total, megabytes = done.stdout.split()[-3:]
    assert (rows, total) == ("1000000", "500000.0")
    assert int(megabytes) < 600
