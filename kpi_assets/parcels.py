"""What is to be delivered of an edition: its document, or one for each recipient, kept apart from all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kpi_assets.contracts import Document, Window
from kpi_assets.errors import DeliveryError, InputError, KpiAssetsError, RecipientError
from kpi_assets.ledger import Entry
from kpi_assets.plan.recipients import place_of
from kpi_assets.readers import audience_of
from kpi_assets.session import Session

MEET = "another recipient's edition would lie in the same place ({place}); write {{recipient.key}} in it"


@dataclass(frozen=True)
class Parcel:
    """A document for an output, or why there is none. `session` is that of `address`, whose edition it is."""

    session: Session
    output: str
    document: Document | None = None
    error: KpiAssetsError | None = None
    address: str = ""


def parcels(session: Session, window: Window, output_ids: Sequence[str]) -> Iterator[Parcel]:
    """Everything that the outputs are to deliver of an edition, recipient by recipient; nothing where nobody is one."""
    if not session.plan.is_divided:
        document = session.editions.load_document(session.plan.id, session.plan.edition(window))
        yield from (Parcel(session, id, document) for id in output_ids)
        return
    audience = audience_of(session, window)
    for fault in audience.faults:
        yield from (Parcel(session, id, error=fault, address=fault.recipient) for id in output_ids)
    readers = [session.for_recipient(recipient) for recipient in audience.recipients]
    places = [_places(reader) for reader in readers]
    taken = Counter(place for hers in places for place in hers)
    for reader, hers in zip(readers, places, strict=True):
        crowded = {place[0]: place[1:] for place in hers if taken[place] > 1}
        yield from _hers(reader, window, output_ids, crowded)


def reader_of(session: Session, entry: Entry) -> Session:
    """The session of whose edition the ledger's entry is. Raises InputError where she is no recipient any more."""
    if not session.plan.is_divided:
        return session
    window = Window(entry.start, entry.end, session.plan.zone)
    for recipient in audience_of(session, window).recipients:
        reader = session.for_recipient(recipient)
        if reader.plan.edition(window) == entry.edition:
            return reader
    who = ", ".join(entry.recipients) or "nobody"
    raise InputError(
        f"edition {entry.edition} was for {who}, who is no such recipient now: run the edition again"
    )


def _hers(
    reader: Session, window: Window, output_ids: Sequence[str], crowded: Mapping[str, tuple[str, ...]]
) -> Iterator[Parcel]:
    """One recipient's parcels. `crowded`: outputs that would put another recipient's edition in the same place."""
    try:
        document = _document_of(reader, window)
    except KpiAssetsError as error:
        yield from (Parcel(reader, id, error=error, address=reader.address) for id in output_ids)
        return
    for id in output_ids:
        if id in crowded:
            error = DeliveryError(id, MEET.format(place=", ".join(crowded[id])))
            yield Parcel(reader, id, error=error, address=reader.address)
        else:
            yield Parcel(reader, id, document, address=reader.address)


def _document_of(reader: Session, window: Window) -> Document:
    """The stored document; not one that could not be made anew, which would tell old numbers."""
    plan, edition = reader.plan, reader.plan.edition(window)
    if fault := reader.editions.find_fault(plan.id, edition):
        raise RecipientError(reader.address, fault)
    return reader.editions.load_document(plan.id, edition)


def _places(reader: Session) -> list[tuple[str, ...]]:
    """Where the recipient's editions are put: the output's id and the place. An output that cannot tell is left out."""
    found: list[tuple[str, ...]] = []
    for output in reader.plan.outputs:
        with suppress(ValueError):  # told when it is to deliver
            place = place_of(output)
            found += [(output.id, *place)] if place else []
    return found
