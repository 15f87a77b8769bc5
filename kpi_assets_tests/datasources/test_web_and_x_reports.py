"""Reports on Google Analytics and X as files: the guide's and the example, validated, and previewed against servers."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_assets.config import load_report
from kpi_assets.errors import QueryError
from kpi_assets.plan import build_plan
from kpi_assets_tests.datasources.big_ga4 import many
from kpi_assets_tests.datasources.ga4_peer import google, key_file
from kpi_assets_tests.datasources.helpers import ask, make
from kpi_assets_tests.datasources.test_googleanalytics import visits
from kpi_assets_tests.datasources.x_peer import KEYS, post, x
from kpi_assets_tests.examples.test_examples import EXAMPLES, preview

GUIDE = Path(__file__).parents[2] / "docs" / "google-analytics-and-x.md"
EXAMPLE = EXAMPLES / "web_and_x.yaml"
ENVIRON = {f"X_{name.upper()}": value for name, value in KEYS.items()}
KPI_REPORTER = """
title: Site
timezone: Europe/Berlin
start_date: "2024-11-18"
end_date: "2024-11-25"
datasources:
  ga: {{plugin: googleanalytics, args: {{key_file: '{key}', data_url: '{url}', admin_url: '{url}'}}}}
views:
  users:
    plugin: plot
    title: Users
    args:
      datasource: ga
      query: report
      query_args: {{account_like: Quillmoor, property_like: Shop, dimensions: ['ga:date'], metrics: ['ga:users']}}
outputs:
  static: {{plugin: static}}
"""


@pytest.mark.parametrize("number", [0, 1])
def test_the_guides_reports_are_valid_without_their_secrets(number: int, tmp_path: Path) -> None:
    """`validate` passes where the variables of the logins are not set; grains are those that the guide tells."""
    text = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)[number]
    file = tmp_path / "report.yaml"
    file.write_text(text, encoding="utf-8")
    plan = build_plan(load_report([file]), {})
    assert [str(warning) for warning in plan.warnings] == []
    grains = {query.query.text or query.query.id: query.analysis.grain for query in plan.queries}
    assert set(grains.values()) == {"day"} if number else {"day", "window"}


def test_the_example_shows_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of Google's, posts of X's; the same report that `examples/` holds, on servers of our own."""
    monkeypatch.chdir(tmp_path)
    at = datetime(2024, 11, 19, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    posts = [post(1, at, "The bridge is open again", 40), post(2, at, "Snow", 2)]
    with google(tmp_path, *visits(16, 10)) as (login, _), x(posts) as (address, _):
        own = tmp_path / "own.yaml"
        args = "".join(f"      {name}: '{value}'\n" for name, value in login.items())
        own.write_text(
            f"datasources:\n  web:\n    args:\n{args}  twitter:\n    args: {{api_url: '{address}'}}\n",
            "utf-8",
        )
        made = preview(EXAMPLE, own, environ=ENVIRON)
    assert made.faults == ()
    sessions = [3 * 2 * (day - 10 + 1) for day in range(18, 25)]
    assert made.stat("sessions").number == sum(sessions)
    assert [row[1] for row in made.table("countries")] == [f"{sum(sessions) // 2}"] * 2
    assert made.block("engagement").finding == "“The bridge is open again” was liked most: 40 of 42 likes"
    assert not any(secret in made.html for secret in KEYS.values())


def test_a_file_of_kpi_reporter_runs_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`account_like`, `property_like` and `ga:` names; users are plotted by day."""
    monkeypatch.chdir(tmp_path)
    account = {
        "account": "accounts/1",
        "displayName": "Quillmoor",
        "propertySummaries": [{"property": "properties/4711", "displayName": "Shop"}],
    }
    with google(tmp_path, *visits(), accounts=[account]) as (login, _):
        file = tmp_path / "site.yaml"
        file.write_text(KPI_REPORTER.format(key=login["key_file"], url=login["data_url"]), "utf-8")
        made = preview(file)
    assert made.faults == ()
    assert made.block("users").rows == 7


SCRIPT = """
import sys
from kpi_assets_tests.datasources.helpers import ask, make, peak_megabytes
frame = ask(make("googleanalytics", property_id=1, key_file=sys.argv[1], data_url=sys.argv[2]), "report",
            dimensions=["date", "pagePath", "from"], metrics=["sessions", "bounceRate"])
print(len(frame), frame["sessions"].sum(), frame["pagePath"].nunique(), peak_megabytes())
"""


@pytest.mark.slow
def test_memory_of_many_rows(tmp_path: Path) -> None:
    """150,000 rows arrive complete through two pages, and the asking process stays under 1 GB.

    Google's library takes each page apart as text, as Python objects and as messages, all at once.
    """
    with many() as address:
        key = key_file(tmp_path, address)
        asked = [sys.executable, "-c", SCRIPT, key, address]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    count, total, paths, megabytes = done.stdout.split()[-4:]
    assert (count, total, paths) == ("150000", "300000", "150000")
    assert int(megabytes) < 1000


def test_an_unused_key_is_not_read(tmp_path: Path) -> None:
    """Constructors do no I/O: a missing key file is told when a query runs."""
    source = make("googleanalytics", key_file=str(tmp_path / "none.json"), property_id=1)
    with pytest.raises(QueryError, match="cannot be read"):
        ask(source, "report")
