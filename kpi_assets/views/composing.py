"""Blocks put together the same way by every view: finding as title, grey line, and what stands where nothing is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from kpi_assets.contracts import Block, Element, Prose, RenderContext, Span
from kpi_assets.style.dates import window_short


def measure_of(context: RenderContext) -> str:
    """What the view measures: the YAML's title, else its id in words."""
    return context.title or humanised(context.view)


def humanised(name: str) -> str:
    """`new_accounts` as `New accounts`."""
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def header_of(name: str) -> str:
    """A column's name as a header: identifiers in words, anything else as it is."""
    return humanised(name) if re.fullmatch(r"[a-z][a-z0-9_]*", name) else name


def grey_line(*parts: str) -> str:
    """What is measured, unit, days: those that there are."""
    return ", ".join(part for part in parts if part)


def days_of(context: RenderContext, days: int | None = None) -> str:
    """The window's days, or the `days` that end with it, short."""
    return window_short(Span(days=days).of(context.window), context.numbers.locale)


def compose(  # noqa: PLR0913 - one keyword per part of a block
    context: RenderContext,
    plugin: str,
    elements: Sequence[Element],
    *,
    rows: int,
    finding: str = "",
    unit: str = "",
    days: str | None = None,
    note: str = "",
    status: Literal["ok", "empty"] = "ok",
) -> Block:
    """The block. The YAML's headline stands for the finding; without one the measure is the title."""
    measure = measure_of(context)
    finding = context.headline or (finding if context.findings else "")
    return Block(
        view=context.view,
        plugin=plugin,
        title=finding or measure,
        subtitle=grey_line(measure if finding else "", unit, days_of(context) if days is None else days),
        finding=finding,
        measure=measure,
        description=context.description,
        note=note,
        cols=context.cols,
        status=status,
        elements=tuple(elements),
        rows=rows,
    )


def nothing(context: RenderContext, plugin: str, sentence: str = "No rows in this window.") -> Block:
    """The block of a view whose frame is empty: title, grey line and one sentence."""
    return compose(context, plugin, (Prose(markdown=sentence),), rows=0, status="empty")
