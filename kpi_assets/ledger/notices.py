"""What owners were told of: each incident once, whoever noticed it, the command line or Dagster's daemon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from kpi_assets.ledger.database import Database
from kpi_assets.ledger.rows import Hide
from kpi_assets.ledger.schema import NOTICES

Kind = Literal["failed", "incomplete", "recovered"]
"""`incomplete`: the edition went out with a placeholder in it. `recovered`: a later edition was made whole."""

NoticeState = Literal["claimed", "told", "failed", "unknown"]

LEASE = timedelta(minutes=5)
"""How long telling may take. After it a silent process counts as dead: better to be told twice than never."""


@dataclass(frozen=True)
class Notice:
    """Something that an owner is to be told once. Report, incident and kind identify it.

    `incident`: a run with all its retries, a backfill, or a call of the command line. `last_day`: of the newest edition
    that it is about. `output`: the channel.
    """

    report: str
    incident: str
    kind: Kind
    last_day: date
    owner: str
    output: str
    run_id: str = ""


@dataclass(frozen=True)
class Told:
    """A notice of the ledger, and what became of it."""

    notice: Notice
    state: NoticeState
    reason: str
    at: datetime


@dataclass(frozen=True)
class Notices:
    """The notices of a ledger's database. All methods raise LedgerError when it does not answer."""

    database: Database
    hide: Hide

    def claim(self, notice: Notice, *, now: datetime) -> bool:
        """May this process tell? False where it was told, or another process is telling right now."""
        with self.database.turn(f"notice/{notice.report}/{notice.incident}") as connection:
            row = _row(connection, notice)
            if row is None:
                _add(connection, notice, self.hide, now)
                return True
            free = row.state == "failed" or (row.state == "claimed" and row.lease_until <= now)
            if free:
                _change(connection, notice, state="claimed", lease_until=now + LEASE, changed_at=now)
            return free

    def settle(self, notice: Notice, state: NoticeState, reason: str = "", *, now: datetime) -> None:
        """Record what became of telling."""
        with self.database.turn(f"notice/{notice.report}/{notice.incident}") as connection:
            said = self.hide(reason)
            _change(connection, notice, state=state, reason=said, lease_until=None, changed_at=now)

    def trouble(self, report: str) -> Told | None:
        """The newest trouble that the owner heard of and that is not over; None where all is well."""
        heard = (NOTICES.c.report == report, NOTICES.c.state.in_(("told", "unknown")))
        newest = select(NOTICES).where(*heard).order_by(NOTICES.c.changed_at.desc(), NOTICES.c.id.desc())
        with self.database.turn("look") as connection:
            row = connection.execute(newest.limit(1)).one_or_none()
        return None if row is None or row.kind == "recovered" else _told(row)

    def entries(self, report: str | None = None) -> list[Told]:
        """Everything that was told, the newest first."""
        wanted = select(NOTICES).order_by(NOTICES.c.created_at.desc(), NOTICES.c.id.desc())
        if report is not None:
            wanted = wanted.where(NOTICES.c.report == report)
        with self.database.turn("look") as connection:
            return [_told(row) for row in connection.execute(wanted)]


def _identity(notice: Notice) -> list[Any]:
    table = NOTICES.c
    return [table.report == notice.report, table.incident == notice.incident, table.kind == notice.kind]


def _row(connection: Connection, notice: Notice) -> Row[Any] | None:
    return connection.execute(select(NOTICES).where(*_identity(notice))).one_or_none()


def _add(connection: Connection, notice: Notice, hide: Hide, now: datetime) -> None:
    values: dict[str, Any] = {
        "report": notice.report,
        "incident": notice.incident,
        "kind": notice.kind,
        "last_day": notice.last_day,
        "owner": hide(notice.owner),
        "output": notice.output,
        "run_id": notice.run_id,
        "state": "claimed",
        "reason": "",
        "lease_until": now + LEASE,
        "created_at": now,
        "changed_at": now,
    }
    connection.execute(NOTICES.insert().values(values))


def _change(connection: Connection, notice: Notice, **values: Any) -> None:
    connection.execute(update(NOTICES).where(*_identity(notice)).values(values))


def _told(row: Row[Any]) -> Told:
    notice = Notice(row.report, row.incident, row.kind, row.last_day, row.owner, row.output, row.run_id)
    return Told(notice, row.state, row.reason, row.changed_at)
