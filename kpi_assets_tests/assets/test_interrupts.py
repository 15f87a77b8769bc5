"""Ctrl-C while Dagster works: it is never forgotten."""

from __future__ import annotations

import signal
import threading

import pytest
from dagster._utils.interrupts import capture_interrupts

from kpi_assets.assets.interrupts import noticed_interrupts


def test_dagster_forgets_an_interrupt_between_steps() -> None:
    """Pinned: where Dagster has captured the signal and no step follows, nothing is raised."""
    with capture_interrupts():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_dagster_forgets_is_noticed(number: signal.Signals) -> None:
    """The wakeup file tells it, for Ctrl-C and for a polite kill."""
    ours = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with noticed_interrupts() as interrupted:
            assert not interrupted()
            with capture_interrupts():
                signal.raise_signal(number)
            assert interrupted()
    finally:
        for each, handler in ours.items():
            signal.signal(each, handler)


def test_other_signals_are_none_and_the_file_before_is_back() -> None:
    """A child's end is no interrupt; afterwards the wakeup file is what it was."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with noticed_interrupts() as interrupted:
            signal.raise_signal(signal.SIGUSR1)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signal.set_wakeup_fd(-1) == -1


def test_in_another_thread_nothing_is_noticed() -> None:
    """Only the main thread has signals; a run in another one goes on without."""
    answers: list[bool] = []

    def ask() -> None:
        with noticed_interrupts() as interrupted:
            answers.append(interrupted())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]
