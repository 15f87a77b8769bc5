"""Links between editions, as the page's masthead carries them and as outputs write them into a published page."""

from __future__ import annotations

import re
from html import escape

NAV = re.compile(r'(<nav aria-label="Editions">)(.*?)(</nav>)', re.DOTALL)
NAMES = {1: "Day before", 7: "Week before"}


def edition_links(previous: str | None, archive: str | None, days: int | None) -> str:
    """HTML of the links. `days`: length of the window before, None where that edition is not the one just before."""
    found = [f'<a href="{escape(previous)}">{NAMES.get(days or 0, "Edition before")}</a>'] if previous else []
    if archive:
        found.append(f'<a class="x" href="{escape(archive)}">All editions</a>')
    return "".join(found)


def relinked(page: str, links: str) -> str:
    """The page with other links in its masthead; the page itself where its template has no place for them."""
    return NAV.sub(lambda match: match[1] + links + match[3], page, count=1)
