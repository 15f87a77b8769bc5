"""The shortest forms of an edition: a mail's subject and first line, a chat message's header."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kpi_assets.contracts import Block, Stat, Window
from kpi_assets.reports.lead import NUMBER_SIGNS, Lead
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.words import one_line
from kpi_assets.style.dates import day_text, month_text, weekday_text, window_short

SUBJECT, HEADER, PREHEADER = 64, 60, 140
"""Most characters of each: what mail programs and Slack show of them."""


def subject(meta: DocumentMeta, stats: Sequence[Stat], lead: Lead, locale: str) -> str:
    """`Sign-ups 1,284 (+11.4 %), conversion 6.8 % · week of Nov 18`; the title where there are no key figures."""
    when = window_words(meta.window, locale)
    main = main_stat(stats)
    tries: list[str] = []
    if main and meta.findings:
        figure, change = named_figure(main), _change(main)
        other = contrast_stat(stats, lead)
        if other:
            tries.append(f"{figure}{change}, {_inside(named_figure(other), locale)} · {when}")
        tries += [f"{figure}{change} · {when}", f"{figure} · {when}"]
    # A title that carries its dates already does not get them twice.
    dated = any(day in meta.title for day in (meta.window.start.isoformat(), meta.window.key))
    tries.append(meta.title if dated else f"{meta.title} · {when}")
    return next(
        (one_line(text) for text in tries if len(one_line(text)) <= SUBJECT), _short(tries[-1], SUBJECT)
    )


def header(meta: DocumentMeta, stats: Sequence[Stat], lead: Lead) -> str:
    """`Sign-ups 1,284, up 11.4 %`: the finding in Slack's 60 characters."""
    main = main_stat(stats)
    tries: list[str] = []
    if main and meta.findings:
        text = main.change.text if main.change else ""
        word = NUMBER_SIGNS.get(text[:1])
        tries += [f"{named_figure(main)}, {word}{text[1:]}"] if word else []
        tries.append(named_figure(main))
    tries += [lead.finding.removesuffix(".")] if lead.finding else []
    tries.append(meta.title)
    return next(
        (one_line(text) for text in tries if len(one_line(text)) <= HEADER), _short(tries[-1], HEADER)
    )


def preheader(line: str, lead: Lead, stats: Sequence[Stat], *, evidence: Sequence[Block], failed: int) -> str:
    """What a list of mails shows after the subject: it adds to it and never repeats it."""
    parts: list[str] = []
    found = next((block.finding for block in evidence if block.finding), "")
    if found and found.rstrip(".") not in lead.text:
        parts.append(found.rstrip(".") + ".")
    parts += [
        f"{named_figure(stat)}{f', {stat.target.text}' if stat.target else ''}."
        for stat in stats
        if stat.number is not None and named_figure(stat).casefold() not in line.casefold()
    ][:1]
    if failed:
        parts.append("One block could not be made." if failed == 1 else f"{failed} blocks could not be made.")
    while len(parts) > 1 and len(" ".join(parts)) > PREHEADER:
        parts.pop(0)
    return _short(" ".join(parts), PREHEADER)


def window_words(window: Window, locale: str) -> str:
    """`week of Nov 18`, `Nov 24` alone, `Nov 2024`, or the days as short as they can be said."""
    first, last = window.start, window.last_day
    if first == last:
        return weekday_text(first, locale)
    if window.length == 7 and locale.startswith("en"):
        return f"week of {day_text(first, locale)}"
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and first.month == last.month:
        return month_text(first, locale, year=True)
    return window_short(window, locale)


def main_stat(stats: Sequence[Stat]) -> Stat | None:
    """The first key figure that has a number."""
    return next((stat for stat in stats if stat.number is not None), None)


def contrast_stat(stats: Sequence[Stat], lead: Lead) -> Stat | None:
    """The key figure that the lead's second sentence tells of."""
    told = (
        stat for stat in stats if stat.label and stat.label in lead.contrast and stat.value in lead.contrast
    )
    return next((stat for stat in told if stat is not main_stat(stats)), None)


def figure_words(stat: Stat) -> str:
    """`Sign-ups 1,284`, or the configured label's own words."""
    text = one_line(stat.label_text or "")
    if text and text != stat.value:
        return text
    return f"{stat.label} {stat.value}".strip()


def named_figure(stat: Stat) -> str:
    """`Sign-ups 1,284`; the configured label's words, which may be links, only where the figure has no name."""
    return f"{stat.label} {stat.value}" if stat.label else figure_words(stat)


def _change(stat: Stat) -> str:
    return f" ({stat.change.text})" if stat.change and stat.change.direction != "none" else ""


def _inside(text: str, locale: str) -> str:
    """Lower case inside a sentence, for English words that are not all capitals."""
    first, _, _ = text.partition(" ")
    return text[0].lower() + text[1:] if locale.startswith("en") and first[1:].islower() else text


def _short(text: str, most: int) -> str:
    """At most `most` characters, cut after a word."""
    text = one_line(text)
    if len(text) <= most:
        return text
    room = text[: most - 1]
    return (room.rpartition(" ")[0] or room).rstrip(" ,.·") + "…"
