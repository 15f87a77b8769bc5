"""What runs have done, added up report by report beside the ledger, and how its deliveries stand: for metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, tuple_, update

from kpi_assets.ledger.database import Database
from kpi_assets.ledger.model import SUMS, Made, State
from kpi_assets.ledger.schema import DELIVERIES, TOTALS

AT_ONCE = 500
"""Editions that are asked for in one query."""

Edition = tuple[str, date, date]
"""Report, first day, and the day after the last."""


@dataclass(frozen=True)
class Total:
    """The sums of a report since it was first run, and when its last edition was made."""

    report: str
    made: Made
    made_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """How many deliveries of an output are in a state, and when the last of them arrived."""

    report: str
    output: str
    state: State
    count: int
    delivered_at: datetime | None


@dataclass(frozen=True)
class Totals:
    """The sums in a ledger's database. All methods raise LedgerError when it does not answer."""

    database: Database

    def add(self, report: str, made: Made, *, now: datetime) -> None:
        """Count what was made."""
        with self.database.turn(f"totals/{report}") as connection:
            before = _total(connection, report)
            if before is None:
                connection.execute(TOTALS.insert().values(report=report, **_values(made, None, now)))
            else:
                row = update(TOTALS).where(TOTALS.c.report == report)
                connection.execute(row.values(**_values(made, before, now)))

    def all(self) -> list[Total]:
        """The sums of every report that was ever run, by its id."""
        with self.database.turn("look") as connection:
            return [_of(row) for row in connection.execute(select(TOTALS).order_by(TOTALS.c.report))]

    def deliveries(self, *, now: datetime) -> list[Standing]:
        """How all deliveries stand. What a dead process left open counts as what it will be settled to."""
        table, state = DELIVERIES.c, _state(now)
        wanted = select(
            table.report, table.output, state.label("state"), func.count(), func.max(table.delivered_at)
        )
        grouped = wanted.group_by(table.report, table.output, state).order_by(table.report, table.output)
        with self.database.turn("look") as connection:
            return [Standing(*row) for row in connection.execute(grouped)]

    def states_of(
        self, editions: Sequence[Edition], *, now: datetime
    ) -> Mapping[Edition, Mapping[str, frozenset[State]]]:
        """The states of each edition's deliveries, by output; what was never tried has none."""
        table = DELIVERIES.c
        found: dict[Edition, dict[str, frozenset[State]]] = defaultdict(dict)
        edition = (table.report, table.window_start, table.window_end)
        wanted = select(*edition, table.output, _state(now).label("state")).distinct()
        with self.database.turn("look") as connection:
            for first in range(0, len(editions), AT_ONCE):
                part = tuple_(*edition).in_(editions[first : first + AT_ONCE])
                for report, start, end, output, state in connection.execute(wanted.where(part)):
                    states = found[report, start, end]
                    states[output] = states.get(output, frozenset()) | {state}
        return found


def _state(now: datetime) -> ColumnElement[str]:
    """The state, as `Entry.lapsed` and `Turn.give_up` see it."""
    table = DELIVERIES.c
    lapsed = (table.state == "claimed") & (table.lease_until.is_(None) | (table.lease_until <= now))
    return case((lapsed & (table.effect == "publish"), "failed"), (lapsed, "unknown"), else_=table.state)


def _total(connection: Connection, report: str) -> Total | None:
    row = connection.execute(select(TOTALS).where(TOTALS.c.report == report)).one_or_none()
    return _of(row) if row else None


def _of(row: Any) -> Total:
    made = Made(**{name: getattr(row, name) for name in SUMS}, newest_end=row.newest_end)
    return Total(row.report, made, row.made_at)


def _values(made: Made, before: Total | None, now: datetime) -> dict[str, Any]:
    """The row's new values."""
    total = before.made.plus(made) if before else made
    made_at = now if made.editions else (before.made_at if before else None)
    return {**asdict(total), "made_at": made_at}
