"""Small texts that several formats share, so that they say the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kpi_assets.contracts import Block, Change, QueryNote, Stat
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.style.dates import moment_text
from kpi_assets.style.numbers import NumberStyle

ARROWS = {"up": "▲", "down": "▼", "flat": "■"}
WORDS = {"better": "better", "worse": "worse", "same": "no change"}
LINK = re.compile(r"(?:https?://|mailto:|[#./\w-][^:]*$)", re.IGNORECASE)


def as_of(meta: DocumentMeta, locale: str) -> str:
    """When the data were fetched; from and to where that took more than an hour."""
    moments = sorted(query.fetched_at for query in meta.queries if query.fetched_at)
    if not moments:
        return "n/a"
    zone = meta.window.starts_at.tzinfo
    first, last = (moment_text(moment.astimezone(zone), locale) for moment in (moments[0], moments[-1]))
    return last if (moments[-1] - moments[0]).total_seconds() < 3600 else f"{first} to {last}"


def complete_text(blocks: Sequence[Block]) -> str:
    """`11 of 12 blocks complete`."""
    made = sum(block.status != "placeholder" for block in blocks)
    unit = "block" if len(blocks) == 1 else "blocks"
    return (
        f"{made} of {len(blocks)} {unit} complete" if made < len(blocks) else f"{made} {unit}, all complete"
    )


def change_text(change: Change) -> str:
    """`▲ +11.4 % better`."""
    parts = (ARROWS.get(change.direction, ""), change.text, WORDS.get(change.verdict, ""))
    return " ".join(part for part in parts if part)


def query_text(query: QueryNote, numbers: NumberStyle) -> str:
    """`90 rows · 41 ms`."""
    took = numbers.duration(query.seconds)
    if query.error:
        return f"no answer · {took}" if query.seconds else "no answer"
    rows = f"{numbers.number(query.rows)} {'row' if query.rows == 1 else 'rows'} · {took}"
    return f"{rows} · {query.remark}" if query.remark else rows


def is_long(stat: Stat) -> bool:
    """A configured label can be a whole sentence, which is not set in the size of a figure."""
    return len(stat.label_text or stat.value) > 12


def is_vast(stat: Stat) -> bool:
    """A figure that would break in the middle of its digits where two stand side by side on a phone."""
    return stat.label_html is None and len(stat.value) > 14


def one_line(text: str) -> str:
    """The text without line breaks; no-break spaces, which numbers hold, stay."""
    return re.sub(r"[ \t\r\n\f\v]+", " ", text).strip(" ")


def safe_link(url: str | None) -> str:
    """`url` where it leads to a page, mail address or place in the page; "" for `javascript:` and the like."""
    text = (url or "").strip()
    return text if LINK.match(text) else ""
