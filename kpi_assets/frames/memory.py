"""Large arrays handed back to the system when they are freed, so that a run's peak is what it holds at one time."""

from __future__ import annotations

import ctypes
from functools import cache

MMAP_THRESHOLD = -3
"""glibc's `M_MMAP_THRESHOLD`."""
LARGE = 4 * 2**20
"""Bytes: half a million numbers."""


@cache
def return_large_arrays() -> bool:
    """Call before frames are read; says whether the C library can be told.

    glibc learns from the first large block that is freed to keep blocks of that size, up to 32 MB, for later: with a
    million rows, sixty megabytes that nothing uses. A threshold that is set stays. Other C libraries have none.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError, TypeError):
        return False
