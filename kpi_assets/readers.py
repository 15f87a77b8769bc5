"""Who gets editions of their own, read from the stored rows of the query that finds them; and a session for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Recipient, Span, Window
from kpi_assets.contracts.recipient import KEY
from kpi_assets.errors import DataError, InputError, RecipientError, suggest
from kpi_assets.plan import RecipientsPlan
from kpi_assets.plan.recipients import RESERVED
from kpi_assets.session import Session

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Audience:
    """The recipients of one edition, in their rows' order, and what is wrong with rows that are nobody's edition."""

    recipients: tuple[Recipient, ...]
    faults: tuple[RecipientError, ...] = ()

    def find(self, address: str) -> Recipient | None:
        """The recipient with this address."""
        wanted = address.strip().casefold()
        return next((found for found in self.recipients if found.identity == wanted), None)


def audience_of(session: Session, window: Window) -> Audience:
    """Who gets editions of a report with `recipients`.

    Raises DataError where the rows do not have the columns that the report needs, or were never fetched.
    """
    from kpi_assets.frames.load import load_frame

    who = session.plan.recipients
    if who is None:
        return Audience(())
    if not who.query:
        return gather(who, who.listed)
    query = session.plan.queries_by_id[who.query]
    frame = load_frame(session.frames, session.frame_key(query), query.analysis, Span(), window)
    _check_columns(who, [str(name) for name in frame.columns])
    return gather(who, _rows(frame))


def readers_of(session: Session, window: Window) -> list[Session]:
    """The sessions in which an edition is made: one for each recipient, or this one where it is for everybody."""
    if not session.plan.is_divided:
        return [session]
    return [session.for_recipient(recipient) for recipient in audience_of(session, window).recipients]


def reader_named(session: Session, window: Window, address: str | None) -> tuple[Session, str]:
    """The session of the recipient with this address, by default of the first, and whose it is.

    Of a report without recipients it is this one, and "". Raises InputError.
    """
    if not session.plan.is_divided:
        if address:
            raise InputError(f"--recipient {address}: report {session.plan.id} has no `recipients`")
        return session, ""
    audience = audience_of(session, window)
    if not audience.recipients:
        told = "; ".join(str(fault) for fault in audience.faults) or nobody(session, window)
        raise InputError(told)
    found = audience.find(address) if address else audience.recipients[0]
    if found is None:
        hint = suggest(str(address), [recipient.address for recipient in audience.recipients])
        raise InputError(f"--recipient {address} does not get {session.plan.id}: {hint}")
    return session.for_recipient(found), found.address


def nobody(session: Session, window: Window) -> str:
    """What is said of an edition that has no recipients."""
    who = session.plan.recipients
    found = f"query '{who.query}' finds no recipients" if who and who.query else "`recipients` is empty"
    return f"{found} for edition {session.plan.common_edition(window)}: nobody gets it"


def gather(who: RecipientsPlan, rows: Iterable[Mapping[str, Any]]) -> Audience:
    """One recipient for each person among the rows; equal rows count once, unequal ones of a person are a fault.

    Only what the report asks of them counts: other columns may change without anybody being another.
    """
    wanted = {who.column, *who.names}
    found: dict[str, list[Recipient]] = {}
    faults: list[RecipientError] = []
    for number, row in enumerate(rows, 1):
        values = {name: _plain(value) for name, value in row.items() if name in wanted}
        address = str(values.get(who.column) or "").strip()
        if not address:
            faults.append(RecipientError(f"in row {number}", _nameless(who)))
            continue
        recipient = Recipient(address, values)
        same = found.setdefault(recipient.identity, [])
        if recipient.key not in {other.key for other in same}:
            same.append(recipient)
    alone = tuple(several[0] for several in found.values() if len(several) == 1)
    return Audience(
        alone, (*faults, *(_divided(who, several) for several in found.values() if len(several) > 1))
    )


def _nameless(who: RecipientsPlan) -> str:
    rows = f"the query '{who.query}'" if who.query else "the list"
    return f"`{who.column}` is empty, so nobody can get it: fill it in, or leave the row out of {rows}"


def _divided(who: RecipientsPlan, several: Sequence[Recipient]) -> RecipientError:
    first = several[0].values
    names = [name for name in first if len({str(one.values.get(name)) for one in several}) > 1]
    return RecipientError(
        several[0].address,
        f"has {len(several)} rows that differ in {', '.join(names)}: give each person one row, and filter the other "
        f"queries by {{recipient.{who.column}}} where one may see several",
    )


def _check_columns(who: RecipientsPlan, columns: Sequence[str]) -> None:
    if KEY in columns:
        raise DataError(f"query '{who.query}': {RESERVED}")
    for name in sorted({who.column, *who.names}):
        if name not in columns:
            hint = suggest(name, columns) if columns else "it has no columns"
            raise DataError(
                f"query '{who.query}', which finds the recipients, has no column '{name}': {hint}"
            )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _plain(value: Any) -> Any:
    """A frame's value as Python's own, so that every driver takes it; no value is None."""
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False) if value == value else None  # noqa: PLR0124 - NaT is not itself
    elif hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, datetime) or value is None or isinstance(value, str | int):
        return value
    return None if value != value else value  # noqa: PLR0124 - pandas' other ways to say nothing
