"""`kpi-assets metrics`: the text format, the server, a Pushgateway, and Prometheus itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from kpi_assets.cli.app import app
from kpi_assets.errors import InputError, RetriableError
from kpi_assets.ledger import Held
from kpi_assets.ledger.model import Made
from kpi_assets.ledger.store import open_ledger
from kpi_assets.ledger.totals import Totals
from kpi_assets_tests.ledger.worlds import MAIL, PAGE, START, receipt
from kpi_assets_tests.prometheus_server import running_prometheus
from kpi_assets_tests.secrets import secret
from kpi_assets_tests.shop import write_report

Samples = dict[tuple[str, str], float]
LABELS = ("report", "output", "state", "file", "version")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with some history of the report `weekly`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KPI_ASSETS_HOME", str(tmp_path / "home"))
    ledger = open_ledger(tmp_path / "home", {})
    for claim in (MAIL, PAGE):
        held = ledger.claim(claim, now=START)
        assert isinstance(held, Held)
        ledger.arrived(held, receipt(claim), now=START)
    held = ledger.claim(replace(MAIL, output="team"), now=START)
    assert isinstance(held, Held)
    made = Made(3, 6, 1, 2, 50, 1.5, 4.25, MAIL.end)
    Totals(ledger.database).add("weekly", made, now=START)
    return tmp_path / "home"


def samples(text: str) -> Samples:
    """Every sample by its name and the values of its labels."""
    return {
        (
            sample.name.removeprefix("kpi_assets_"),
            " ".join(sample.labels[name] for name in LABELS if name in sample.labels),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def printed(*arguments: str) -> Samples:
    result = CliRunner().invoke(app, ["metrics", *arguments, "--once"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return samples(result.stdout)


def test_figures_of_the_ledger(home: Path) -> None:
    """Sums, deliveries in every state, and times are those of the ledger; addresses of people are nowhere."""
    found = printed()
    sums = {name: value for (name, of), value in found.items() if of == "weekly" and name.endswith("total")}
    assert sums == {
        "editions_made_total": 3,
        "queries_total": 6,
        "query_failures_total": 1,
        "view_failures_total": 2,
        "rows_total": 50,
        "query_seconds_total": 1.5,
        "render_seconds_total": 4.25,
    }
    assert found["deliveries", "weekly board sent"] == found["deliveries", "weekly disk sent"] == 1
    assert found["deliveries", "weekly team unknown"] == 1
    assert found["deliveries", "weekly board failed"] == 0
    assert found["last_edition_timestamp_seconds", "weekly"] == START.timestamp()
    assert found["last_delivery_timestamp_seconds", "weekly disk"] == START.timestamp()
    assert ("last_delivery_timestamp_seconds", "weekly team") not in found
    assert found["ledger_up", ""] == 1
    assert not [key for key in found if "@" in key[1]]


def test_lateness_of_the_reports_named(home: Path) -> None:
    """A report with a schedule whose newest edition has not gone out is late; a broken file is told of by name."""
    file = write_report(home.parent)
    text = file.read_text().replace("end_date: 2024-11-25\n", "")
    file.write_text(f"{text}schedule: {{cron: '* * * * *'}}\n")
    (home.parent / "broken.yaml").write_text("title: [\n")
    Totals(open_ledger(home, {}).database).add("orders", Made(editions=1), now=START)
    found = printed(str(file), "broken.yaml")
    assert 0 < found["lateness_seconds", "orders"] < 86400
    assert found["due_timestamp_seconds", "orders"] <= time.time()
    assert found["report_broken", "broken.yaml"] == 1
    assert ("lateness_seconds", "weekly") not in found


def test_a_ledger_that_is_away_is_a_metric(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter goes on, says that the ledger is away, and shows no password."""
    password = secret("ledger-password")
    monkeypatch.setenv("KPI_ASSETS_LEDGER", f"postgresql://me:{password}@127.0.0.1:1/kpi")
    found = printed()
    assert found["ledger_up", ""] == 0
    assert {name for name, _ in found} == {"info", "ledger_up"}


def test_wrong_choices_are_told(home: Path) -> None:
    """Two ways out at once, a report that is not there and a port in use are input errors that say the fix."""
    for arguments, words in (
        (["--once", "--push", "http://x"], "one of them"),
        (["nowhere.yaml"], "nowhere"),
    ):
        with pytest.raises(InputError, match=words):
            CliRunner().invoke(app, ["metrics", *arguments], catch_exceptions=False)
    with (
        HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken,
        pytest.raises(InputError, match="port"),
    ):
        CliRunner().invoke(app, ["metrics", "-p", str(taken.server_port)], catch_exceptions=False)


class Gateway(BaseHTTPRequestHandler):
    """What a Pushgateway does: takes a PUT of the text format at /metrics/job/<job>, and answers 200 without a body."""

    got: list[tuple[str, str, str]] = []
    status = 200

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def gateway(status: int = 200) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    handler = type("OwnGateway", (Gateway,), {"got": [], "status": status})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_push(home: Path) -> None:
    """One PUT replaces what the job had on the gateway, with the same figures as are served."""
    with gateway() as (url, got):
        result = CliRunner().invoke(app, ["metrics", "--push", url], catch_exceptions=False)
    assert result.exit_code == 0
    [(path, media_type, body)] = got
    assert (path, media_type.partition(";")[0]) == ("/metrics/job/kpi_assets", "text/plain")
    assert samples(body)["editions_made_total", "weekly"] == 3


def test_a_gateway_that_refuses_is_told_of(home: Path) -> None:
    """A gateway that answers with an error, or not at all, fails the command; an address that is none is named."""
    with gateway(500) as (url, _), pytest.raises(RetriableError, match="Pushgateway"):
        CliRunner().invoke(app, ["metrics", "--push", url], catch_exceptions=False)
    with pytest.raises(RetriableError, match="Pushgateway"):
        CliRunner().invoke(app, ["metrics", "--push", "http://127.0.0.1:1"], catch_exceptions=False)


@pytest.mark.prometheus
def test_prometheus_scrapes_the_exporter_and_fires(home: Path, tmp_path: Path) -> None:
    """A real Prometheus with our settings reads the served metrics, and has our alerts loaded."""
    with exporter() as address, running_prometheus(tmp_path / "prometheus", address) as server:
        deadline = time.monotonic() + 60
        query = urlencode({"query": 'kpi_assets_deliveries{state="unknown"} > 0'})
        found: list[object] = []
        while not found and time.monotonic() < deadline:
            found = ask(f"http://{server}/api/v1/query?{query}")["result"]
            time.sleep(0.2)
        assert [(f["metric"]["report"], f["metric"]["output"], f["value"][1]) for f in found] == [
            ("weekly", "team", "1")
        ]
        groups = ask(f"http://{server}/api/v1/rules")["groups"]
        assert "KpiReportDidNotGoOut" in [rule["name"] for rule in groups[0]["rules"]]


def ask(url: str) -> dict:
    with urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


@contextmanager
def exporter() -> Iterator[str]:
    """The command as a process; its address. It must end by itself when it is asked to."""
    command = [sys.executable, "-m", "kpi_assets", "metrics", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        line = process.stderr.readline()
        yield line.partition("http://")[2].partition("/")[0]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stderr.close()
