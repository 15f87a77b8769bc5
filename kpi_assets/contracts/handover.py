"""The word that an output gives right before people can see something of what it delivers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

_heard_by: ContextVar[Callable[[], None] | None] = ContextVar("handing_over", default=None)


def handing_over() -> None:
    """Say that from now on people may see something of the delivery.

    An output with `announces` calls it in `deliver`, in the thread that called that, as late as it can and before
    everything that people may see; more than once does no harm. Whoever dies before it has told nobody for sure, and
    is simply run again. Raises DeliveryError where another process has taken the delivery over meanwhile, LedgerError
    where it cannot be written down: then nothing may be handed over. Does nothing where nobody keeps count, as for a
    test mail.
    """
    heard = _heard_by.get()
    if heard:
        heard()


@contextmanager
def handover_heard(by: Callable[[], None]) -> Generator[None]:
    """`handing_over` inside calls `by`."""
    token = _heard_by.set(by)
    try:
        yield
    finally:
        _heard_by.reset(token)
