"""Trying again: backoff with jitter, within one deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stamina import Attempt


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

    return stamina.retry_context(
        on=on,
        attempts=None if seconds else 1,
        timeout=seconds or None,
        wait_initial=first,
        wait_max=longest,
        wait_jitter=1,
    ).__iter__()
