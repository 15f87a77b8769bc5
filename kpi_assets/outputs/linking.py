"""How the editions of a folder point at each other."""

from __future__ import annotations

from kpi_assets.outputs.contents import PAGE
from kpi_assets.outputs.editions import Edition, before
from kpi_assets.style.links import edition_links

ARCHIVE = "index.html"


def masthead_links(edition: Edition, others: list[Edition]) -> str:
    """HTML of an edition's links: to the edition before it, if there is one among the others, and to the archive."""
    earlier = before(edition, others)
    if earlier is None:
        return edition_links(None, f"../{ARCHIVE}", None)
    lengths = {earlier.end - earlier.start, edition.end - edition.start}
    just_before = earlier.end == edition.start and len(lengths) == 1
    days = (edition.end - edition.start).days if just_before else None
    return edition_links(f"../{earlier.name}/{PAGE}", f"../{ARCHIVE}", days)
