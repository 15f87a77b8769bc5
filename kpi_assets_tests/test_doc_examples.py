"""The Python of docs/plugins.md and docs/python.md is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets_tests.shop import make_shop

DOCS = Path(__file__).resolve().parents[1] / "docs"

CONFTEST = '''
import threading
from datetime import date, datetime, timedelta
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from kpi_assets_tests.datasources.api import Reply, serving

KEY = "a-long-secret-key"


def rain(asked):
    """The documented service: whole days, both included; it says which key was wrong."""
    if asked.headers.get("x-key") != KEY:
        return Reply(f"unknown key {asked.headers.get('x-key')}", 401)
    if asked.path != "/v1/rain" or asked.params["place"] != "Graz":
        return Reply(f"nothing for {KEY}", 404)
    first, last = (date.fromisoformat(asked.params[name]) for name in ("first", "last"))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {"days": [{"date": str(day), "rain": day.toordinal() % 7} for day in days]}


@pytest.fixture
def service():
    with serving(rain) as api:
        yield api.url


def shipments(start, end, options):
    """One shipment every six hours, told in Tokyo's time, where there is no summer time."""
    assert options == {"country": "AT"}
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    moment, rows = datetime(2024, 11, 1), []
    while moment < last:
        if moment >= first:
            rows.append([moment.isoformat(), moment.day])
        moment += timedelta(hours=6)
    return rows


@pytest.fixture
def warehouse():
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(shipments)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
'''


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.slow
def test_the_plugins_of_the_guide_pass_their_tests(tmp_path: Path) -> None:
    """Every example of docs/plugins.md, saved under the name in its first line, passes the tests beside it."""
    for block in blocks("plugins.md"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block, encoding="utf-8")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"test_weather.py", "test_warehouse.py", "test_goal.py", "test_report.py"} <= names
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    environ = {"PYTHONPATH": f"{tmp_path}:{DOCS.parent}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_python_of_the_guide_runs(tmp_path: Path) -> None:
    """The examples of docs/python.md, one below the other as one script, run beside a shop and leave a site."""
    make_shop(tmp_path / "shop.db")
    script = tmp_path / "guide.py"
    script.write_text(
        "\n".join(blocks("python.md")) + "\ndg.Definitions.validate_loadable(defs)\n", encoding="utf-8"
    )
    environ = {"PYTHONPATH": str(DOCS.parent), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = Path(done.stdout.strip().splitlines()[-1])
    assert page.is_relative_to(tmp_path / "site")
    assert page.is_file()
    assert (tmp_path / "preview" / "index.html").is_file()
