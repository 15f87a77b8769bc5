"""Trying again: backoff with jitter, within one deadline. Each new try is logged, by us."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_assets.logs import logger

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stamina import Attempt
    from stamina.instrumentation import RetryDetails, RetryHook

log = logger("kpi_assets.retries")

_ours: ContextVar[bool] = ContextVar("ours", default=False)


class TransientError(Exception):
    """A passing fault whose own words are fit to be shown: what it says is logged with the next try."""


def attempts(
    on: type[Exception] | Callable[[Exception], bool | float],
    seconds: float | None,
    *,
    first: float = 1.0,
    longest: float = 15.0,
) -> Iterator[Attempt]:
    """`for attempt in attempts(...): with attempt: ...` repeats on `on` until `seconds` are over; 0 is a single try.

    `on` may also say how long to wait for an error, as stamina describes it.
    Waits `first` seconds, then twice as long each time up to `longest`, with jitter. The last error goes through.
    """
    import stamina

    failures: list[str] = []

    def noted(error: Exception) -> bool | float:
        # The words of others may hold a secret.
        failures.append(str(error) if isinstance(error, TransientError) else type(error).__name__)
        return isinstance(error, on) if isinstance(on, type) else on(error)

    _keep_hooks_out()
    tries = stamina.retry_context(
        on=noted,
        attempts=None if seconds else 1,
        timeout=seconds or None,
        wait_initial=first,
        wait_max=longest,
        wait_jitter=1,
    )
    for attempt in _unheard(iter(tries)):
        if failures:
            log.warning("%s: try %d", failures[-1], attempt.num)
        yield attempt


def _unheard(tries: Iterator[Attempt]) -> Iterator[Attempt]:
    """The tries, marked as ours in those moments in which stamina calls its hooks."""
    while True:
        token = _ours.set(True)
        try:
            attempt = next(tries)
        except StopIteration:
            return
        finally:
            _ours.reset(token)
        yield attempt


@dataclass(frozen=True)
class _OfOthers:
    """A hook that is not called for our tries."""

    hook: RetryHook

    def __call__(self, details: RetryDetails) -> AbstractContextManager[None] | None:
        return None if _ours.get() else self.hook(details)


def _keep_hooks_out() -> None:
    """stamina's hooks write down errors with their words, which may hold a secret. They hear nothing of our tries."""
    from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks

    hooks = get_on_retry_hooks()
    if not all(isinstance(hook, _OfOthers) for hook in hooks):
        set_on_retry_hooks([hook if isinstance(hook, _OfOthers) else _OfOthers(hook) for hook in hooks])
