"""A clock that tests turn, and an edition that is to be delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kpi_assets.contracts import Receipt
from kpi_assets.ledger import Claim

START = datetime(2024, 11, 25, 5, tzinfo=UTC)
PEOPLE = ("ada@example.com", "bob@example.com")

MAIL = Claim(
    report="weekly",
    start=date(2024, 11, 18),
    end=date(2024, 11, 25),
    output="board",
    edition="2024-11-24",
    plugin="smtp",
    effect="notify",
    recipients=PEOPLE,
    content_hash="v1",
)
PAGE = replace(MAIL, output="disk", plugin="static", effect="publish", recipients=())


@dataclass
class Clock:
    """Stands still until it is turned."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Postman:
    """Delivers by remembering whom he was sent to; `error` is raised instead."""

    claim: Claim = MAIL
    refused: Sequence[str] = ()
    error: BaseException | None = None
    rounds: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self) -> Receipt:
        if self.error:
            raise self.error
        self.rounds.append(self.claim.recipients)
        return receipt(self.claim, refused=self.refused)


def receipt(claim: Claim = MAIL, *, refused: Sequence[str] = (), **more: Any) -> Receipt:
    out = {text.partition(": ")[0] for text in refused}
    got = tuple(person for person in claim.recipients if person not in out)
    return Receipt(
        claim.output,
        claim.plugin,
        claim.effect,
        more.pop("location", "<2024-11-24.weekly@kpi>"),
        claim.content_hash,
        recipients=got,
        refused=tuple(refused),
        **more,
    )
