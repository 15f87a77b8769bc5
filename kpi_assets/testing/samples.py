"""A window, a context and a document, made without a report, for tests of plugins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from kpi_assets.contracts import (
    Block,
    Cell,
    Column,
    Document,
    Format,
    Prose,
    QueryNote,
    RenderContext,
    Stat,
    Table,
    Window,
)
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

WEEK = Window(date(2024, 11, 18), date(2024, 11, 25), "Europe/Berlin")
"""Monday to Sunday, in winter time."""


def sample_context(title: str = "Sign-ups", cols: int = 6, **more: Any) -> RenderContext:
    """What a view may know besides its frames, for one of the default theme; `more` overrides fields."""
    theme = Theme()
    fields: dict[str, Any] = {
        "view": "sample",
        "window": WEEK,
        "title": title,
        "headline": "",
        "description": "",
        "cols": cols,
        "width": theme.view_width(cols),
        "widths": theme.chart_widths(cols),
        "theme": theme,
        "numbers": NumberStyle(),
        "variables": {"title": "Sample", "from": "18 November 2024", "to": "24 November 2024", "days": "7"},
    }
    return RenderContext(**{**fields, **more})


def sample_blocks() -> tuple[Block, ...]:
    """A key figure, a table and a text, with signs that break what does not escape."""
    table = Table(
        caption="Sign-ups by country",
        columns=(Column(label="Country", header=True), Column(label="Sign-ups", align="right")),
        rows=((Cell(text="Österreich & <Wien>"), Cell(text="12")), (Cell(text="日本"), Cell(text="7"))),
    )
    return (
        Block(
            view="total",
            plugin="single_stat",
            title="Sign-ups",
            elements=(Stat(label="Sign-ups", value="19"),),
        ),
        Block(view="countries", plugin="table", title="By country", elements=(table,), rows=2),
        Block(view="note", plugin="text", title="Note", elements=(Prose(markdown="All *counted*."),)),
    )


def sample_document(
    formats: Collection[Format] = ("html",), blocks: Sequence[Block] | None = None, window: Window = WEEK
) -> Document:
    """An edition of a report called `sample`, with the files of the formats."""
    from kpi_assets.reports.compose import compose
    from kpi_assets.reports.meta import DocumentMeta

    note = QueryNote(
        "signups",
        "shop",
        "select 1",
        "sql",
        rows=2,
        seconds=0.1,
        fetched_at=datetime(2024, 11, 25, 5, tzinfo=UTC),
    )
    meta = DocumentMeta(
        report="sample",
        title="Sample & test",
        slug="sample-test",
        edition=window.key,
        window=window,
        queries=(note,),
    )
    return compose(meta, sample_blocks() if blocks is None else blocks, formats, Theme(), NumberStyle())
