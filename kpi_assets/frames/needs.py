"""Which stored frames the editions of a run need, and which of those are due to be fetched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kpi_assets.contracts import Grain, Refresh, Span, Window
from kpi_assets.frames.store import day_slot, span_slot


@dataclass(frozen=True, order=True)
class Slot:
    """A place in the store: one day (`cut`), or a whole span."""

    span: Window
    cut: bool

    @property
    def name(self) -> str:
        return day_slot(self.span.start) if self.cut else span_slot(self.span)

    def is_partition_beside(self, window: Window) -> bool:
        """Is this what the query's asset holds for the slot's last day, given editions of the window's kind?"""
        if self.cut or window.rule is None:
            return self.cut or self.span.length == window.length
        return self.span == window.rule.newest(self.span.end, window.zone)


@dataclass(frozen=True)
class Needs:
    """What the windows' editions need of one query."""

    grain: Grain
    refresh: Refresh
    spans: tuple[Span, ...]
    windows: tuple[Window, ...]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Everything that some edition needs, oldest first, each once."""
        return tuple(sorted({slot for window in self.windows for slot in self.of(window)}))

    def of(self, window: Window) -> tuple[Slot, ...]:
        """What one edition needs, oldest first, each once."""
        return tuple(sorted({slot for span in self.spans for slot in slots_of(self.grain, span.of(window))}))

    def due(self, stored: Collection[Slot]) -> tuple[Slot, ...]:
        """What is to be fetched: all that is not stored, and what `refresh` asks for again, oldest first."""
        again = {slot for window in self.windows for slot in self.of(window) if self._again(slot, window)}
        return tuple(slot for slot in self.slots if slot in again or slot not in stored)

    def _again(self, slot: Slot, window: Window) -> bool:
        """Is the slot to be fetched even if it is stored? A number of days counts back from the window's end."""
        if self.refresh == "window":
            return True
        if self.refresh == "missing" or self.refresh <= 0:
            return False
        newest = Window.ending(window.last_day, self.refresh, window.zone)
        return slot.span.start < newest.end and newest.start < slot.span.end


def slots_of(grain: Grain, span: Window) -> tuple[Slot, ...]:
    """The stored frames that make up a span."""
    if grain == "window":
        return (Slot(span, cut=False),)
    return tuple(Slot(Window.of_day(day, span.zone), cut=True) for day in span.days)


def batches(slots: Sequence[Slot], limit: Callable[[], int]) -> Iterator[tuple[Slot, ...]]:
    """Unbroken runs of days, none longer than the limit at the time it is asked for; spans stay alone."""
    at = 0
    while at < len(slots):
        most, end = at + limit(), at + 1
        while end < min(most, len(slots)) and _follows(slots[end - 1], slots[end]):
            end += 1
        yield tuple(slots[at:end])
        at = end


def _follows(one: Slot, other: Slot) -> bool:
    return one.cut and other.cut and one.span.end == other.span.start
