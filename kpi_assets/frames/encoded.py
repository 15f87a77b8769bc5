"""What a stored frame is made of. Imports no library: what is known of a file without its rows needs none."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeAlias

Coding = Literal[
    "plain", "zoned", "string", "masked", "arrow", "text", "bytes", "decimal", "date", "scalar", "json"
]

Column: TypeAlias = Any
"""A `pyarrow.ChunkedArray`; pyarrow ships no types."""


@dataclass(frozen=True)
class ColumnHead:
    """A stored column: its name, its pandas type, and how its values are laid down."""

    name: str
    dtype: str
    coding: Coding


@dataclass(frozen=True)
class Encoded:
    """A frame in Arrow; the table's columns go by position (`0`, `1`, ...) because names may repeat or be empty."""

    heads: tuple[ColumnHead, ...]
    columns: tuple[Column, ...]
    rows: int


def combined_hash(hashes: list[tuple[str, str]]) -> str:
    """One hash over the hashes of several stored frames, each with the slot it fills."""
    return sha256("\n".join(f"{slot} {content}" for slot, content in sorted(hashes)).encode()).hexdigest()
