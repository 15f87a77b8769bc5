"""The page's grid: neighbouring single stats become one strip, a row that would overflow wraps and is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kpi_assets.contracts import Block, Panels, Picture, Stat, Stats
from kpi_assets.style.theme import Theme

NARROWEST_STAT = 170
"""CSS pixels below which a key figure would break."""
MOST_STATS = 5


@dataclass(frozen=True)
class Strip:
    """Key figures side by side, `across` in a row. `blocks` and `stats` run in the same order, block by block."""

    blocks: tuple[Block, ...]
    stats: tuple[Stat, ...]
    across: int


@dataclass(frozen=True)
class Slot:
    """One place in the grid: a block or a strip. `shared`: something else stands in the same row."""

    content: Block | Strip
    cols: int
    shared: bool = False

    @property
    def fixed(self) -> bool:
        """Charts are drawn for their columns, everything else can take more."""
        return isinstance(self.content, Block) and any(
            isinstance(element, Picture | Panels) for element in self.content.elements
        )


Row = tuple[Slot, ...]


def rows(blocks: Sequence[Block], theme: Theme) -> tuple[Row, ...]:
    """The rows of the page."""
    slots = _slots(blocks, theme)
    packed = pack([slot.cols for slot in slots], theme.num_columns)
    found: list[Row] = []
    for indexes in packed:
        row = [slots[i] for i in indexes]
        closed_early = indexes is not packed[-1]
        widths = [slot.cols for slot in row]
        if closed_early and not any(slot.fixed for slot in row):
            widths = fill(widths, theme.num_columns)
        pairs = zip(row, widths, strict=True)
        found.append(tuple(Slot(slot.content, cols, len(row) > 1) for slot, cols in pairs))
    return tuple(found)


def pack(cols: Sequence[int], num_columns: int) -> list[list[int]]:
    """Indexes row by row, in order: what does not fit starts the next row."""
    packed: list[list[int]] = []
    room = 0
    for index, asked in enumerate(cols):
        wanted = min(max(asked, 1), num_columns)
        if not packed or wanted > room:
            packed.append([])
            room = num_columns
        packed[-1].append(index)
        room -= wanted
    return packed


def fill(cols: Sequence[int], num_columns: int) -> list[int]:
    """The row's widths, the free columns given one by one to the narrowest: 2+2 of 6 becomes 3+3."""
    widths = list(cols)
    for _ in range(num_columns - sum(widths)):
        widths[widths.index(min(widths))] += 1
    return widths


def across(count: int, width: int, gutter: int) -> int:
    """How many of `count` key figures stand in a row of `width` pixels, rows as even as can be."""
    most = max(1, min(MOST_STATS, (width + gutter) // NARROWEST_STAT))
    return -(-count // -(-count // most))


def _slots(blocks: Sequence[Block], theme: Theme) -> list[Slot]:
    slots: list[Slot] = []
    for strip, group in groupby(blocks, key=_is_key_figure):
        members = list(group)
        if strip:
            slots += _strips(members, theme)
        else:
            slots += [Slot(block, min(max(block.cols, 1), theme.num_columns)) for block in members]
    return slots


def _strips(blocks: Sequence[Block], theme: Theme) -> list[Slot]:
    """One strip for single stats, one for each `stats` view, which has a title and a note of its own."""
    slots: list[Slot] = []
    for single, group in groupby(blocks, key=lambda block: isinstance(block.elements[0], Stat)):
        members = list(group)
        for run in [members] if single else [[block] for block in members]:
            cols = min(theme.num_columns, sum(block.cols for block in run))
            stats = tuple(stat for block in run for stat in _stats(block))
            number = across(len(stats), theme.view_width(cols), theme.padding_width)
            slots.append(Slot(Strip(tuple(run), stats, number), cols))
    return slots


def _is_key_figure(block: Block) -> bool:
    return (
        block.status != "placeholder"
        and len(block.elements) == 1
        and isinstance(block.elements[0], Stat | Stats)
    )


def _stats(block: Block) -> tuple[Stat, ...]:
    element = block.elements[0]
    if isinstance(element, Stats):
        return element.stats
    return (element,) if isinstance(element, Stat) else ()
