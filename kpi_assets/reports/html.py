"""The HTML page: one file that works with the network off and without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from markupsafe import Markup

from kpi_assets.contracts import Block, Panel, Picture
from kpi_assets.reports import css, svg
from kpi_assets.reports.calendar import year_place
from kpi_assets.reports.layout import Slot, rows
from kpi_assets.reports.lead import Lead
from kpi_assets.reports.logo import logo
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.prose import markdown_to_html
from kpi_assets.reports.slots import SlotModel, first_block
from kpi_assets.reports.tables import table_model
from kpi_assets.reports.templating import own_css, render
from kpi_assets.reports.trust import trusted
from kpi_assets.reports.words import (
    ARROWS,
    WORDS,
    as_of,
    complete_text,
    is_long,
    is_vast,
    query_text,
    safe_link,
)
from kpi_assets.style.dates import window_text, zone_text
from kpi_assets.style.links import edition_links
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

Attribute = Callable[[Picture], Markup]


def render_html(
    meta: DocumentMeta, blocks: Sequence[Block], theme: Theme, numbers: NumberStyle, *, lead: Lead
) -> str:
    """The page of an edition. Raises InputError when a template in `theme_dir` is wrong."""
    return PageWriter(meta, theme, numbers).page(blocks, lead)


@dataclass
class PageWriter:
    """Writes one page; counts drawings and ids so that none appears twice."""

    meta: DocumentMeta
    theme: Theme
    numbers: NumberStyle
    drawn: int = 0
    ids: set[str] = field(default_factory=lambda: {"main", "end", "chart-specs"})

    def page(self, blocks: Sequence[Block], lead: Lead) -> str:
        script, attribute = self._script(blocks)
        values = {
            **self.shared(blocks, lead),
            "rows": [[self.slot(slot) for slot in row] for row in rows(blocks, self.theme)],
            "script": script,
            "interactive": attribute,
        }
        return self.render("page.html.j2", values) + "\n"

    def style_sheet(self) -> str:
        """The page's CSS."""
        sizes = css.Sizes.of(self.theme)
        light, dark, printed = self.theme.light, self.theme.dark, css.printed(self.theme)
        turned = printed is not light
        wide = sizes.content > 700
        values = {
            "sizes": sizes,
            "light": css.variables(light),
            "dark": css.variables(dark),
            "remap": css.remapped(light, dark),
            "printed": css.variables(printed) if turned else "",
            "print_remap": css.remapped(light, printed) if turned else "",
            "paper": light.paper,
            "lead_size": 32 if wide else 26,
            "kpi_size": 40 if wide else 32,
            "kpi_pad": 24 if wide else 16,
        }
        return self.render_css("page.css.j2", values)

    def render(self, name: str, values: dict[str, Any]) -> str:
        return render(name, values, self.theme.theme_dir)

    def render_css(self, name: str, values: dict[str, Any]) -> str:
        """A style sheet from a template, without anything that could end the style element."""
        text_font, heading_font = css.fonts(self.theme)
        values |= {
            "text_font": text_font,
            "heading_font": heading_font,
            "extra": own_css(self.theme.theme_dir),
        }
        marked = {name: trusted(value) if isinstance(value, str) else value for name, value in values.items()}
        return self.render(name, marked).replace("</", "<\\/").strip()

    def shared(self, blocks: Sequence[Block], lead: Lead) -> dict[str, Any]:
        """What the templates of every medium are given: facts of the edition, and what they may call."""
        by = " ".join(text.strip() for text in (self.meta.description, self.meta.notes) if text.strip())
        return {
            "meta": self.meta,
            "css": trusted(self.style_sheet()),
            "lead": lead,
            "summary": lead.text or self.meta.description,
            "complete": complete_text(blocks),
            "as_of": as_of(self.meta, self.numbers.locale),
            "by": by,
            **self._masthead(),
            **self.helpers(),
        }

    def helpers(self) -> dict[str, Any]:
        """What templates may call."""
        return {
            "arrows": ARROWS,
            "words": WORDS,
            "drawings": self.drawings,
            "link": safe_link,
            "series": lambda index: index % max(1, len(self.theme.light.series)),
            "key": self._key,
            "long": is_long,
            "vast": is_vast,
            "bar": lambda share: f"{100 * min(max(share, 0), 1):.1f}",
            "mark": lambda share: f"{100 / max(share, 1):.1f}",
            "markdown": lambda text: trusted(markdown_to_html(text)),
            "table": table_model,
            "rows_of": lambda query: query_text(query, self.numbers),
        }

    def _key(self, panel: Panel) -> str:
        """A panel's colour in CSS: one of the theme's, which follow dark mode, or its own."""
        if panel.color == self.theme.light.context:
            return "var(--context)"
        return panel.color or f"var(--s{panel.series % max(1, len(self.theme.light.series))})"

    def slot(self, slot: Slot) -> SlotModel:
        return SlotModel.of(slot, self._id(first_block(slot).view), self.theme)

    def drawings(self, picture: Picture, extra: str = "") -> Markup:
        """The picture's drawings, each shown in the width classes that it serves best; with `extra` only the first."""
        parts: list[str] = []
        for drawing, served in zip(picture.drawings, width_classes(picture), strict=True):
            self.drawn += 1
            names = ("chart", "solid" if picture.solid else "", extra or served)
            classes = " ".join(name for name in names if name)
            parts.append(svg.inline(drawing.svg, label=picture.alt, prefix=f"c{self.drawn}", classes=classes))
            if extra:
                break
        return trusted("".join(parts))

    def _script(self, blocks: Sequence[Block]) -> tuple[Markup, Attribute]:
        if not self.meta.interactive:
            return Markup(), lambda _: Markup()
        from kpi_assets.reports.interactive import Interactive

        charts = Interactive(blocks, from_width=css.Sizes.of(self.theme).grid_from)
        return charts.script(), charts.attribute

    def _masthead(self) -> dict[str, Any]:
        meta, language = self.meta, self.numbers.locale
        return {
            "logo": trusted(logo(self.theme.logo, self.theme.organisation)),
            "organisation": self.theme.organisation,
            "links": trusted(edition_links(meta.previous_url, meta.archive_url, meta.window.length)),
            "window": window_text(meta.window, language),
            "zone": zone_text(meta.window),
            "place": year_place(meta.window),
            "palette": self.theme.light,
        }

    def _id(self, name: str) -> str:
        """An id for the view, unique in the page."""
        base = re.sub(r"[^\w-]+", "-", name).strip("-") or "view"
        base = base if base[0].isalpha() else f"v-{base}"
        numbered = (base if number == 1 else f"{base}-{number}" for number in count(1))
        found = next(id_ for id_ in numbered if id_ not in self.ids)
        self.ids.add(found)
        return found


def width_classes(picture: Picture) -> list[str]:
    """Where each drawing is shown: a missing narrower one is stood in for by the next wider."""
    if len(picture.drawings) == 1:
        return [""]
    served: list[list[str]] = [[] for _ in picture.drawings]
    has = [drawing.width_class for drawing in picture.drawings]
    for wanted, others in {
        "wide": ("mid", "phone"),
        "mid": ("wide", "phone"),
        "phone": ("mid", "wide"),
    }.items():
        chosen = next(name for name in (wanted, *others) if name in has)
        served[has.index(chosen)].append(f"at-{wanted}")
    return [" ".join(classes) for classes in served]
