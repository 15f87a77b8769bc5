"""The archive: one page that lists the editions of a folder, newest first, in the look of the newest page."""

from __future__ import annotations

import re
from html import escape
from itertools import groupby

from kpi_assets.outputs.editions import SUFFIXES, Edition
from kpi_assets.style.links import relinked

MADE_BY_US = 'content="kpi_assets archive"'
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
TOP = re.compile(r'<div class="top.*?</nav></div>', re.DOTALL)
PLAIN = """<style>
:root{color-scheme:light dark}body{font:15px/24px system-ui,sans-serif;max-width:65em;margin:24px auto;
padding:0 24px}h1{font-size:18px}h2{font-size:15px}ul{list-style:none;padding:0}li{margin:12px 0}p{margin:0}
</style>"""


def render_archive(editions: list[Edition], like: str = "") -> str:
    """HTML of the archive; `like` is a page of an edition, whose style sheet and masthead are taken over."""
    style = STYLE.search(like)
    top = TOP.search(like)
    masthead = relinked(top.group(0), "") if top else ""
    reports = sorted({(edition.slug, "") for edition in editions})
    title = _title(editions) if len(reports) == 1 else "Reports"
    lists = "\n".join(
        _list(list(group), alone=len(reports) == 1)
        for _, group in groupby(sorted(editions, key=lambda e: e.slug), key=lambda e: e.slug)
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="generator" {MADE_BY_US}>
<title>{escape(title)}: all editions</title>
{style.group(0) if style else PLAIN}
</head><body><a class="sr skip" href="#main">Skip to the editions</a><div class="page">
<header>{masthead}
<div class="mast"><div><h1 dir="auto">{escape(title)}</h1>
<p class="when">{_count(editions)}, newest first</p></div></div>
<div class="nolead"></div></header>
<main id="main" class="grid">
{lists}
</main></div></body></html>
"""


def _list(editions: list[Edition], *, alone: bool) -> str:
    newest_first = sorted(editions, key=lambda edition: edition.age, reverse=True)
    head = "" if alone else f'<h2 dir="auto">{escape(_title(newest_first[::-1]))}</h2>'
    items = "\n".join(_item(edition) for edition in newest_first)
    return f'<section class="v" style="--c:99;grid-column:1/-1">{head}<ul class="editions">\n{items}\n</ul></section>'


def _item(edition: Edition) -> str:
    days = edition.days or f"{edition.start} – {edition.end} (not included)"
    link = f'<a href="{escape(edition.link)}">{escape(days)}</a>'
    others = "".join(
        f' <a href="{escape(edition.name + SUFFIXES[kind])}">{kind.upper()}</a>'
        for kind in edition.formats[1:]
    )
    lead = f'<p dir="auto">{escape(edition.lead)}</p>' if edition.lead else ""
    return f"<li><span>{link}{others}</span>{lead}</li>"


def _title(editions: list[Edition]) -> str:
    """The newest edition's title."""
    return editions[-1].title or editions[-1].slug.replace("-", " ").capitalize()


def _count(editions: list[Edition]) -> str:
    return "1 edition" if len(editions) == 1 else f"{len(editions):,} editions"
