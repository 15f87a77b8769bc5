"""The secrets that tests use. Every one of them holds `MARK`, so that finding it anywhere means that one got out."""

from __future__ import annotations

import base64
import re

MARK = "Kq7vXw29ZtPd"
"""Letters and digits alone: it looks the same inside an address, JSON, YAML or a shell's words."""


def secret(name: str, prefix: str = "", suffix: str = "") -> str:
    """A secret with a name by which the one that got out is recognised."""
    return f"{prefix}{name}-{MARK}{suffix}"


def _in_base64(text: str) -> list[bytes]:
    """What every base64 text that has `text` in it has in it: one form for each place in a group of three bytes."""
    found: list[bytes] = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text.encode())
        found.append(whole[-(-before * 8 // 6) : (before + len(text)) * 8 // 6])
    return found


LEAK = re.compile(rb"[\w./+-]{0,40}(?:" + b"|".join([MARK.encode(), *_in_base64(MARK)]) + rb")")
"""A secret, as it is or in base64, with what stands right before it."""
