"""Words about an edition as a whole: report variables, the document's meta data, the placeholder of a failed view."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from kpi_assets import __version__
from kpi_assets.contracts import Block, Prose, QueryNote, Stat, Stats, Window
from kpi_assets.contracts.recipient import filled as with_values
from kpi_assets.errors import KpiAssetsError, SourceFailedError
from kpi_assets.plan import ReportPlan, ViewPlan

if TYPE_CHECKING:
    from kpi_assets.reports.compose import DocumentMeta


def variables(plan: ReportPlan, window: Window) -> Mapping[str, str]:
    """What `{name}` stands for in titles and texts. `end` is the last day, `to` the day after it."""
    words = {
        "from": window.start.isoformat(),
        "to": window.end.isoformat(),
        "end": window.last_day.isoformat(),
        "days": str(window.length),
        "interval": f"{window.length} days",
        "timezone": window.zone,
        "report": plan.id,
        **(plan.recipient.words if plan.recipient else {}),
    }
    return {"title": filled(plan.title, words), **words}


def titled(plan: ReportPlan, window: Window) -> str:
    """The report's title with its variables put in."""
    return variables(plan, window)["title"]


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with every known `{name}` replaced; other braces stay."""
    return re.sub(r"\{([\w.]+)\}", lambda match: words.get(match[1], match[0]), text)


def document_meta(plan: ReportPlan, window: Window, notes: Sequence[QueryNote]) -> DocumentMeta:
    """Everything that the page says about itself."""
    from kpi_assets.reports.compose import DocumentMeta
    from kpi_assets.reports.slug import slugify

    title = titled(plan, window)
    return DocumentMeta(
        report=plan.id,
        title=title,
        slug=slugify(plan.title),
        edition=plan.edition(window),
        window=window,
        description=plan.config.description,
        lead=filled(plan.config.lead, plan.recipient.words if plan.recipient else {}),
        queries=tuple(notes),
        interactive=plan.config.interactive,
        findings=plan.config.findings,
        page_url=page_url(plan, window),
        version=__version__,
    )


def page_url(plan: ReportPlan, window: Window) -> str:
    """Where readers find the edition's page: by `public_url`, whose `{id}` is the folder's name in a `static` output.

    Without such a place in it, it is the address under which the stored editions are served. "" where nobody said.
    """
    from kpi_assets.reports.slug import slugify

    url = plan.config.public_url or ""
    if plan.recipient:
        url = with_values(url, plan.recipient.place)
    slug, edition = slugify(plan.title), plan.edition(window)
    if "{" not in url:
        return f"{url.rstrip('/')}/{quote(plan.id)}/{quote(edition)}/document/index.html" if url else ""
    words = {**variables(plan, window), "title_slug": slug, "edition": edition}
    words["id"] = f"{window.start}_{window.end}_{slug}"
    for name, value in words.items():
        url = url.replace("{" + name + "}", quote(value))
    return url


def placeholder_block(view: ViewPlan, error: KpiAssetsError, before: Block | None, plan: ReportPlan) -> Block:
    """The block that says that a view could not be made: plain reason, last good value, what happens next."""
    told = "The owner was told." if plan.config.owner else ""
    sentences = [_reason(error), _last_value(before), told]
    return Block(
        view=view.id,
        plugin=view.plugin,
        title=view.config.title or view.id.replace("_", " ").capitalize(),
        measure=view.config.title,
        cols=view.cols,
        status="placeholder",
        elements=(Prose(markdown="\n\n".join(sentence for sentence in sentences if sentence)),),
        # Beside the reason, since mail and chat, which nothing fills later, leave notes of placeholders out.
        note=f"{_what_next(error)}; all other blocks stand on their own.",
    )


def left_out_block(view: ViewPlan, reason: str) -> Block:
    """What is kept of a view that an edition does not have: that it was left out, and why."""
    title = view.config.title or view.id.replace("_", " ").capitalize()
    return Block(
        view=view.id,
        plugin=view.plugin,
        title=title,
        measure=view.config.title,
        cols=view.cols,
        status="left_out",
        note=reason,
    )


def nothing_block(cols: int) -> Block:
    """What an edition says all of whose views were left out."""
    sentence = "No part of this report has anything to show for these days."
    return Block(
        view="nothing",
        plugin="text",
        title="Nothing to report",
        cols=cols,
        elements=(Prose(markdown=sentence),),
        framed=False,
    )


def _reason(error: KpiAssetsError) -> str:
    if isinstance(error, SourceFailedError):
        return error.reason[:1].upper() + error.reason[1:] + "."
    return "The data that arrived could not be shown."


def _what_next(error: KpiAssetsError) -> str:
    passes = isinstance(error, SourceFailedError) and error.reason == SourceFailedError.LATE
    return "It fills itself when the source answers" if passes else "It stays so until that is mended"


def _last_value(before: Block | None) -> str:
    for element in before.elements if before and before.status == "ok" else ():
        if isinstance(element, Stat):
            return f"The last value, for the window before, was **{element.value}**."
        if isinstance(element, Stats) and element.stats:
            values = ", ".join(f"{stat.label} **{stat.value}**" for stat in element.stats)
            return f"The last values, for the window before: {values}."
    return ""
