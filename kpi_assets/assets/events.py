"""What a run tells whoever watches it, besides what Dagster records. The command line draws its progress from these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kpi_assets.contracts import Document, Window
from kpi_assets.delivery import Delivered
from kpi_assets.errors import KpiAssetsError
from kpi_assets.pipeline import Composed, Fetched, Rendered

StageName = Literal["queries", "views", "document", "outputs"]


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `ids` are the queries, views or outputs it will work on, for each of `windows`."""

    stage: StageName
    ids: tuple[str, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class StageFailed:
    """A stage ends with errors; nothing behind it will run."""

    stage: StageName
    errors: tuple[KpiAssetsError, ...]


@dataclass(frozen=True)
class Withheld:
    """An output that people see was not delivered, because a backfill tells nobody unless asked."""

    output: str
    window: Window


Event = StageStarted | StageFailed | Withheld | Fetched | Rendered | Document | Composed | Delivered
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The observer that does nothing."""
    del event
