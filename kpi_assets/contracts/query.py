"""What is asked of a datasource, and what is known about the question before it is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kpi_assets.contracts.recipient import Recipient
from kpi_assets.contracts.window import Span

Grain = Literal["day", "window"]
GrainSetting = Literal["auto", "day", "window"]
Refresh = Literal["window", "missing"] | int


@dataclass(frozen=True)
class ColumnContract:
    """What a column of a frame promises; the fields of `columns:` in YAML."""

    name: str
    type: Literal["string", "integer", "float", "number", "boolean", "date", "datetime"] | None = None
    nullable: bool = True
    unique: bool = False
    min: float | str | None = None
    max: float | str | None = None
    allowed: tuple[Any, ...] | None = None
    description: str = ""


@dataclass(frozen=True)
class Query:
    """A question to a datasource.

    `text` is the backend's own language, with `{from}`, `{to}` and `{interval}` standing for the window.
    `args` are the backend's options (`query_args` in YAML): plain JSON values. `recipient` is whom the rows are for:
    her values are bound where `{recipient.name}` stands; None where they are for everybody.
    """

    id: str
    datasource: str
    text: str
    args: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnContract, ...] = ()
    description: str = ""
    recipient: Recipient | None = None

    def digest(self, *more: object) -> str:
        """A short hash of everything that decides what rows come back, and of `more`."""
        text = "\n".join(line.rstrip() for line in self.text.strip().splitlines())
        parts = [
            self.datasource,
            text,
            dict(self.args),
            *([self.recipient.key] if self.recipient else ()),
            *more,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class QueryAnalysis:
    """What a datasource can tell about a query without asking the backend.

    `grain` is `day` only where cutting by days is proven not to change the rows; `reason` says why (not).
    `day_column`: the output column that carries the row's moment or day, if one does; with it a ranged answer can be
    split by day. `tables`: the tables it reads, as written, for lineage.
    """

    grain: Grain
    reason: str
    day_column: str | None = None
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """One frame that a view wants: a query written in the view, or the id of a named one, over a span."""

    span: Span = field(default_factory=Span)
    ref: str | None = None
    datasource: str | None = None
    text: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameInfo:
    """What is known of a stored frame. `fetched_at` is zone-aware UTC; `seconds` is the backend's time."""

    rows: int
    seconds: float
    fetched_at: datetime
    content_hash: str
