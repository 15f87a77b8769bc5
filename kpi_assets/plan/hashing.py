"""Short hashes of what a plan is made of."""

from __future__ import annotations

import hashlib
import json

from kpi_assets.config.env import EnvRef


def digest(*parts: object) -> str:
    """A short hash of JSON-like values; EnvRefs count by their template, never by their value."""
    text = json.dumps(parts, sort_keys=True, default=_canonical)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: object) -> str:
    return value.template if isinstance(value, EnvRef) else str(value)
