"""The mail's plain text: written for people who read text, not stripped from HTML."""

from __future__ import annotations

from collections.abc import Iterator

from kpi_assets.contracts import Block, Element, Panels, Picture, Prose, Raw, Stat, Stats, Table
from kpi_assets.reports.digest import Digest, failure_sentences, name_of
from kpi_assets.reports.headline import figure_words
from kpi_assets.reports.mail_tables import mail_note
from kpi_assets.reports.plain import markdown_text, text_table, wrapped
from kpi_assets.reports.words import WORDS

PLAIN = str.maketrans(
    {"\u202f": " ", "\u00a0": " ", "−": "-", "–": "-", "…": "...", "■": "", "▲": "", "▼": ""}
)
FEW_ROWS = 8
"""A chart's numbers with at most as many rows say it better than a sentence about the chart."""


def render_text(digest: Digest) -> str:
    """The text. It holds what the HTML holds: charts as their numbers, or as what they show."""
    parts = [
        _masthead(digest),
        wrapped("\n".join(part for part in (digest.lead.finding, digest.lead.contrast) if part)),
        "\n".join(_figures(digest.stats)),
        *(_block(block) for block in digest.evidence),
        *(_failure(block) for block in digest.failures),
        wrapped(digest.left_out_text()),
        f"Full report: {digest.link}" if digest.link else "",
        _end(digest),
    ]
    return "\n\n".join(part for part in parts if part).translate(PLAIN) + "\n"


def _masthead(digest: Digest) -> str:
    place = f", {digest.place[:1].lower()}{digest.place[1:]}" if digest.place else ""
    return f"{digest.title.upper()}{place}\n{digest.days}, {digest.zone}"


def _figures(stats: tuple[Stat, ...]) -> Iterator[str]:
    """Key figures in columns: label, value, change and what was before."""
    labels = [_label(stat) for stat in stats]
    first = max((len(label) for label in labels), default=0) + 2
    second = max((len(stat.value) for stat, label in zip(stats, labels, strict=True) if label), default=0)
    for stat, label in zip(stats, labels, strict=True):
        head = f"{label:<{first}}{stat.value:>{second}}" if label else _own_words(stat)
        tail = ", ".join(part for part in (_change(stat), stat.before or "") if part)
        yield f"{head}   {tail}".rstrip()
        for more in (stat.target.text if stat.target else "", stat.note):
            if more:
                yield f"{'':<{first + second}}   {more}"


def _label(stat: Stat) -> str:
    """The label for the first column; "" where the configuration's own words say label and value together."""
    return "" if figure_words(stat) == (stat.label_text or "") else stat.label


def _own_words(stat: Stat) -> str:
    """The configuration's words, after the figure's name where they do not say it."""
    words = figure_words(stat)
    return words if stat.label.casefold() in words.casefold() else f"{stat.label}: {words}"


def _change(stat: Stat) -> str:
    if stat.change is None:
        return ""
    return " ".join(part for part in (stat.change.text, WORDS.get(stat.change.verdict, "")) if part)


def _block(block: Block) -> str:
    lines = [wrapped((block.title or name_of(block)).upper()), wrapped(_measured(block), indent="  ")]
    for element in block.elements:
        lines.append(_element(element, block))
    if not block.elements:
        lines.append("  Nothing to show in this window.")
    if note := mail_note(block):
        lines.append(wrapped(note, indent="  "))
    return "\n".join(line for line in lines if line)


def _measured(block: Block) -> str:
    """What is measured and when, where the finding above does not name it: without it, two findings may be one text."""
    named = block.measure.casefold() in block.title.casefold()
    return "" if named or not block.title else block.subtitle


def _element(element: Element, block: Block) -> str:
    match element:
        case Picture():
            return _picture(element, block)
        case Panels():
            width = max(len(panel.name) for panel in element.panels)
            return "\n".join(f"  {panel.name:<{width}}  {panel.note}" for panel in element.panels)
        case Stat():
            return "\n".join(f"  {line}" for line in _figures((element,)))
        case Stats():
            return "\n".join(f"  {line}" for line in _figures(element.stats))
        case Table():
            return "\n".join(text_table(element, indent="  "))
        case Prose() | Raw():
            return wrapped(markdown_text(element.markdown), indent="  ")


def _picture(picture: Picture, block: Block) -> str:
    if block.numbers and len(block.numbers.rows) <= FEW_ROWS:
        return "\n".join(text_table(block.numbers, indent="  "))
    # The title above says the finding already, which alternative texts begin with.
    alt = picture.alt.removeprefix(block.title).lstrip(" .") if block.title else picture.alt
    return wrapped(alt, indent="  ")


def _failure(block: Block) -> str:
    head = f"COULD NOT BE MADE: {block.title or name_of(block)}"
    return f"{head}\n{wrapped(markdown_text(failure_sentences(block)).replace(chr(10) * 2, chr(10)), indent='  ')}"


def _end(digest: Digest) -> str:
    lines = [f"Data as of {digest.as_of}.", digest.compared]
    lines.append("You get this mail because you are on the list of this report.")
    return "\n".join(line for line in lines if line)
