"""JMESPath: expressions, and the list that an expression takes its records from."""

from __future__ import annotations

from typing import Any


def compiled(expression: str) -> Any:
    """A JMESPath expression, ready to search with. Raises ValueError."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        words = " ".join(str(error).splitlines()[0].split())
        raise ValueError(f"'{expression}' is not JMESPath: {words}") from None


def sent(document: Any, expression: str) -> int | None:
    """How many records a page was sent with, before `[?...]` and `[].x` leave some of them out; None: not known.

    `items[?open].user` is searched as `items`. The expression must have been searched in the document before.
    """
    from jmespath.parser import ParsedResult

    node = compiled(expression).parsed
    while node["type"] in _NARROWING:
        node = node["children"][0]
    found = ParsedResult(expression, node).search(document)
    return len(found) if isinstance(found, list) else None


_NARROWING = ("projection", "filter_projection", "flatten", "pipe")
"""Nodes of JMESPath's tree whose first child is the list that they take from."""
