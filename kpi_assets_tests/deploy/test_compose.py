"""The Compose files, as Compose reads them: paths, volumes, and a health check that tells the living from the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_assets_tests.deploy.cluster import BIN, free_port, start

DEPLOY = Path(__file__).parents[2] / "deploy"
BASE = DEPLOY / "docker"
"""Compose reads the relative paths of every file as seen from the folder of the first one."""

FILES = {"docker": BASE / "compose.yaml", "celery": DEPLOY / "celery/compose.yaml"}


def services(kind: str) -> dict[str, Any]:
    return yaml.safe_load(FILES[kind].read_text(encoding="utf-8"))["services"]


def mounts(kind: str) -> list[str]:
    """What is mounted, `source:target[:ro]`, of every service."""
    return [mount for service in services(kind).values() for mount in service.get("volumes", ())]


@pytest.mark.parametrize("kind", FILES)
def test_what_is_mounted_is_there(kind: str) -> None:
    """Every file that is mounted exists where Compose looks for it; the folder of reports is the user's own."""
    paths = {mount.split(":")[0] for mount in mounts(kind) if mount.startswith(".")}
    assert [path for path in paths if path != "../../reports" and not (BASE / path).is_file()] == []


def test_what_is_extended_is_there() -> None:
    """The worker takes over a service of the first file, by a path that holds as seen from it."""
    extended = services("celery")["worker"]["extends"]
    assert (BASE / extended["file"]).resolve() == FILES["docker"]
    assert extended["service"] in services("docker")


def test_volumes_are_declared() -> None:
    """Every volume with a name is declared, and none is declared for nothing."""
    named = {mount.split(":")[0] for mount in mounts("docker") if not mount.startswith(".")}
    assert named == set(yaml.safe_load(FILES["docker"].read_text(encoding="utf-8"))["volumes"])


@pytest.mark.parametrize("kind", FILES)
def test_variables_in_commands_have_a_shell(kind: str) -> None:
    """A health check without a shell has no variable in it: nobody would put its value there."""
    checks = {name: s["healthcheck"]["test"] for name, s in services(kind).items() if "healthcheck" in s}
    assert [name for name, words in checks.items() if words[0] == "CMD" and "$" in " ".join(words)] == []


def test_what_runs_print_is_kept() -> None:
    """The file system is read-only, so the folder to which Dagster writes what runs print is a volume."""
    shared = yaml.safe_load(FILES["docker"].read_text(encoding="utf-8"))["x-kpi_assets"]
    assert shared["read_only"]
    assert any(mount.split(":")[1:2] == ["/var/lib/dagster/storage"] for mount in shared["volumes"])
    assert "/var/lib/dagster/storage" in (BASE / "Dockerfile").read_text(encoding="utf-8")


def with_our_programs() -> dict[str, str]:
    """The environment, with the programs of this Python found first, as in the image."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


@contextmanager
def worker_of_compose(folder: Path) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    """A worker as the Compose file starts it, on a Redis of its own, and its health check, for a shell."""
    url = f"redis://127.0.0.1:{(port := free_port())}"
    environ = {
        **with_our_programs(),
        "DAGSTER_HOME": str(folder),
        "KPI_ASSETS_BROKER": f"{url}/0",
        "KPI_ASSETS_BROKER_RESULTS": f"{url}/1",
    }
    service = services("celery")["worker"]
    command = [word.replace("/etc/kpi_assets/", f"{DEPLOY}/celery/") for word in service["command"]]
    redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    started = [start(redis, folder, environ, "redis"), start(command, folder, environ, "worker")]
    shell, check = service["healthcheck"]["test"]
    assert shell == "CMD-SHELL"
    try:
        yield started[1], check.replace("$$", "$").replace("redis://redis:6379", url)
    finally:
        for process in reversed(started):
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The process and what it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_healthy(check: str) -> bool:
    done = subprocess.run(["sh", "-c", check], env=with_our_programs(), capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.celery
@pytest.mark.slow
def test_a_worker_says_whether_it_lives(tmp_path: Path) -> None:
    """The health check of a worker passes while it runs, and fails when it does not."""
    with worker_of_compose(tmp_path) as (worker, check):
        end = time.monotonic() + 120
        while not is_healthy(check):
            assert time.monotonic() < end, (tmp_path / "worker.log").read_text(encoding="utf-8")
        kill(worker)
        assert not is_healthy(check)
