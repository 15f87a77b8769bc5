"""How late a report is: how long ago its newest due edition should have gone out, if it has not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kpi_assets.assets.due import Due, due_editions
from kpi_assets.ledger.totals import Edition, Total, Totals
from kpi_assets.plan import ReportPlan

LOOKS = (timedelta(days=2), timedelta(days=40), timedelta(days=400))
"""How far back the newest tick of a schedule is looked for: most tick daily, some monthly, a few yearly."""

SETTLED = frozenset({"sent", "partial", "skipped", "unknown"})
"""States of a delivery that need no more time; `unknown` needs a person, and has a metric of its own."""


def newest_due(plan: ReportPlan, now: datetime) -> Due | None:
    """The newest edition that the report's `schedule:` has asked for; None without a schedule or a tick so far."""
    if plan.config.schedule is None:
        return None
    for look in LOOKS:
        due = due_editions(plan, now - look, now)
        if due:
            return due[-1]
    return None


@dataclass(frozen=True)
class Lateness:
    """`seconds` since the newest due edition of a report should have gone out; 0 where it has. `due`: that moment."""

    report: str
    seconds: float
    due: datetime


def lateness(
    plans: Iterable[ReportPlan], totals: Totals, runs: Sequence[Total], *, now: datetime, since: datetime
) -> list[Lateness]:
    """How late each report with a schedule is.

    An edition has gone out when every output of the report has settled it, or, without outputs, when it was made. A
    report that was never run owes only what became due after `since`: it may have been written a minute ago.
    Raises LedgerError.
    """
    found = ((plan, newest_due(plan, now)) for plan in plans)
    due = [(plan, newest) for plan, newest in found if newest]
    states = totals.states_of([_edition(plan, newest) for plan, newest in due], now=now)
    known = {total.report: total for total in runs}
    return [
        Lateness(
            plan.id,
            0.0
            if _is_out(plan, newest, states.get(_edition(plan, newest), {}), known.get(plan.id))
            or (plan.id not in known and newest.at <= since)
            else (now - newest.at).total_seconds(),
            newest.at,
        )
        for plan, newest in due
    ]


def _edition(plan: ReportPlan, due: Due) -> Edition:
    return plan.id, due.window.start, due.window.end


def _is_out(plan: ReportPlan, due: Due, states: Mapping[str, frozenset[str]], total: Total | None) -> bool:
    if plan.outputs:
        return all(states.get(output.id) and states[output.id] <= SETTLED for output in plan.outputs)
    newest = total.made.newest_end if total else None
    return newest is not None and newest >= due.window.end
