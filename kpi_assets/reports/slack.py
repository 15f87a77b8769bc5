"""Slack messages in Block Kit: an excerpt that answers "do I need to open it?", the rest as replies in its thread.

`slack.json` holds `messages`: the first is posted, the others answer it. Image blocks carry the picture's path in the
document as `image_url`; the output puts an uploaded file or an address in its place, or leaves the block out.
`slack-tables.json` is the same with tables as pictures: such an image block has the table as text in `instead`, for
those who want both and for when the picture cannot be shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kpi_assets.contracts import Block, Element, File, Panels, Picture, Prose, Raw, Stat, Stats, Table
from kpi_assets.reports.digest import Digest, failure_sentences, name_of
from kpi_assets.reports.headline import figure_words, named_figure
from kpi_assets.reports.mail_pictures import bitmap, files
from kpi_assets.reports.plain import Marks, markdown_text, text_table
from kpi_assets.reports.words import change_text
from kpi_assets.style.numbers import plain_spaces

if TYPE_CHECKING:
    from kpi_assets.reports.table_pictures import DrawnPart, TablePictures

SlackBlock = dict[str, Any]
"""One Block Kit block, as Slack's API reads it."""

MOST_BLOCKS, MOST_TEXT, MOST_FIELDS, MOST_ALT = 50, 3000, 10, 2000
MOST_FIELD, MOST_FALLBACK = 2000, 1000
MOST_IN_ALL = 12_000
"""Characters of a message's blocks as JSON. Slack says nothing of it, and refuses from about 13,200 on."""
IMAGES = 2
"""Pictures in the first message; more are in the thread."""


@dataclass(frozen=True)
class SlackMarks(Marks):
    """Slack's own marks. Only `&`, `<` and `>` need guarding."""

    strong: str = "*"
    emphasis: str = "_"
    code: str = "`"
    bullet: str = "• "

    def link(self, label: str, address: str) -> str:
        return _link(address, label)

    def escape(self, text: str) -> str:
        return escaped(text)


MRKDWN = SlackMarks()


def render_slack(digest: Digest, tables: TablePictures | None = None) -> tuple[File, ...]:
    """`slack.json`, or with pictures of the tables `slack-tables.json`, and the pictures that it shows."""
    shown = list(_pictures(digest))
    first = list(_first(digest, shown[:IMAGES]))
    thread = list(_thread(digest, {id(picture) for _, picture in shown[:IMAGES]}, tables or {}))
    opened, *more = split(first)
    messages = [_message(opened, _fallback(digest))]
    messages += [_message(blocks, f"{digest.title}: more of it") for blocks in (*more, *split(thread))]
    content = json.dumps({"messages": messages}, ensure_ascii=False, indent=1)
    name = "slack.json" if tables is None else "slack-tables.json"
    named = File(name, "application/json", (plain_spaces(content) + "\n").encode())
    drawn = [part.picture for parts in (tables or {}).values() for part in parts]
    return (named, *files([*(picture for _, picture in shown), *drawn]))


def escaped(text: str) -> str:
    """Text as mrkdwn: the only three characters that Slack reads as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def split(blocks: Sequence[SlackBlock]) -> list[list[SlackBlock]]:
    """The blocks as messages that each keep Slack's limits, in order."""
    messages: list[list[SlackBlock]] = []
    room = places = 0
    for block in blocks:
        size = len(json.dumps(block, ensure_ascii=False)) + 2
        taken = 1 + len(block.get("instead", ()))
        if not messages or taken > places or size > room:
            messages.append([])
            room, places = MOST_IN_ALL, MOST_BLOCKS
        messages[-1].append(block)
        room, places = room - size, places - taken
    return messages


def _first(digest: Digest, shown: Sequence[tuple[Block, Picture]]) -> Iterator[SlackBlock]:
    yield {"type": "header", "text": _plain(digest.header)}
    where = (digest.title, digest.days, digest.zone, digest.place)
    yield from _context(" · ".join(escaped(part) for part in where if part))
    is_header = digest.lead.finding.removesuffix(".") == digest.header
    yield from _sections(escaped(digest.lead.contrast if is_header else digest.lead.text))
    yield from _stats(digest.stats)
    yield from (_image(picture, block.title or picture.title) for block, picture in shown)
    for block in digest.failures:
        yield from _failure(block)
    if digest.link:
        yield from _sections(_link(digest.link, "Open the full report"))
    end = f"Data as of {digest.as_of}"
    if digest.compared:
        end += f" · {digest.compared[:1].lower()}{digest.compared[1:].removesuffix('.')}"
    yield from _context(escaped(end))


def _thread(digest: Digest, shown: set[int], tables: TablePictures) -> Iterator[SlackBlock]:
    """What the first message does not hold of the evidence."""
    for block in digest.evidence:
        rest = [element for element in block.elements if id(element) not in shown]
        if not rest and block.elements:
            continue
        title = f"*{escaped(block.title or name_of(block))}*"
        yield from _sections("\n".join(part for part in (title, escaped(block.subtitle)) if part))
        for element in rest:
            yield from _element(element, block, tables)
        if not block.elements:
            yield from _context("Nothing to show in this window.")
        yield from _context(escaped(block.note))
    yield from _context(escaped(digest.left_out_text()))


def _element(element: Element, block: Block, tables: TablePictures) -> Iterator[SlackBlock]:
    match element:
        case Picture():
            yield _image(element, element.title or block.title)
        case Panels():
            lines = (f"*{escaped(panel.name)}* {escaped(panel.note)}" for panel in element.panels)
            yield from _sections("\n".join(lines))
        case Stat():
            yield from _stats([element])
        case Stats():
            yield from _stats(element.stats)
        case Table():
            yield from _table(element, tables.get(id(element), ()))
        case Prose():
            yield from _sections(markdown_text(element.markdown, MRKDWN))
        case Raw():
            yield from _sections(element.slack or markdown_text(element.markdown, MRKDWN))


def _pictures(digest: Digest) -> Iterator[tuple[Block, Picture]]:
    """Charts that stand alone; the panels of small multiples say more as text than one under the other."""
    for block in digest.evidence:
        yield from ((block, element) for element in block.elements if isinstance(element, Picture))


def _image(picture: Picture, title: str) -> SlackBlock:
    block: SlackBlock = {
        "type": "image",
        "image_url": bitmap(picture).path,
        "alt_text": shortened(picture.alt, MOST_ALT) or title or "Chart",
    }
    return {**block, "title": _plain(shortened(title, MOST_ALT))} if title else block


def _stats(stats: Sequence[Stat]) -> Iterator[SlackBlock]:
    """The figures side by side, ten to a section; one with more words than a field holds stands alone."""
    row: list[SlackBlock] = []
    for stat in stats:
        words = _figure(stat)
        if len(words) > MOST_FIELD or len(row) == MOST_FIELDS:
            yield from [{"type": "section", "fields": row}] if row else ()
            row = []
        if len(words) > MOST_FIELD:
            yield from _sections(words)
        else:
            row.append({"type": "mrkdwn", "text": words})
    yield from [{"type": "section", "fields": row}] if row else ()


def _figure(stat: Stat) -> str:
    """Label, then value with its verdict, then the value before. Slack has no colours: arrow and word carry them."""
    words = figure_words(stat)
    own = stat.label_text is not None and words == stat.label_text
    value = f"*{escaped(stat.label_text if own and stat.label_text else stat.value)}*"
    label = f"*{escaped(stat.label)}*" if stat.label else ""
    change = escaped(change_text(stat.change)) if stat.change else ""
    lines = (
        label,
        f"{value}  {change}".rstrip(),
        escaped(stat.before or ""),
        escaped(stat.target.text) if stat.target else "",
        escaped(stat.note),
    )
    return "\n".join(line for line in lines if line)


def _table(table: Table, parts: Sequence[DrawnPart]) -> Iterator[SlackBlock]:
    """As text, or where it is drawn as pictures, each with its own rows as text `instead`."""
    yield from () if parts else _text_table(table)
    for part in parts:
        yield {**_image(part.picture, part.picture.title), "instead": list(_text_table(part.table))}


def _text_table(table: Table) -> Iterator[SlackBlock]:
    """Fixed-width text, in as many sections as its length needs, the header in each."""
    lines = [escaped(line) for line in text_table(table)]
    fence = "```"
    for part in _parts(lines, MOST_TEXT - 2 * len(fence) - 2):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": f"{fence}\n{part}\n{fence}"}}


def _failure(block: Block) -> Iterator[SlackBlock]:
    reason = markdown_text(failure_sentences(block), MRKDWN).partition("\n")[0]
    yield from _context(f"Could not be made: *{escaped(block.title or name_of(block))}*. {reason}".strip())


def _sections(mrkdwn: str) -> Iterator[SlackBlock]:
    for part in _parts(mrkdwn.splitlines(), MOST_TEXT):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": part}}


def _parts(lines: Sequence[str], most: int) -> Iterator[str]:
    """The lines joined into texts of at most `most` characters; a longer line is broken between words."""
    held = ""
    for piece in (piece for line in lines for piece in _pieces(line, most)):
        joined = f"{held}\n{piece}" if held else piece
        if len(joined) > most:
            yield held
            joined = piece
        held = joined
    if held.strip():
        yield held


def _pieces(line: str, most: int) -> Iterator[str]:
    while len(line) > most:
        at = line.rfind(" ", 1, most)
        at = at if at > 0 else most
        yield line[:at]
        line = line[at:].lstrip()
    yield line


def _context(mrkdwn: str) -> Iterator[SlackBlock]:
    for part in _parts(mrkdwn.splitlines(), MOST_TEXT):
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": part}]}


def _plain(text: str) -> SlackBlock:
    return {"type": "plain_text", "text": text}


def _link(address: str, label: str) -> str:
    safe = quote(address, safe=":/?#[]@!$&'()*+,;=%-._~")
    return f"<{escaped(safe)}|{label.replace('|', '/')}>"


def _message(blocks: list[SlackBlock], text: str) -> dict[str, Any]:
    return {"text": text, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def _fallback(digest: Digest) -> str:
    """For notifications and screen readers: every key figure in one sentence."""
    figures = ", ".join(
        named_figure(stat) + (f" ({stat.change.text})" if stat.change else "") for stat in digest.stats
    )
    head = f"{digest.title}, {digest.days}"
    sentence = f"{head}: {figures or digest.lead.text or 'open it'}".removesuffix(".") + "."
    return escaped(shortened(sentence, MOST_FALLBACK))


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis where it is longer: for labels that Slack does not let go on."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
