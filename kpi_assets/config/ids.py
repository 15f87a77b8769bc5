"""Names that are safe as Dagster asset keys, folders and file names: letters, digits and `_`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

MAX_LENGTH = 80
SAFE = re.compile(r"[A-Za-z0-9_]+")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9_]+")


def safe_id(text: str) -> str | None:
    """The id to use for a key of the file: itself where it is safe, else its nearest safe form.

    Where letters are lost (a foreign alphabet, excess length) a hash keeps the form distinct. None for what cannot be
    meant as a name: nothing, dots alone, slashes, control characters.
    """
    if SAFE.fullmatch(text) and len(text) <= MAX_LENGTH:
        return text
    if not text.strip(". ") or any(char in "/\\" or not char.isprintable() for char in text):
        return None
    folded = unicodedata.normalize("NFKD", text)
    ascii_only = "".join(char for char in folded if not unicodedata.combining(char))
    safe = _UNSAFE_RUN.sub("_", ascii_only.encode("ascii", "ignore").decode())
    lost = not ascii_only.isascii() or len(safe) > MAX_LENGTH
    return f"{safe[:MAX_LENGTH].strip('_') or 'id'}_{_hash(text)}" if lost else safe


def report_id(files: list[Path] | tuple[Path, ...]) -> str:
    """The report's id: the stem of its first file, made safe."""
    stem = files[0].stem
    return safe_id(stem) or f"report_{_hash(stem)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
