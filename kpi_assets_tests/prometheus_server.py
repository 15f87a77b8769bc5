"""Debian's Prometheus on loopback with a port and a folder of its own, filled with a week that is written down here."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from kpi_assets.contracts import Window

DEPLOY = Path(__file__).parents[1] / "deploy/prometheus"

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
CHANGE = Window(date(2024, 10, 26), date(2024, 10, 29), "Europe/Berlin")
"""With a day of 25 hours inside."""
_ODD = ("1.5", "NaN", "+Inf", "-Inf")
_BERLIN = ZoneInfo("Europe/Berlin")


@contextmanager
def prometheus_server(folder: Path) -> Iterator[str]:
    """The address of a running server that has the world's samples."""
    text, data, config = folder / "world.txt", folder / "data", folder / "prometheus.yml"
    text.write_text("\n".join([*_world(), "# EOF", ""]), encoding="utf-8")
    config.write_text("global: {scrape_interval: 1h}\n", encoding="utf-8")
    make = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
    subprocess.run(make, check=True, capture_output=True)
    with _serving(config, data) as address:
        yield address


@contextmanager
def running_prometheus(folder: Path, target: str) -> Iterator[str]:
    """The address of a running server that scrapes `target` with the settings and alerts of `deploy/prometheus`."""
    folder.mkdir()
    settings = (DEPLOY / "prometheus.yaml").read_text(encoding="utf-8")
    for ours, tests in (("127.0.0.1:9464", target), ("scrape_interval: 1m", "scrape_interval: 1s")):
        assert ours in settings
        settings = settings.replace(ours, tests)
    settings = settings.replace("scrape_timeout: 30s", "scrape_timeout: 1s")
    (folder / "prometheus.yml").write_text(settings, encoding="utf-8")
    shutil.copy(DEPLOY / "alerts.yaml", folder)
    with _serving(folder / "prometheus.yml", folder / "data") as address:
        yield address


@contextmanager
def _serving(config: Path, data: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://{address}/-/ready")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready after 30 s")


def _world() -> Iterator[str]:
    """Alerts in a week of November, numbers that are none, two machines, and hours around a change of clocks."""
    yield "# TYPE ALERTS gauge"
    critical = 'severity="critical",job="web"'
    yield from _firing("HighLatency", f'{critical},instance="a"', datetime(2024, 11, 18, 1), 35)
    yield from _firing("HighLatency", f'{critical},instance="b"', datetime(2024, 11, 18, 1, 20), 25)
    yield from _firing("HighLatency", f'{critical},instance="a"', datetime(2024, 11, 20, 2), 25)
    yield from _firing("DiskFull", f'{critical},instance="ü"', datetime(2024, 11, 24, 23, 30), 60)
    yield from _firing("Noisy", 'severity="warning",team="sandbox"', datetime(2024, 11, 19, 9), 20)
    yield from _firing("Waiting", critical, datetime(2024, 11, 19, 9), 20, "pending")
    yield "# TYPE odd gauge"
    start = WEEK.starts_at.timestamp()
    labels = 'from="x",time="y",value="z",name="Zürich ☃"'
    yield from (f"odd{{{labels}}} {_ODD[i % 4]} {start + i * 900:.0f}" for i in range(96))
    yield "# TYPE hours gauge"
    first = CHANGE.starts_at.timestamp()
    yield from (f"hours {i} {first + i * 3600:.0f}" for i in range(74))
    yield "# TYPE node_cpu_seconds counter"
    for name, rate in (("a", 180), ("b", 120)):
        labels = f'mode="idle",instance="{name}"'
        yield from (
            f"node_cpu_seconds_total{{{labels}}} {i * rate} {start + i * 240:.0f}" for i in range(7 * 360)
        )


def _firing(name: str, labels: str, start: datetime, minutes: int, state: str = "firing") -> Iterator[str]:
    """A sample a minute from a time in Berlin."""
    first = start.replace(tzinfo=_BERLIN).timestamp()
    all_labels = f'alertname="{name}",alertstate="{state}",{labels}'
    yield from (f"ALERTS{{{all_labels}}} 1 {first + i * 60:.0f}" for i in range(minutes))
