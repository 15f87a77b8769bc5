"""Measures whole processes: CPU seconds (user + system, children included), wall seconds, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a process used. `peak_mb` is its own peak resident memory."""

    cpu: float
    wall: float
    peak_mb: float


def run(command: Sequence[str], *, cwd: Path, env: dict[str, str] | None = None) -> Cost:
    """Run a command to its end. Raises RuntimeError with its output when it fails."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with (cwd / "output.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env={**environ, **(env or {})}, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = (cwd / "output.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    wall = time.perf_counter() - started
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def median(measure: Callable[[], Cost], times: int, *, warm_up: bool = True) -> Cost:
    """Median of each figure over `times` runs; `warm_up`: after one run that is thrown away."""
    if warm_up:
        measure()
    return middle([measure() for _ in range(times)])


def side_by_side(theirs: Callable[[], Cost], ours: Callable[[], Cost], times: int) -> tuple[Cost, Cost]:
    """Medians of both, run in turns, so that a machine that is busier for a while is so for both."""
    theirs(), ours()
    pairs = [(theirs(), ours()) for _ in range(times)]
    return middle([cost for cost, _ in pairs]), middle([cost for _, cost in pairs])


def middle(costs: Sequence[Cost]) -> Cost:
    """Median of each figure."""
    return Cost(*(statistics.median(getattr(c, name) for c in costs) for name in ("cpu", "wall", "peak_mb")))
