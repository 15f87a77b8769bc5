from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from kpi_assets.frames.memory import return_large_arrays

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

assert return_large_arrays()
np.ones(1_000_000)  # glibc would learn to keep blocks of this size
before = held()
arrays = [np.ones(1_000_000) for _ in range(8)]
pin = bytearray(100_000)  # on top of them: what lies below cannot be cut off
del arrays
print(held() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_large_arrays_are_given_back() -> None:
    """Of 64 MB of freed arrays next to none stays with the process, whatever was allocated after them."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 * 2**20
