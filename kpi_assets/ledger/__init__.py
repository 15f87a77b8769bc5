"""The delivery ledger: what was delivered to whom, so that each edition is delivered exactly once.

`model` holds the words, `rules` and `audience` decide without I/O, `store` keeps it in SQLite or PostgreSQL, and `once`
is the one way to deliver. Only `store` and what lies under it load SQLAlchemy.
"""

from kpi_assets.ledger.model import Attempt, Claim, Entry, Held, LedgerError, Refused, State, Terms
from kpi_assets.ledger.once import Outcome, deliver_once

__all__ = [
    "Attempt",
    "Claim",
    "Entry",
    "Held",
    "LedgerError",
    "Outcome",
    "Refused",
    "State",
    "Terms",
    "deliver_once",
]
