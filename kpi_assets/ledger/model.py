"""The words of the ledger. Moments are zone-aware UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

from kpi_assets.contracts import Receipt
from kpi_assets.errors import InputError

State = Literal["claimed", "sent", "partial", "failed", "unknown", "skipped"]
"""What became of a delivery. `partial`: some recipients were refused. `unknown`: it may have arrived or not."""

STATES: tuple[State, ...] = ("claimed", "sent", "partial", "failed", "unknown", "skipped")

Why = Literal["first", "again", "changed", "forced", "publish"]
"""Why an attempt was allowed. `again`: the attempt before delivered nothing. `changed`: `redeliver: on_change`."""

Stop = Literal["done", "busy", "unknown"]
"""Why an attempt was not allowed: people have it, another process is at it, or nobody knows whether they have it."""

Redeliver = Literal["never", "on_change"]


class LedgerError(InputError):
    """The ledger cannot be read or written. Nothing is delivered without it."""


@dataclass(frozen=True)
class Claim:
    """What somebody wants to deliver: an edition, by an output, to recipients. `end` is not included.

    Report, window, output and recipients identify it; the rest is for people. `run_id` names the run that asks, the
    same for all its retries: within one run `force` counts once. `content_hash` is of what readers are told,
    so that an edition made again from the same rows is the same. `announces`: `Ledger.handing_over` will be called
    before people can see anything of it.
    """

    report: str
    start: date
    end: date
    output: str
    edition: str = ""
    plugin: str = ""
    effect: Literal["publish", "notify"] = "notify"
    recipients: tuple[str, ...] = ()
    content_hash: str = ""
    run_id: str = ""
    announces: bool = False

    @property
    def audience(self) -> str:
        """A short hash of the set of recipients; the same in any order and case."""
        return sha256("\n".join(sorted(members(self.recipients))).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Terms:
    """When a delivery that was made may be made again: when asked (`force`), or when its content changed."""

    force: bool = False
    redeliver: Redeliver = "never"


ONCE = Terms()


@dataclass(frozen=True)
class Entry:
    """A row of the ledger: one edition by one output to one set of recipients.

    `members` are hashes of the recipients and `reached` of those who have it; `recipients` are for people, secrets in
    them hidden. `content_hash` and `receipt` are of the last delivery that arrived; `reason` tells why the last did
    not. `forced`: the last attempt was. `changed_at`: when the state last changed; `delivered_at`: when the edition
    last arrived.
    """

    id: int
    report: str
    start: date
    end: date
    output: str
    audience: str
    edition: str
    plugin: str
    effect: Literal["publish", "notify"]
    recipients: tuple[str, ...]
    members: frozenset[str]
    reached: frozenset[str]
    state: State
    before: State | None
    reason: str
    content_hash: str
    receipt: Receipt | None
    attempts: int
    token: str
    lease_until: datetime | None
    run_id: str
    forced: bool
    created_at: datetime
    changed_at: datetime
    delivered_at: datetime | None

    def lapsed(self, now: datetime) -> bool:
        """Claimed by a process that has not been heard of for as long as its lease."""
        return self.state == "claimed" and (self.lease_until is None or self.lease_until <= now)


@dataclass(frozen=True)
class Attempt:
    """One try to deliver an entry; the history is only added to. `ended_at` is None while it runs or where it died."""

    number: int
    state: State
    why: Why
    run_id: str
    content_hash: str
    reason: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Held:
    """A claim that is ours until `lease_until`; `token` proves it. `terms` are those under which it was taken."""

    claim: Claim
    id: int
    token: str
    why: Why
    lease_until: datetime
    terms: Terms = ONCE


@dataclass(frozen=True)
class Refused:
    """A claim that is not ours. `text` says why, for people; `entry` is what the ledger has of it."""

    stop: Stop
    text: str
    entry: Entry | None = None


SUMS = ("editions", "queries", "failed_queries", "failed_views", "rows", "query_seconds", "render_seconds")


@dataclass(frozen=True)
class Made:
    """What a part of a run did. The parts of a run may be counted one by one, and by different processes.

    `rows` were fetched from sources, in `query_seconds` of their time. `newest_end`: the day after the last day of the
    newest regular edition among those made.
    """

    editions: int = 0
    queries: int = 0
    failed_queries: int = 0
    failed_views: int = 0
    rows: int = 0
    query_seconds: float = 0.0
    render_seconds: float = 0.0
    newest_end: date | None = None

    def plus(self, other: Made) -> Made:
        """What both parts did together."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in SUMS}
        newest = max((end for end in (self.newest_end, other.newest_end) if end), default=None)
        return Made(**sums, newest_end=newest)


def member(recipient: str) -> str:
    """A recipient's hash, by which the ledger knows him also where his address is a secret."""
    return sha256(recipient.strip().casefold().encode()).hexdigest()[:16]


def members(recipients: Iterable[str]) -> frozenset[str]:
    return frozenset(member(recipient) for recipient in recipients)


def reached_by(claim: Claim, receipt: Receipt) -> frozenset[str]:
    """Who of the claim's recipients has it: all but the refused."""
    refused = members(text.partition(": ")[0] for text in receipt.refused)
    return members(claim.recipients) - refused


def moment(at: datetime) -> str:
    """`2024-11-25 05:00 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
