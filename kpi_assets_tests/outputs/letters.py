"""An edition with everything that mail and chat can show, composed once."""

from __future__ import annotations

from functools import lru_cache

from kpi_assets.contracts import Block, Document, Format
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.samples import every_kind, meta

LINK = "https://reports.example.com/weekly/2024-11-24/"
FORMATS: frozenset[Format] = frozenset({"html", "mail", "slack", "csv"})


@lru_cache(maxsize=4)
def edition(link: str = LINK, blocks: tuple[Block, ...] | None = None) -> Document:
    """The sample edition as outputs get it; without a link it holds every block."""
    return compose(meta(page_url=link), blocks or every_kind(), FORMATS, Theme(), NumberStyle())
