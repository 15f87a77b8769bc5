"""An answer over HTTP as a whole: its JSON, its words, and what they mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

PASSING = frozenset({429, 502, 503, 504})
"""Answers of servers and gateways that are busy, starting or away."""
MOST_WORDS = 400


@dataclass(frozen=True)
class Answer:
    """A whole answer. `location` is where a redirect leads, `wait` for how many seconds the server asks to be left."""

    status: int
    body: bytes
    kind: str = ""
    location: str = ""
    wait: float | None = None

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def words(self) -> str:
        """The beginning of a text body on one line; nothing of a page."""
        if "html" in self.kind:
            return ""
        return " ".join(self.body[: 4 * MOST_WORDS].decode("utf-8", "replace").split())[:MOST_WORDS]


def is_passing(answer: Answer) -> bool:
    """Is the answer one that a later try may not get?"""
    return answer.status in PASSING


def complaint(answer: Answer, shown_host: str, login: str) -> str:
    """What an answer that is not 200 means, the same for every backend; `login` names the arguments of the login."""
    if answer.status == 401:
        return f"{shown_host} refused the login (401): check {login}"
    if answer.status == 403:
        return f"{shown_host} does not allow this (403): check {login} and what the account may read"
    if 300 <= answer.status < 400:
        where = answer.location.partition("?")[0] or "nowhere"
        advice = f"write the final address as `host`, and check {login}"
        return f"{shown_host} redirects to {where} ({answer.status}): {advice}"
    words = f": {answer.words}" if answer.words else ""
    return f"{shown_host} answers {answer.status}{words}"
