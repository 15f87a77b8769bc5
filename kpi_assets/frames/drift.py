"""What changed in a query's columns between two fetches, both sides told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

KINDS = {"b": "boolean", "i": "number", "u": "number", "f": "number", "M": "datetime", "m": "duration"}


def drift(stored: Sequence[tuple[str, str]], fresh: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What changed in a query's columns, (name, type) then and now: columns gone or new, and kinds that differ.

    Integers and floats are one kind, since a gap makes one of the other; `object` may be anything and says nothing.
    """
    before, after = dict(stored), dict(fresh)
    gone = [
        f"column '{name}' ({before[name]}) is gone; now: {_listed(after)}"
        for name in before
        if name not in after
    ]
    new = [
        f"column '{name}' ({after[name]}) is new; before: {_listed(before)}"
        for name in after
        if name not in before
    ]
    changed = [
        f"column '{name}' was {before[name]} and is now {after[name]}"
        for name in before
        if name in after
        and _kind(before[name])
        and _kind(after[name])
        and _kind(before[name]) != _kind(after[name])
    ]
    return (*gone, *new, *changed)


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(columns) or "none"


def _kind(dtype: str) -> str:
    """The kind of a type as the store writes it; "" where it says nothing."""
    if dtype.startswith(("string", "pyarrow|", "python|")):
        return "text"
    if "|" in dtype or dtype.startswith("timestamp"):
        return "datetime"
    if dtype.startswith(("Int", "UInt", "Float")):
        return "number"
    try:
        return KINDS.get(np.dtype(dtype).kind, "")
    except TypeError:
        return ""
