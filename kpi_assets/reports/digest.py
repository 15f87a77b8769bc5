"""What mail and chat tell of an edition: chosen once, so that all of them show the same blocks in the same words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kpi_assets.contracts import Block, Panels, Picture, Prose, Raw, Stat, Stats, Table
from kpi_assets.reports.calendar import year_place
from kpi_assets.reports.headline import header, preheader, subject
from kpi_assets.reports.lead import Lead
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.words import as_of
from kpi_assets.style.dates import days_text, earlier_words, window_text, zone_text
from kpi_assets.style.numbers import NumberStyle

SHOWING = re.compile(r"Showing ([\d,.\u202f\u00a0]*\d) of ([\d,.\u202f\u00a0]*\d) rows\.")
MISSING = re.compile(r"n/a: [^.]*\.\s*")
NAMED = 6
"""How many of the blocks that are left out are named."""


@dataclass(frozen=True)
class Allowance:
    """How much is told; None = all of it."""

    stats: int | None = None
    charts: int | None = None
    tables: int | None = None
    rows: int | None = None
    prose: int | None = None


EXCERPT = Allowance(stats=8, charts=2, tables=1, rows=5, prose=0)
"""With a link to the page: an answer to "do I need to open it?"."""
EVERYTHING = Allowance()
"""Without a link nothing may be withheld, for there is nowhere else to read it."""


@dataclass(frozen=True)
class Digest:
    """The parts of a message, in order of reading.

    `evidence` are blocks in the report's order, cut to what is shown. `left_out` names what only the page holds;
    `link` is the page's address, "" where there is none. `compared` says what changes compare with, "" where nothing
    tells. `notes` belong to the key figures.
    """

    meta: DocumentMeta
    lead: Lead
    days: str
    place: str
    zone: str
    stats: tuple[Stat, ...]
    notes: tuple[str, ...]
    evidence: tuple[Block, ...]
    failures: tuple[Block, ...]
    left_out: tuple[str, ...]
    as_of: str
    compared: str
    subject: str
    preheader: str
    header: str

    @property
    def title(self) -> str:
        return self.meta.title

    @property
    def link(self) -> str:
        return self.meta.page_url

    @property
    def pictures(self) -> tuple[tuple[Block, Picture], ...]:
        """The charts of the evidence."""
        return tuple((block, picture) for block in self.evidence for picture in block.pictures)

    def without_last(self) -> Digest:
        """With one block of evidence less, named among what was left out."""
        last = self.evidence[-1]
        return replace(self, evidence=self.evidence[:-1], left_out=(name_of(last), *self.left_out))

    def left_out_text(self) -> str:
        """`On the page: A, B and 3 more.`; "" where nothing was left out."""
        if not self.left_out:
            return ""
        names = list(dict.fromkeys(self.left_out))
        rest = len(names) - NAMED
        if rest > 1:
            names = [*names[:NAMED], f"{rest} more"]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"On the page: {listed}." if self.link else f"Left out, since messages have a limit: {listed}."


def digest(  # noqa: PLR0917 - as `compose` has them
    meta: DocumentMeta,
    blocks: Sequence[Block],
    numbers: NumberStyle,
    lead: Lead,
    allowance: Allowance | None = None,
) -> Digest:
    """Chosen from the report's blocks; `allowance` follows from whether there is a page to open."""
    allowed = allowance or (EXCERPT if meta.page_url else EVERYTHING)
    stats = [stat for block in blocks if block.status != "placeholder" for stat in _stats(block)]
    failures = tuple(block for block in blocks if block.status == "placeholder")
    others = [block for block in blocks if block.status != "placeholder" and not is_key_figure(block)]
    evidence, left_out = _chosen(others, allowed)
    shown = stats[: allowed.stats]
    locale = numbers.locale
    line = subject(meta, stats, lead, locale)
    place = year_place(meta.window)
    return Digest(
        meta=meta,
        lead=lead,
        days=window_text(meta.window, locale),
        place=place.text if place else "",
        zone=zone_text(meta.window),
        stats=tuple(shown),
        notes=_notes(blocks),
        evidence=tuple(_cut(block, allowed.rows, numbers) for block in evidence),
        failures=failures,
        left_out=(*(stat.label for stat in stats[len(shown) :] if stat.label), *left_out),
        as_of=as_of(meta, locale),
        compared=_compared(meta, stats, locale),
        subject=line,
        preheader=preheader(line, lead, stats, evidence=evidence, failed=len(failures)),
        header=header(meta, stats, lead),
    )


def is_key_figure(block: Block) -> bool:
    """Does it hold key figures and nothing else?"""
    return bool(block.elements) and all(isinstance(element, Stat | Stats) for element in block.elements)


def name_of(block: Block) -> str:
    """What the block measures, for a list."""
    return block.measure or block.title or block.view.replace("_", " ")


def failure_sentences(block: Block) -> str:
    """Why the block could not be made, as Markdown, without anything that only its page can show."""
    return "\n\n".join(element.markdown for element in block.elements if isinstance(element, Prose))


def _stats(block: Block) -> Iterator[Stat]:
    for element in block.elements if is_key_figure(block) else ():
        if isinstance(element, Stat):
            yield element
        elif isinstance(element, Stats):
            yield from element.stats


def _notes(blocks: Sequence[Block]) -> tuple[str, ...]:
    found = (block.note for block in blocks if is_key_figure(block) and block.note)
    return tuple(dict.fromkeys(found))


def _kind(block: Block) -> str:
    """What makes the block: a picture counts as chart whatever else is there."""
    if any(isinstance(element, Picture | Panels) for element in block.elements):
        return "charts"
    if any(isinstance(element, Table) for element in block.elements):
        return "tables"
    if any(isinstance(element, Raw) for element in block.elements):
        return "charts"
    return "prose"


def _chosen(blocks: Sequence[Block], allowed: Allowance) -> tuple[list[Block], list[str]]:
    """The blocks that fit, in the report's order, and the names of the others. Ranked tables come before others."""
    room = {"charts": allowed.charts, "tables": allowed.tables, "prose": allowed.prose}
    taken: set[int] = set()
    for index in sorted(range(len(blocks)), key=lambda i: (_heat(blocks[i]), i)):
        kind = _kind(blocks[index])
        left = room[kind]
        if left is None or left > 0:
            taken.add(index)
            room[kind] = None if left is None else left - 1
    chosen = [blocks[i] for i in sorted(taken)]
    return chosen, [name_of(block) for i, block in enumerate(blocks) if i not in taken]


def _heat(block: Block) -> bool:
    return any(isinstance(element, Table) and element.style == "heat" for element in block.elements)


def _cut(block: Block, rows: int | None, numbers: NumberStyle) -> Block:
    """The block with tables of at most `rows` rows, saying so where that leaves some out."""
    tables = [element for element in block.elements if isinstance(element, Table)]
    if rows is None or not any(_is_long(table, rows) for table in tables):
        return block
    elements = tuple(
        element.model_copy(
            update={
                "rows": element.rows[:rows],
                "footer": (),
                "rule_before": tuple(i for i in element.rule_before if i < rows),
            }
        )
        if isinstance(element, Table) and _is_long(element, rows)
        else element
        for element in block.elements
    )
    return block.model_copy(update={"elements": elements, "note": _cut_note(block, tables[0], rows, numbers)})


def _is_long(table: Table, rows: int) -> bool:
    return table.style != "heat" and len(table.rows) > rows


def _cut_note(block: Block, table: Table, rows: int, numbers: NumberStyle) -> str:
    """The note with the shorter count; the word on n/a goes with the cells that it was about."""
    missing = any(cell.missing for row in table.rows[:rows] for cell in row)
    note = block.note if missing else MISSING.sub("", block.note)
    found = SHOWING.search(note)
    total = found[2] if found else numbers.number(len(table.rows))
    sentence = f"Showing {numbers.number(rows)} of {total} rows."
    return (SHOWING.sub(sentence, note, count=1) if found else f"{sentence} {note}").strip()


def _compared(meta: DocumentMeta, stats: Sequence[Stat], locale: str) -> str:
    words = earlier_words(meta.window)
    if not any((stat.before or "").endswith(words) for stat in stats):
        return ""
    before = meta.window.back(1)
    return f"Changes compare with {days_text(before.start, before.last_day, locale)}."
