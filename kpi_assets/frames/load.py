"""A view's frame from the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from kpi_assets.contracts import QueryAnalysis, Span, Window
from kpi_assets.errors import DataError
from kpi_assets.frames.needs import Slot, slots_of
from kpi_assets.frames.store import FrameKey, FrameStore

if TYPE_CHECKING:
    import pandas as pd


class FrameMissingError(DataError):
    """A frame that is needed is not stored; `slots` names what is missing."""

    def __init__(self, key: FrameKey, slots: Sequence[Slot]) -> None:
        self.key, self.slots = key, tuple(slot.name for slot in slots)
        super().__init__(
            f"query '{key.query}' has no stored rows for {_described(slots)}: "
            f"materialize the query first (asset {key.report}/queries/{key.query})"
        )


def load_frame(  # noqa: PLR0917 - the key names the rows, span and window the days
    store: FrameStore, key: FrameKey, analysis: QueryAnalysis, span: Span, window: Window
) -> pd.DataFrame:
    """The rows of the query over the span of the window's edition. Raises FrameMissingError, a DataError."""
    slots = slots_of(analysis.grain, span.of(window))
    frame, infos = store.read(key, [slot.name for slot in slots])
    missing = [slot for slot in slots if slot.name not in infos]
    if missing:
        raise FrameMissingError(key, missing)
    return frame


def _described(slots: Sequence[Slot]) -> str:
    if not slots[0].cut:
        return " and ".join(f"{slot.span.start}..{slot.span.last_day}" for slot in slots)
    return ", ".join(_ranges([slot.span.start for slot in slots]))


def _ranges(days: Sequence[date]) -> list[str]:
    """Days in order, as `2024-11-18..2024-11-20` where they follow one another."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and runs[-1][1] + timedelta(days=1) == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return [f"{first}" if first == last else f"{first}..{last}" for first, last in runs]
