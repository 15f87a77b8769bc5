"""What a document says about itself, beside its blocks. Holds no clock: every moment comes with the queries."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets import __version__
from kpi_assets.contracts import QueryNote, Window


@dataclass(frozen=True)
class DocumentMeta:
    """An edition's own facts.

    `title` has its variables filled in already; `slug` comes from `reports.slug.slugify`. `lead` are the YAML's opening
    words ("" = computed from the findings). `parameters` are shown in the footer after from, to and zone.
    `previous_url` and `archive_url` are relative links, None where nothing is there; the `static` output fills them in
    for its own folder. `notes` are the footer's closing sentences. `findings` False: no lead is computed either.
    `page_url`: where the edition's page is served, "" where nobody said; mail and chat link to it.
    """

    report: str
    title: str
    slug: str
    edition: str
    window: Window
    description: str = ""
    lead: str = ""
    queries: tuple[QueryNote, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    previous_url: str | None = None
    archive_url: str | None = None
    page_url: str = ""
    notes: str = ""
    language: str = "en"
    interactive: bool = False
    findings: bool = True
    version: str = __version__
