"""How a suite says that a rule is broken: in words, also where Python drops `assert`."""

from __future__ import annotations

from collections.abc import Iterable


def insist(holds: object, message: str) -> None:
    """AssertionError with the message where the rule does not hold."""
    if not holds:
        raise AssertionError(message)


def nothing_wrong(problems: Iterable[str]) -> None:
    """AssertionError that lists the problems, if there are any."""
    found = list(problems)
    insist(not found, "\n".join(found))
