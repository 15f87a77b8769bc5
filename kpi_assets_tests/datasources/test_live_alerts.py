"""Debian's Prometheus and Alertmanager together: an alert that fires and resolves twice, and what the view tells."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from kpi_assets.contracts import Block, Query, Table, Window
from kpi_assets.views.alert_summary import AlertSummaryArgs, AlertSummaryView
from kpi_assets_tests.datasources.api import serving
from kpi_assets_tests.datasources.helpers import make
from kpi_assets_tests.views.worlds import context

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

RULES = """\
groups:
- name: shop
  rules:
  - {alert: QueueFull, expr: queue_length > 10, labels: {severity: critical}}
"""
PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{shop}']}}]}}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
"""
ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@dataclass
class Shop:
    """What is scraped."""

    queue: int = 0

    def metrics(self, _: Any) -> str:
        return f"# TYPE queue_length gauge\nqueue_length {self.queue}\n"


@contextmanager
def running(folder: Path, ready: str, *command: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)
    try:
        until(lambda: bool(got(ready)))
        yield
    finally:
        process.terminate()
        process.wait(30)


def got(url: str) -> str:
    try:
        with urlopen(url, timeout=2) as answer:
            return answer.read().decode()
    except (URLError, OSError):
        return ""


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise TimeoutError


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def monitored(folder: Path) -> Iterator[tuple[Shop, str, str]]:
    """A shop, and the addresses of the Prometheus and the Alertmanager that watch it."""
    shop, own, alertmanager = Shop(), free_address(), free_address()
    with ExitStack() as stack:
        api = stack.enter_context(serving(shop.metrics))
        (folder / "rules.yml").write_text(RULES)
        (folder / "alertmanager.yml").write_text(ALERTMANAGER)
        target = api.url.removeprefix("http://")
        (folder / "prometheus.yml").write_text(PROMETHEUS.format(shop=target, alertmanager=alertmanager))
        stack.enter_context(
            running(
                folder,
                f"http://{alertmanager}/-/ready",
                "prometheus-alertmanager",
                "--config.file=alertmanager.yml",
                f"--web.listen-address={alertmanager}",
                "--cluster.listen-address=",
                "--storage.path=am",
            )
        )
        stack.enter_context(
            running(
                folder,
                f"http://{own}/-/ready",
                "prometheus",
                "--config.file=prometheus.yml",
                f"--web.listen-address={own}",
                "--storage.tsdb.path=data",
            )
        )
        yield shop, own, alertmanager


def states(prometheus: str) -> list[str]:
    alerts = json.loads(got(f"http://{prometheus}/api/v1/alerts") or '{"data": {"alerts": []}}')
    return [alert["state"] for alert in alerts["data"]["alerts"]]


def known(alertmanager: str) -> list[str]:
    alerts = json.loads(got(f"http://{alertmanager}/api/v2/alerts?active=true") or "[]")
    return [alert["labels"]["alertname"] for alert in alerts]


def fire_and_resolve(shop: Shop, prometheus: str, alertmanager: str) -> None:
    shop.queue = 99
    until(lambda: states(prometheus) == ["firing"])
    until(lambda: known(alertmanager) == ["QueueFull"])
    shop.queue = 0
    until(lambda: states(prometheus) == [])
    until(lambda: known(alertmanager) == [])


def shown(prometheus: str) -> tuple[Block, Any]:
    """Yesterday and today in UTC, since midnight may come while the test runs."""
    today = datetime.now(UTC).date()
    window = Window(today - timedelta(days=1), today + timedelta(days=1), "UTC")
    source = make("prometheus", host=prometheus, retry_for=0)
    frame = source.query(Query("q", "shop", 'ALERTS{alertstate="firing"}', {"step": "1s"}), window)
    source.close()
    view = AlertSummaryView(AlertSummaryArgs(resolution="1s"))
    return view.render({"query": frame}, context("Pages", 6, window=window)), frame


def test_alerts_that_fire_and_resolve_are_counted_and_timed(tmp_path: Path) -> None:
    """Alertmanager hears of both firings and of their ends; the view counts two, as long as recorded."""
    with monitored(tmp_path) as (shop, prometheus, alertmanager):
        fire_and_resolve(shop, prometheus, alertmanager)
        fire_and_resolve(shop, prometheus, alertmanager)
        block, frame = shown(prometheus)
    assert set(frame["alertname"]) == {"QueueFull"}
    table = next(element for element in block.elements if isinstance(element, Table))
    row = [cell.text for cell in table.rows[0]]
    assert row[0] == "QueueFull"
    assert "2×" in row
    assert f"{len(frame)} s" in row
