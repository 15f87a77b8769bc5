"""Telling the owner of a report: what failed, why, and where to look; once per incident, and never the audience."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kpi_assets.errors import DeliveryError, KpiAssetsError, redact, redacted_traceback
from kpi_assets.ledger.notices import Kind, Notice, Notices
from kpi_assets.plan import ReportPlan
from kpi_assets.session import Session

log = logging.getLogger("kpi_assets")

DAGSTER_URL = "KPI_ASSETS_DAGSTER_URL"
"""Where Dagster's web server is reached, e.g. https://dagster.example.com; runs are linked below it."""

MOST_FAULTS = 20
MOST_CHARACTERS = 1500
"""Of the text of one fault."""


@dataclass(frozen=True)
class Fault:
    """One thing that went wrong. `asset`: key of the failing asset, `a/b/c`, where it is known; `text` says the fix."""

    text: str
    asset: str = ""


@dataclass(frozen=True)
class Incident:
    """What happened to a report, as far as its owner should know.

    `id` is the same for all runs that belong together: a run and its retries, a backfill, a call of the command line.
    `editions`: ids, oldest first. `link`: where the run is shown, empty where nobody serves it.
    """

    id: str
    kind: Kind
    editions: tuple[str, ...]
    last_day: date
    faults: tuple[Fault, ...] = ()
    run_id: str = ""
    backfill: str = ""
    link: str = ""


@dataclass(frozen=True)
class Note:
    """A short message in plain words."""

    subject: str
    text: str


def run_link(base: str, run_id: str) -> str:
    """Where the web server at `base` shows a run; empty without either."""
    return f"{base.rstrip('/')}/runs/{run_id}" if base and run_id else ""


def tell_owner(session: Session, incident: Incident) -> str:
    """Tell the owner of an incident, unless somebody has: one sentence on what was done, empty where nothing was.

    A recovery is told only where trouble was told before, of that edition or an earlier one. Raises DeliveryError where
    the owner could not be told, LedgerError, and ConfigError for a variable that is not set.
    """
    plan, channel = session.plan, session.plan.owner_output
    owner = plan.config.owner
    if channel is None or owner is None:
        return ""
    notices = Notices(session.ledger.database, session.ledger.hide)
    told = notices.trouble(plan.id) if incident.kind == "recovered" else None
    if incident.kind == "recovered":
        if told is None or told.notice.last_day > incident.last_day:
            return ""
        id = told.notice.incident
    else:
        id = incident.id
    notice = Notice(plan.id, id, incident.kind, incident.last_day, owner, channel.id, incident.run_id)
    if not notices.claim(notice, now=session.clock()):
        return ""
    _send(session, notices, notice, write_note(plan, incident))
    return f"{owner} was told by '{channel.id}' that {plan.id} {WORDS[incident.kind]}"


WORDS: dict[Kind, str] = {
    "failed": "failed",
    "incomplete": "went out incomplete",
    "recovered": "is well again",
}


def _send(session: Session, notices: Notices, notice: Notice, note: Note) -> None:
    """Tell, and record what became of it."""
    secrets = session.secrets
    try:
        output = session.output(notice.output)
        output.tell(notice.owner, redact(note.subject, secrets), redact(note.text, secrets))
    except KpiAssetsError as error:
        doubt = isinstance(error, DeliveryError) and error.ambiguous
        notices.settle(notice, "unknown" if doubt else "failed", str(error), now=session.clock())
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the report goes on
        log.debug("output %s could not tell\n%s", notice.output, redacted_traceback(secrets))
        reason = redact(f"{type(error).__name__}: {error}", secrets)
        notices.settle(notice, "failed", reason, now=session.clock())
        raise DeliveryError(notice.output, reason) from None
    notices.settle(notice, "told", now=session.clock())


def write_note(plan: ReportPlan, incident: Incident) -> Note:
    """The words for the owner."""
    what = _editions(incident.editions)
    subject = f"[kpi-assets] {plan.id}: {what} {WORDS[incident.kind]}"
    if incident.kind == "recovered":
        subject = f"[kpi-assets] {plan.id} is well again: {what} is done"
    paragraphs = [_opening(plan, incident, what), *_faults(incident.faults), _where(incident)]
    if incident.kind != "recovered":
        paragraphs.append(
            "You are told as the owner of the report; its audience is not. What people have got already is not sent "
            "again when the edition is made again."
        )
    return Note(subject, "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n")


def _opening(plan: ReportPlan, incident: Incident, what: str) -> str:
    match incident.kind:
        case "failed":
            return f"The report '{plan.id}' failed: {what} could not be finished."
        case "incomplete":
            return (
                f"The report '{plan.id}' went out incomplete: in {what} a placeholder stands for what could not be "
                "made (on_view_error: placeholder)."
            )
        case "recovered":
            return f"The report '{plan.id}' works again: {what} was made and delivered."


def _faults(faults: Sequence[Fault]) -> list[str]:
    shown = [_fault(fault) for fault in dict.fromkeys(faults)]
    if len(shown) > MOST_FAULTS:
        return [*shown[:MOST_FAULTS], f"and {len(shown) - MOST_FAULTS} more"]
    return shown


def _fault(fault: Fault) -> str:
    text = fault.text if len(fault.text) <= MOST_CHARACTERS else f"{fault.text[:MOST_CHARACTERS]}..."
    return f"{fault.asset}\n  {text}" if fault.asset else text


def _where(incident: Incident) -> str:
    lines = [f"Run: {incident.link or incident.run_id}" if incident.run_id else ""]
    if incident.backfill:
        lines.append(f"Backfill: {incident.backfill}; its other failures are not told one by one.")
    return "\n".join(line for line in lines if line)


def _editions(editions: Sequence[str]) -> str:
    if len(editions) == 1:
        return f"edition {editions[0]}"
    return f"{len(editions)} editions ({editions[0]} to {editions[-1]})"
