"""Blocks -> document: every asked format from the same blocks, nothing twice, no clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kpi_assets.contracts import Block, Document, File, Format
from kpi_assets.reports.data import data_files
from kpi_assets.reports.digest import Digest, digest
from kpi_assets.reports.lead import Lead, lead
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

__all__ = ["DocumentMeta", "compose"]


def compose(  # noqa: PLR0917 - the order in which a document comes about
    meta: DocumentMeta,
    blocks: Sequence[Block],
    formats: Collection[Format],
    theme: Theme,
    numbers: NumberStyle,
) -> Document:
    """The edition in every asked format: `index.html`, `index.md` with `figures/`, `report.pdf`, `report.png`,
    `mail.html` with `mail.txt`, `slack.json` and the pictures of both in `mail/`, `data/<view>.csv` and
    `data/report.xlsx`.

    Raises PluginError where a format needs an extra that is not installed, InputError where a template in `theme_dir`
    is wrong or the logo cannot be read.
    """
    opening = lead(blocks if meta.findings else (), meta.lead)
    told = digest(meta, blocks, numbers, opening)
    asked = frozenset(formats)
    files = [*_files(meta, blocks, asked, theme, numbers, opening), *_messages(told, asked, theme, numbers)]
    if "csv" in asked:
        files += data_files(blocks)
    if "xlsx" in asked:
        from kpi_assets.reports import xlsx

        files.append(File(xlsx.PATH, xlsx.MEDIA_TYPE, xlsx.render_xlsx(meta, blocks, numbers)))
    return Document(
        report=meta.report,
        title=meta.title,
        slug=meta.slug,
        edition=meta.edition,
        window=meta.window,
        lead=opening.text,
        blocks=tuple(blocks),
        subject=told.subject,
        queries=meta.queries,
        files=tuple({file.path: file for file in files}.values()),
        page_url=meta.page_url,
    )


def _files(  # noqa: PLR0917 - the parts of one document
    meta: DocumentMeta,
    blocks: Sequence[Block],
    formats: frozenset[Format],
    theme: Theme,
    numbers: NumberStyle,
    opening: Lead,
) -> Iterator[File]:
    if "html" in formats:
        from kpi_assets.reports.html import render_html

        page = render_html(meta, blocks, theme, numbers, lead=opening)
        yield File("index.html", "text/html", page.encode())
    if "md" in formats:
        from kpi_assets.reports.markdown import figures, render_markdown

        yield File("index.md", "text/markdown", render_markdown(meta, blocks, numbers, lead=opening).encode())
        yield from figures(blocks)
    if formats & {"pdf", "png"}:
        from kpi_assets.reports.paper import paper_html
        from kpi_assets.reports.pdf import render_pdf
        from kpi_assets.reports.png import render_png

        if "pdf" in formats:
            source = paper_html(meta, blocks, theme, numbers, lead=opening, sheet="a4")
            yield File("report.pdf", "application/pdf", render_pdf(source))
        if "png" in formats:
            source = paper_html(meta, blocks, theme, numbers, lead=opening, sheet="endless")
            yield File("report.png", "image/png", render_png(source))


def _messages(told: Digest, formats: frozenset[Format], theme: Theme, numbers: NumberStyle) -> Iterator[File]:
    """What is sent to people: mail and chat, which share their pictures."""
    if "mail" in formats:
        from kpi_assets.reports.mail import render_mail
        from kpi_assets.reports.mail_text import render_text

        mail = render_mail(told, theme)
        yield from mail.files
        yield File("mail.txt", "text/plain", render_text(mail.digest).encode())
    if "slack" in formats:
        from kpi_assets.reports.slack import render_slack

        yield from render_slack(told)
    if "slack_tables" in formats:
        from kpi_assets.reports.slack import render_slack
        from kpi_assets.reports.table_pictures import draw_tables

        yield from render_slack(told, draw_tables(told, theme, numbers))
