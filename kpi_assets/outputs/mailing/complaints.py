"""SendGrid's answers to what it does not take, as sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def complaints(body: bytes | str) -> str:
    """Every error of the answer with its field and help text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        errors = json.loads(text)["errors"]
        return "; ".join(_complaint(error) for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(text.split())[:300] or "without a reason"


def _complaint(error: Mapping[str, Any]) -> str:
    field, help_text = error.get("field"), error.get("help")
    words = str(error.get("message") or "no message")
    words += f" (field {field})" if field else ""
    return f"{words}, see {help_text}" if help_text else words
