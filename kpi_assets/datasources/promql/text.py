"""What can be told from a PromQL text without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from kpi_assets.contracts.recipient import RECIPIENT, text_of

_COMPARES = re.compile(r"!?=\s*\Z")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*')
_RANGED = re.compile(r"\b(start|end|step|range)\s*\(", re.IGNORECASE)


def ranged_call(text: str) -> str:
    """The call in a query whose value depends on the range (`@ end()`, ...); empty where there is none.

    All else is evaluated point by point: the range only says for which.
    """
    found = _RANGED.search(_QUOTED.sub('""', text))
    return f"{found[1].lower()}()" if found else ""


class PersonalTextError(ValueError):
    """A recipient's value cannot be put in; the message says what to write."""


def personal(text: str, value: Callable[[str], Any]) -> str:
    """The query with a recipient's values as the strings of label matchers: `region="{recipient.region}"`.

    PromQL binds nothing, so a value is only ever the whole of a string that PromQL compares, quoted as Go quotes.
    Raises PersonalTextError for a token that stands elsewhere, and for values that would match what has no such label.
    """
    parts: list[str] = []
    position = 0
    for match in _QUOTED.finditer(text):
        before = text[position : match.start()]
        token = RECIPIENT.fullmatch(match[0][1:-1])
        compares = bool(_COMPARES.search(before))
        parts += [_refused(before), _quoted(token[1], value) if token and compares else _string(match[0])]
        position = match.end()
    return "".join([*parts, _refused(text[position:])])


def _string(text: str) -> str:
    """A string or comment as it is."""
    return text if text.startswith("#") else _refused(text)


def _refused(text: str) -> str:
    if token := RECIPIENT.search(text):
        raise PersonalTextError(f'{token[0]} may only be a whole matcher, as in label="{token[0]}" (= or !=)')
    return text


def _quoted(name: str, value: Callable[[str], Any]) -> str:
    found = text_of(value(name))
    if not found:
        raise PersonalTextError(
            f"{{recipient.{name}}} is empty, which would match all series without that label"
        )
    return json.dumps(found, ensure_ascii=False)
