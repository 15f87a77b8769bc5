"""The Markdown document: real tables, pictures by relative path, no HTML entities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kpi_assets.contracts import (
    Block,
    Cell,
    Column,
    Element,
    File,
    Panels,
    Picture,
    Stat,
    Stats,
    Table,
)
from kpi_assets.reports.lead import Lead
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.slug import slugify
from kpi_assets.reports.svg import standalone
from kpi_assets.reports.words import as_of, change_text, one_line, safe_link
from kpi_assets.style.dates import window_text, zone_text
from kpi_assets.style.numbers import NumberStyle

SPECIAL = re.compile(r"([\\`*_\[\]<>])")
LINE_START = re.compile(r"^(\s*)([#+>-]|\d+[.)])(?=\s)", re.MULTILINE)


def render_markdown(meta: DocumentMeta, blocks: Sequence[Block], numbers: NumberStyle, *, lead: Lead) -> str:
    """The edition as CommonMark with tables. Figures are those of `figures`."""
    language = numbers.locale
    parts = [
        f"# {text(meta.title)}",
        f"{window_text(meta.window, language)} · {zone_text(meta.window)}",
        f"**{text(lead.finding)}** {text(lead.contrast)}".strip() if lead.finding else "",
        *(part for block in blocks for part in _block(block)),
        "---",
        f"Data as of {as_of(meta, language)}. Window: `{meta.window.start}` to `{meta.window.end}` (not included), "
        f"`{meta.window.zone}`.",
        text(meta.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def figures(blocks: Sequence[Block]) -> Iterator[File]:
    """The pictures that the Markdown points to: bitmaps where a view made them, else drawings."""
    for block in blocks:
        for picture in _pictures(block):
            path = figure_path(block, picture)
            if picture.png is not None:
                yield File(path, "image/png", picture.png)
            else:
                yield File(
                    path, "image/svg+xml", standalone(picture.drawings[0].svg, label=picture.alt).encode()
                )


def figure_path(block: Block, picture: Picture) -> str:
    """`figures/<view>-<name>.png`, safe as a file's name and in a link."""
    return f"figures/{slugify(f'{block.view} {picture.name}')}.{'png' if picture.png is not None else 'svg'}"


def text(value: str) -> str:
    """Plain text as Markdown that says the same."""
    return LINE_START.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", one_line(value)))


def _pictures(block: Block) -> Iterator[Picture]:
    for element in block.elements:
        if isinstance(element, Picture):
            yield element
        elif isinstance(element, Panels):
            yield from (panel.picture for panel in element.panels)


def _block(block: Block) -> Iterator[str]:
    if any(isinstance(element, Stat) for element in block.elements):
        yield from (_stat(element) for element in block.elements if isinstance(element, Stat))
        return
    title = block.title or block.measure
    if title:
        yield f"## {text(title)}"
    if block.status == "placeholder":
        yield "**Could not be made.**"
    yield from (text(part) for part in (block.subtitle, block.description) if part)
    for element in block.elements:
        yield from _element(block, element)
    if not block.elements and block.status != "placeholder":
        yield "Nothing to show in this window."
    if block.note:
        yield text(block.note)


def _element(block: Block, element: Element) -> Iterator[str]:
    match element:
        case Picture():
            yield _image(block, element)
        case Panels():
            for panel in element.panels:
                yield f"**{text(panel.name)}** {text(panel.note)}\n\n{_image(block, panel.picture)}"
        case Stat():
            yield _stat(element)
        case Stats():
            yield "\n".join(f"- {_stat(stat)}" for stat in element.stats)
        case Table():
            yield table(element)
        case _:
            yield element.markdown.strip()


def _image(block: Block, picture: Picture) -> str:
    image = f"![{text(picture.alt)}]({figure_path(block, picture)})"
    link = safe_link(picture.link_url)
    return f"[{image}](<{link}>)" if link else image


def _stat(stat: Stat) -> str:
    value = text(stat.label_text or stat.value)
    head = f"{text(stat.label)}: **{value}**" if stat.label else f"**{value}**"
    change = f" ({text(change_text(stat.change))})" if stat.change else ""
    tail = [part for part in (stat.before, stat.target.text if stat.target else "", stat.note) if part]
    return head + change + "".join(f", {text(part)}" for part in tail)


def table(element: Table) -> str:
    """The table with its footer as last rows, columns padded so that the source reads well too."""
    head = [_cell(column.label) for column in element.columns]
    rows = [[_cell(_shown(cell)) for cell in row] for row in (*element.rows, *element.footer)]
    rows = [row + [""] * (len(head) - len(row)) for row in rows]
    widths = [max(3, *(len(row[i]) for row in (head, *rows))) for i in range(len(head))]
    rules = [_rule(column, width) for column, width in zip(element.columns, widths, strict=True)]
    lines = [_line(head, widths), "| " + " | ".join(rules) + " |", *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _shown(cell: Cell) -> str:
    link = safe_link(cell.link_url)
    return f"[{text(cell.text)}](<{link}>)" if link else text(cell.text)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def _rule(column: Column, width: int) -> str:
    left, right = {"left": ("-", "-"), "right": ("-", ":"), "center": (":", ":")}[column.align]
    return left + "-" * (width - 2) + right


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
