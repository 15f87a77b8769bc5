"""Checks that a block tells the truth and is complete, for the tests of views, ours and others'."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from kpi_assets.contracts import Block, Cell, Element, Panels, Picture, Prose, Raw, Stat, Stats, Table

MACHINE_WORDS = re.compile(
    r"(?<![\w.@/-])(?:[+\-−]?(?:nan|NaN|inf|Infinity)|None|NaT|<NA>|null|NULL)(?![\w.@/-])"
)
BLOCK_TEXTS = ("title", "subtitle", "finding", "measure", "description", "note")
STAT_TEXTS = ("label", "qualifier", "value", "label_html", "label_text", "before", "note")


def assert_honest_block(block: Block) -> None:
    """AssertionError that lists everything wrong with `block`; see `block_problems`."""
    problems = block_problems(block)
    if problems:
        raise AssertionError("\n".join(f"block '{block.view}': {problem}" for problem in problems))


def block_problems(block: Block) -> list[str]:
    """What is wrong with a block, one sentence each.

    A word of the machine (NaN, None, inf) in a text, a key figure without value, a ragged table, a bar or heat step
    out of range, a chart without alt text or drawing, no title, nothing shown, or JSON that does not give it back.
    """
    elements = (*block.elements, *([block.numbers] if block.numbers else []))
    problems = [f"{where} says {word}: {text!r}" for where, text, word in _machine_words(block)]
    problems += [problem for element in elements for problem in _element_problems(element)]
    problems += [problem for picture in block.pictures for problem in _picture_problems(picture)]
    if block.framed and not block.title.strip():
        problems.append("it has no title")
    if not block.elements:
        problems.append("it shows nothing")
    if Block.model_validate_json(block.model_dump_json()) != block:
        problems.append("its JSON gives another block")
    return problems


def dishonest_words(text: str) -> list[str]:
    """Words of the machine in a text that people read: NaN, None, inf, NaT, null."""
    return MACHINE_WORDS.findall(text)


def block_texts(block: Block) -> Iterator[tuple[str, str]]:
    """Where and what: every text of a block that a reader sees."""
    for name in BLOCK_TEXTS:
        yield name, getattr(block, name)
    for index, element in enumerate(block.elements):
        for where, text in _element_texts(element):
            yield f"elements[{index}].{where}", text
    if block.numbers:
        yield from _table_texts(block.numbers)


def _machine_words(block: Block) -> Iterator[tuple[str, str, str]]:
    for where, text in block_texts(block):
        for word in dishonest_words(text):
            yield where, text, word


def _element_texts(element: Element) -> Iterator[tuple[str, str]]:
    if isinstance(element, Stat | Stats):
        for stat in (element,) if isinstance(element, Stat) else element.stats:
            yield from _stat_texts(stat)
    elif isinstance(element, Table):
        yield from _table_texts(element)
    else:
        yield from _other_texts(element)


def _other_texts(element: Picture | Panels | Prose | Raw) -> Iterator[tuple[str, str]]:
    match element:
        case Picture():
            yield from (("alt", element.alt), ("title", element.title))
        case Panels():
            for panel in element.panels:
                yield from (("name", panel.name), ("note", panel.note), ("alt", panel.picture.alt))
        case Prose():
            yield "markdown", element.markdown
        case Raw():
            yield from (("html", element.html), ("markdown", element.markdown), ("slack", element.slack))


def _stat_texts(stat: Stat) -> Iterator[tuple[str, str]]:
    for name in STAT_TEXTS:
        yield name, getattr(stat, name) or ""
    if stat.change:
        yield "change", stat.change.text
    if stat.target:
        yield "target", stat.target.text
    if stat.sparkline:
        yield "sparkline", stat.sparkline.alt


def _table_texts(table: Table) -> Iterator[tuple[str, str]]:
    yield "caption", table.caption
    yield from (("column", column.label) for column in table.columns)
    yield from (("cell", cell.text) for row in (*table.rows, *table.footer) for cell in row)


def _element_problems(element: Element) -> Iterator[str]:
    if isinstance(element, Stat) and not element.value.strip():
        yield "a key figure has no value"
    if isinstance(element, Stat) and element.number is not None and not math.isfinite(element.number):
        yield "a key figure's number is not finite"
    if isinstance(element, Stats):
        if not element.stats:
            yield "a strip has no key figures"
        yield from (problem for stat in element.stats for problem in _element_problems(stat))
    if isinstance(element, Table):
        yield from _table_problems(element)


def _table_problems(table: Table) -> Iterator[str]:
    if not table.caption.strip():
        yield "a table has no caption"
    if not table.columns:
        yield "a table has no columns"
    for row in (*table.rows, *table.footer):
        if len(row) != len(table.columns):
            yield f"a row has {len(row)} cells for {len(table.columns)} columns"
        yield from (problem for cell in row for problem in _cell_problems(cell))
    if any(not 0 < index < len(table.rows) for index in table.rule_before):
        yield "a dividing line stands outside the table"


def _cell_problems(cell: Cell) -> Iterator[str]:
    if cell.bar is not None and not 0 <= cell.bar <= 1:
        yield f"a bar of {cell.bar} leaves its cell"
    if cell.heat is not None and not 0 <= cell.heat <= 6:
        yield f"heat step {cell.heat} is not in 0 to 6"


def _picture_problems(picture: Picture) -> Iterator[str]:
    if not picture.alt.strip():
        yield f"picture '{picture.name}' has no alt text"
    if not picture.drawings:
        yield f"picture '{picture.name}' has no drawing"
