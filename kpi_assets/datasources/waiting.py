"""How long is waited for who is asked over HTTP: until a deadline, and as long as the server wishes."""

from __future__ import annotations

import email.utils
import re
import time

NOT_HTTP = "does not answer in HTTP: is the port right, and is it http or https?"


class Deadline:
    """The end of a query's time, all its pages and retries together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.0)


def retry_after(header: str, date: str) -> float | None:
    """Seconds that a `Retry-After` asks for; a moment counts from the answer's own `Date`."""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header.strip()):
        return float(header)
    until, sent = email.utils.parsedate_tz(header), email.utils.parsedate_tz(date)
    if until is None or sent is None:
        return None
    return max(float(email.utils.mktime_tz(until) - email.utils.mktime_tz(sent)), 0.0)


def speaks_not(words: str) -> bool:
    """Do the client's words say that what came is not HTTP, as from a database's or a TLS port?"""
    return words.startswith(("illegal request line", "illegal status line"))
