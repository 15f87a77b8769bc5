"""One line in the log for what a stage made of each view, document and output: not one per edition.

Dagster keeps the lines with the run, at some milliseconds each, so a backfill of a year must not write thousands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kpi_assets.assets.events import Event
from kpi_assets.contracts import Document, Window
from kpi_assets.delivery import Delivered
from kpi_assets.logs import about, logger
from kpi_assets.pipeline import Composed, Rendered
from kpi_assets.plan import ReportPlan

log = logger("kpi_assets")


@dataclass
class Journal:
    """What became of each asset of a stage, how often: `outputs/board` -> `delivered` 3, `failed` 1."""

    plan: ReportPlan
    seen: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def see(self, event: Event) -> None:
        asset, fate = _fate(event)
        if asset:
            self.seen.setdefault(asset, Counter())[fate] += 1

    def write(self, windows: Sequence[Window]) -> None:
        """The lines of the stage over these windows."""
        editions = [self.plan.common_edition(window) for window in windows]
        for asset, fates in self.seen.items():
            with about(self.plan.id, asset, *editions):
                log.info(
                    ", ".join(fate if count == 1 else f"{count} {fate}" for fate, count in fates.items())
                )


def _fate(event: Event) -> tuple[str, str]:
    """The asset that an event is about, and what became of it; nothing for events about a whole stage."""
    match event:
        case Rendered():
            return f"views/{event.view.id}", "failed" if event.error else "drawn"
        case Document():
            return "document", "composed"
        case Composed():
            return "document", "failed" if event.error else "composed"
        case Delivered():
            return f"outputs/{event.output}", _delivered(event)
        case _:
            return "", ""


def _delivered(event: Delivered) -> str:
    if event.error:
        return "failed"
    return f"skipped ({event.skipped})" if event.skipped else "delivered"
