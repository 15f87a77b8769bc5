"""What nobody wishes for: full disks, impatient people, two runs at once. Clear words, nothing lost, nothing halved."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kpi_assets.assets.instance import prepare_dagster_home
from kpi_assets.assets.run import materialize_editions
from kpi_assets.config import load_report
from kpi_assets.contracts import Window
from kpi_assets.errors import InputError
from kpi_assets.plan import build_plan
from kpi_assets_tests.shop import write_report

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kpi_assets", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    """Until the path is there."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def test_ctrl_c_does_not_wait_for_a_query(tmp_path: Path) -> None:
    """An endless query ends with Ctrl-C: exit 130, one sentence, no stack trace, what was fetched is kept."""
    file = write_report(tmp_path)
    text = file.read_text(encoding="utf-8")
    query = "select country, count(*) as orders from orders"
    file.write_text(text.replace(query, f"with shop as ({ENDLESS}) {query}, shop"), encoding="utf-8")
    with start(tmp_path, "preview", "-c", str(file)) as process:
        frames = tmp_path / ".kpi_assets/frames/orders/orders_daily"
        wait_for(frames)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1].startswith("interrupted: what was finished is kept")
    assert "Traceback" not in told
    assert unfinished(tmp_path) == []


def test_two_first_runs_of_one_edition(tmp_path: Path) -> None:
    """Two processes that make the same edition in an empty home at once both succeed and leave one whole page."""
    file = write_report(tmp_path)
    processes = [start(tmp_path, "run", "-c", str(file)) for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert len({output for output, _ in ends}) == 1
    assert unfinished(tmp_path) == []


def test_records_that_cannot_be_kept(tmp_path: Path) -> None:
    """Where Dagster's database is no database, the error names the folder and the way out, in one line."""
    plan = build_plan(load_report([write_report(tmp_path)]), {})
    home = tmp_path / "home"
    broken = home / "dagster" / "history" / "runs.db"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a database, " * 100)
    with pytest.raises(InputError, match="KPI_ASSETS_HOME") as caught:
        materialize_editions(plan, [Window.ending("2024-11-24", 7, plan.zone)], home=home, environ={})
    assert str(home / "dagster") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dagster_home_that_cannot_be() -> None:
    """A `DAGSTER_HOME` that cannot be a folder is named, with what to set."""
    with pytest.raises(InputError, match="set DAGSTER_HOME to another folder") as caught:
        prepare_dagster_home(Path(), {"DAGSTER_HOME": f"{__file__}/home"})
    assert __file__ in str(caught.value)
