"""Ctrl-C counts, whatever becomes of the exception. Each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_assets.assets.run import materialize_editions
from kpi_assets.config import load_report
from kpi_assets.plan import build_plan
from kpi_assets_tests.shop import write_report

ROOT = Path(__file__).parents[2]
LEFT = 7

HEAD = """\
import os, signal, sys, time
from dagster._utils.interrupts import capture_interrupts
from kpi_assets.cli import interrupts
"""
DEAF = """\
interrupts.watch(lambda: os._exit(7), patience=0.1)
while True:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
FORGETFUL = """\
interrupts.watch(lambda: None, patience=60)
assert not interrupts.asked()
with capture_interrupts():
    signal.raise_signal(signal.SIGINT)
while not interrupts.asked():
    time.sleep(0.01)
"""
OTHERS = """\
signal.signal(signal.SIGUSR1, lambda *_: None)
interrupts.watch(lambda: os._exit(7), patience=0)
signal.raise_signal(signal.SIGUSR1)
time.sleep(0.5)
assert not interrupts.asked()
interrupts.stop_watching()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    time.sleep(0.5)
"""


def program(text: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HEAD + text], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_does_not_listen_is_ended(how: signal.Signals) -> None:
    """A command that loses the exception ends all the same."""
    with program("signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))\n" + DEAF) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(how)
            assert process.wait(60) == LEFT
        finally:
            process.kill()


@pytest.mark.parametrize("text", [FORGETFUL, OTHERS])
def test_what_dagster_forgets_is_known(text: str) -> None:
    """An interrupt that Dagster drops between its steps is noticed; other signals, and ones not watched, are none."""
    with program(text) as process:
        assert process.wait(60) == 0


def test_no_run_begins_after_an_interrupt(tmp_path: Path) -> None:
    """Asked before each run: what was interrupted makes nothing more."""
    plan = build_plan(load_report([write_report(tmp_path)]), {})
    windows = plan.windows(plan.first_day, plan.first_day)
    with pytest.raises(KeyboardInterrupt):
        materialize_editions(plan, windows, home=tmp_path / "home", environ={}, interrupted=lambda: True)
    assert not (tmp_path / "home" / "editions").exists()
