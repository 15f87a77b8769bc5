"""What a stored file was made from, kept beside it, so that nothing is made twice from the same.

The note names the file's content too: after a crash between the two, or an edit by hand, it holds no more.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from kpi_assets.files import told_of, write_whole

ORIGIN = ".origin"


def note_origin(path: Path, content: bytes, origin: str) -> None:
    """Keep beside the file what its content was made from; "" forgets what was kept."""
    beside = path.with_suffix(ORIGIN)
    if origin:
        write_whole(beside, _note(origin, content))
        return
    with told_of(beside):
        beside.unlink(missing_ok=True)


def has_origin(path: Path, content: bytes, origin: str) -> bool:
    """Was this content of the file made from exactly that?"""
    try:
        return bool(origin) and path.with_suffix(ORIGIN).read_bytes() == _note(origin, content)
    except OSError:
        return False


def _note(origin: str, content: bytes) -> bytes:
    return f"{origin} {sha256(content).hexdigest()}\n".encode()
