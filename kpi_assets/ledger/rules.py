"""May this be delivered? Decided from the ledger's row alone, without I/O; docs/delivery.md says it in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from kpi_assets.ledger.model import Claim, Entry, Stop, Terms, Why, moment


@dataclass(frozen=True)
class Verdict:
    """`go` says why it may be delivered, `stop` why not; exactly one is set. `text` is for people."""

    go: Why | None = None
    stop: Stop | None = None
    text: str = ""


def decide(entry: Entry | None, claim: Claim, terms: Terms, now: datetime) -> Verdict:
    """What is published may always be published again; what people see, only by these rules."""
    if claim.effect == "publish":
        return Verdict(go="publish")
    entry = as_left(entry, now) if entry else None
    if entry is None or entry.state in ("failed", "skipped"):
        return Verdict(go=_why(entry, claim, terms))
    if entry.state == "claimed":
        return Verdict(stop="busy", text=f"another process is delivering it since {moment(entry.changed_at)}")
    if _forced(entry, claim, terms):
        return Verdict(go="forced")
    return _settled(entry, claim, terms)


def _settled(entry: Entry, claim: Claim, terms: Terms) -> Verdict:
    """What people may have, and nobody asked to have delivered again."""
    if entry.state == "unknown":
        return Verdict(stop="unknown", text=doubt(entry))
    if terms.redeliver == "on_change" and entry.content_hash != claim.content_hash:
        return Verdict(go="changed")
    return Verdict(stop="done", text=_done(entry, changed=entry.content_hash != claim.content_hash))


def as_left(entry: Entry, now: datetime) -> Entry:
    """The entry as the process that held it leaves it, where that is dead; else as it is.

    What publishes is done again, and so is what had not been handed over; all else may have arrived.
    """
    if not entry.lapsed(now):
        return entry
    if entry.effect == "notify" and entry.reason != NOTHING_YET:
        return replace(entry, state="unknown", reason=LEFT, lease_until=None)
    reason = LEFT_EARLY if entry.reason == NOTHING_YET else LEFT
    return replace(still(entry), reason=reason, lease_until=None)


def still(entry: Entry) -> Entry:
    """As a failed attempt leaves it: who had a notification has it still, or is still in doubt."""
    if entry.effect == "publish" or entry.before not in ("sent", "partial", "unknown"):
        return replace(entry, state="failed")
    return replace(entry, state=entry.before, run_id="")


def doubt(entry: Entry) -> str:
    """What is not known, and what a person can do about it."""
    return (
        f"it is not known whether {_people(entry)} got edition {entry.edition} "
        f"({entry.reason or LEFT}); look whether it arrived, then run "
        f"`kpi-assets deliveries confirm {entry.id}` if it did, or `kpi-assets deliveries resend {entry.id}`"
    )


LEFT = "the process that delivered it died before it had an answer"
NOTHING_YET = "nothing has been handed over yet"
"""The reason of a claim whose holder will say when people can see something, and has not yet."""
LEFT_EARLY = "the process that was to deliver it died before it handed anything over"


def _forced(entry: Entry, claim: Claim, terms: Terms) -> bool:
    """A run that forced it once does not force it again when Dagster repeats its step."""
    return terms.force and not (claim.run_id and entry.run_id == claim.run_id)


def _why(entry: Entry | None, claim: Claim, terms: Terms) -> Why:
    if entry is not None and entry.state == "skipped" and terms.force:
        return "forced"  # against the condition for which it was skipped
    if entry is None or not entry.attempts:
        return "first"
    return "forced" if _forced(entry, claim, terms) else "again"


def _done(entry: Entry, *, changed: bool) -> str:
    text = f"sent {moment(entry.delivered_at or entry.changed_at)}"
    if changed:
        text += ", with other content (`redeliver: on_change` or --force sends it again)"
    return text


def _people(entry: Entry) -> str:
    shown = ", ".join(entry.recipients[:3]) or f"the audience of '{entry.output}'"
    more = len(entry.recipients) - 3
    return f"{shown} and {more} more" if more > 0 else shown
