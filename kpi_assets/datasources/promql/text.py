"""What can be told from a PromQL text without a server."""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*')
_RANGED = re.compile(r"\b(start|end|step|range)\s*\(", re.IGNORECASE)


def ranged_call(text: str) -> str:
    """The call in a query whose value depends on the range (`@ end()`, ...); empty where there is none.

    All else is evaluated point by point: the range only says for which.
    """
    found = _RANGED.search(_QUOTED.sub('""', text))
    return f"{found[1].lower()}()" if found else ""
