"""Several machines on this one: Dagster's daemon and web server, Celery workers, Redis, PostgreSQL and an S3 endpoint.

Runs with the settings of `deploy/celery/`, unchanged.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from kpi_assets_tests.outputs.s3_peer import KEY, SECRET, s3_server
from kpi_assets_tests.servers import Database

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
BUCKET = "frames"
HEARTBEAT = 20
"""Seconds; a deployment has 45."""


@dataclass
class Cluster:
    """What runs. `workers` are process groups that can be killed."""

    folder: Path
    url: str
    environ: Mapping[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def start_worker(self) -> None:
        command = ["dagster-celery", "worker", "start", "-A", "dagster_celery.app"]
        settings = ROOT / "deploy/celery/worker.yaml"
        name = f"worker{len(self.workers)}"
        self.workers.append(
            start([*command, "-y", str(settings), "-n", name], self.folder, self.environ, name)
        )

    def kill_worker(self, number: int) -> None:
        """The whole worker at once, as when its machine is lost."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()

    def logs(self) -> str:
        """The end of every log, for a test that failed."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


def start(command: list[str], folder: Path, environ: Mapping[str, str], name: str) -> subprocess.Popen[bytes]:
    """A process with a group and a log of its own."""
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [str(BIN / command[0]) if (BIN / command[0]).exists() else command[0], *command[1:]],
            cwd=folder,
            env=dict(environ),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


@contextmanager
def cluster(folder: Path, reports: Path, database: Database, workers: int = 2) -> Generator[Cluster]:
    """A cluster on the reports; everything is killed at the end."""
    with ExitStack() as stack:
        redis, web = free_port(), free_port()
        s3 = stack.enter_context(s3_server())
        make_bucket(s3)
        home = folder / "dagster"
        home.mkdir()
        shutil.copy(ROOT / "deploy/celery/dagster.yaml", home)
        environ = _environment(folder, reports, database, redis, s3)
        made = Cluster(folder, f"http://127.0.0.1:{web}", environ)
        _make_tables(folder, environ)
        others = [
            ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            ["dagster-webserver", "-m", "kpi_assets.definitions", "-h", "127.0.0.1", "-p", str(web)],
            ["dagster-daemon", "run", "-m", "kpi_assets.definitions"],
        ]
        started = [start(command, folder, environ, command[0]) for command in others]
        try:
            for _ in range(workers):
                made.start_worker()
            yield made
        finally:
            for process in [*made.workers, *started]:
                _end(process)


def _make_tables(folder: Path, environ: Mapping[str, str]) -> None:
    """Dagster's, before several processes try to at once: one of them would die, and nobody restarts it here."""
    command = [str(BIN / "dagster"), "instance", "info"]
    subprocess.run(command, cwd=folder, env=dict(environ), check=True, stdout=subprocess.DEVNULL)


def _environment(folder: Path, reports: Path, database: Database, redis: int, s3: int) -> dict[str, str]:
    ledger = f"postgresql://{database.user}:{database.password}@{database.host}/{database.database}"
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "DAGSTER_HOME": str(folder / "dagster"),
        "DAGSTER_POSTGRES_HOST": database.host,
        "DAGSTER_POSTGRES_USER": database.user,
        "DAGSTER_POSTGRES_PASSWORD": database.password,
        "DAGSTER_POSTGRES_DB": database.database,
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
        "KPI_ASSETS_BROKER": f"redis://127.0.0.1:{redis}/0",
        "KPI_ASSETS_BROKER_RESULTS": f"redis://127.0.0.1:{redis}/1",
        "KPI_ASSETS_HEARTBEAT": str(HEARTBEAT),
        "KPI_ASSETS_HOME": str(folder / "home"),
        "KPI_ASSETS_LEDGER": ledger,
        "KPI_ASSETS_LEASE": str(HEARTBEAT),
        "KPI_ASSETS_FRAMES": f"s3://{BUCKET}/kpi",
        "KPI_ASSETS_REPORTS": str(reports),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def make_bucket(port: int) -> None:
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
