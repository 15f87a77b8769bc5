"""The HTML page: one file that works with the network off and without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from kpi_assets.contracts import Block, Picture, Stats, Table
from kpi_assets.errors import InputError
from kpi_assets.reports import css, svg
from kpi_assets.reports.calendar import year_place
from kpi_assets.reports.layout import Slot, Strip, rows
from kpi_assets.reports.lead import Lead
from kpi_assets.reports.logo import logo
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.reports.prose import markdown_to_html
from kpi_assets.reports.tables import table_model
from kpi_assets.reports.trust import trusted
from kpi_assets.reports.words import (
    ARROWS,
    WORDS,
    as_of,
    complete_text,
    is_long,
    query_text,
    safe_link,
)
from kpi_assets.style.dates import window_text, zone_text
from kpi_assets.style.links import edition_links
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

TEMPLATES = Path(__file__).parent / "templates"
TALL_ROWS = 25
"""Tables with more rows may break over printed pages."""


def render_html(
    meta: DocumentMeta,
    blocks: Sequence[Block],
    theme: Theme,
    numbers: NumberStyle,
    *,
    lead: Lead,
) -> str:
    """The page of an edition. Raises InputError when a template in `theme_dir` is wrong."""
    return PageWriter(meta, theme, numbers).page(blocks, lead)


@dataclass(frozen=True)
class SlotModel:
    """What the templates of one place in the grid are given."""

    id: str
    cols: int
    shared: bool
    block: Block
    strip: Strip | None = None

    @property
    def is_strip(self) -> bool:
        return self.strip is not None

    @property
    def tag(self) -> str:
        return "figure" if any(isinstance(e, Picture | Table) for e in self.block.elements) else "section"

    @property
    def caption_tag(self) -> str:
        return "figcaption" if self.tag == "figure" else "div"

    @property
    def tall(self) -> bool:
        return any(isinstance(e, Table) and len(e.rows) > TALL_ROWS for e in self.block.elements)

    @property
    def title(self) -> str:
        """A strip's own title: only of a `stats` view whose title is not its finding, which the lead tells."""
        plain = isinstance(self.block.elements[0], Stats) and self.block.title != self.block.finding
        return self.block.title if plain else ""

    @property
    def subtitle(self) -> str:
        return self.block.subtitle

    @property
    def notes(self) -> list[str]:
        blocks = self.strip.blocks if self.strip else ()
        return list(dict.fromkeys(text for block in blocks for text in (block.note,) if text))


@dataclass
class PageWriter:
    """Writes one page; counts drawings and ids so that none appears twice."""

    meta: DocumentMeta
    theme: Theme
    numbers: NumberStyle
    drawn: int = 0
    ids: set[str] = field(default_factory=lambda: {"main", "end"})

    def page(self, blocks: Sequence[Block], lead: Lead) -> str:
        script, attribute = self._script(blocks)
        environment = self._environment()
        environment.globals.update(self._hooks(attribute))
        values = {
            "meta": self.meta,
            "css": trusted(self.style_sheet(environment)),
            "rows": [[self._slot(slot) for slot in row] for row in rows(blocks, self.theme)],
            "lead": lead,
            "summary": lead.text or self.meta.description,
            "complete": complete_text(blocks),
            "script": script,
            **self._masthead(),
            **self._footer(),
        }
        return self._render(environment, "page.html.j2", values) + "\n"

    def style_sheet(self, environment: Environment) -> str:
        """The page's CSS, without anything that could end the style element."""
        sizes = css.Sizes.of(self.theme)
        light, dark, printed = self.theme.light, self.theme.dark, css.printed(self.theme)
        turned = printed is not light
        values = {
            "sizes": sizes,
            "light": css.variables(light),
            "dark": css.variables(dark),
            "remap": css.remapped(light, dark),
            "printed": css.variables(printed) if turned else "",
            "print_remap": css.remapped(light, printed) if turned else "",
            "paper": light.paper,
            "text_font": css.fonts(self.theme)[0],
            "heading_font": css.fonts(self.theme)[1],
            "lead_size": 32 if sizes.content > 700 else 26,
            "kpi_size": 40 if sizes.content > 700 else 32,
            "kpi_pad": 24 if sizes.content > 700 else 16,
            "extra": self._own_css(),
        }
        marked = {name: trusted(value) if isinstance(value, str) else value for name, value in values.items()}
        return self._render(environment, "page.css.j2", marked).replace("</", "<\\/").strip()

    def _own_css(self) -> str:
        path = Path(self.theme.theme_dir or "") / "user.css"
        return path.read_text(encoding="utf-8") if self.theme.theme_dir and path.is_file() else ""

    def _render(self, environment: Environment, name: str, values: dict[str, Any]) -> str:
        try:
            return environment.get_template(name).render(values)
        except TemplateError as error:
            raise InputError(template_problem(error, self.theme)) from error

    def _environment(self) -> Environment:
        folders = [self.theme.theme_dir] if self.theme.theme_dir else []
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
            keep_trailing_newline=False,
        )
        environment.globals.update(self._helpers())
        return environment

    def _helpers(self) -> dict[str, Any]:
        """What templates may call."""
        return {
            "arrows": ARROWS,
            "words": WORDS,
            "drawings": self.drawings,
            "link": safe_link,
            "series": lambda index: index % max(1, len(self.theme.light.series)),
            "long": is_long,
            "bar": lambda share: f"{100 * min(max(share, 0), 1):.1f}",
            "mark": lambda share: f"{100 / max(share, 1):.1f}",
            "markdown": lambda text: trusted(markdown_to_html(text)),
            "table": table_model,
            "rows_of": lambda query: query_text(query, self.numbers),
        }

    def _hooks(self, attribute: Callable[[Picture], Markup] = lambda _: Markup()) -> dict[str, Any]:
        """`interactive(picture)` in templates: the attribute by which the script finds a chart's spec."""
        return {"interactive": attribute}

    def _script(self, blocks: Sequence[Block]) -> tuple[Markup, Callable[[Picture], Markup]]:
        if not self.meta.interactive:
            return Markup(), lambda _: Markup()
        from kpi_assets.reports.interactive import Interactive

        charts = Interactive(blocks, from_width=css.Sizes.of(self.theme).grid_from)
        return charts.script(), charts.attribute

    def _masthead(self) -> dict[str, Any]:
        language = self.numbers.locale
        return {
            "logo": trusted(logo(self.theme.logo, self.theme.organisation)),
            "organisation": self.theme.organisation,
            "links": trusted(
                edition_links(self.meta.previous_url, self.meta.archive_url, self.meta.window.length)
            ),
            "window": window_text(self.meta.window, language),
            "zone": zone_text(self.meta.window),
            "place": year_place(self.meta.window),
            "palette": self.theme.light,
        }

    def _footer(self) -> dict[str, Any]:
        by = " ".join(text.strip() for text in (self.meta.description, self.meta.notes) if text.strip())
        return {"as_of": as_of(self.meta, self.numbers.locale), "by": by}

    def _slot(self, slot: Slot) -> SlotModel:
        content = slot.content
        block = content.blocks[0] if isinstance(content, Strip) else content
        strip = content if isinstance(content, Strip) else None
        return SlotModel(self._id(block.view), slot.cols, slot.shared, block, strip)

    def _id(self, name: str) -> str:
        base = re.sub(r"[^\w-]+", "-", name).strip("-") or "view"
        base = base if base[0].isalpha() else f"v-{base}"
        found = next(i for i in _numbered(base) if i not in self.ids)
        self.ids.add(found)
        return found

    def drawings(self, picture: Picture, extra: str = "") -> Markup:
        """The picture's drawings, each shown in the width classes that it serves best."""
        parts: list[str] = []
        for drawing, served in zip(picture.drawings, width_classes(picture, extra), strict=True):
            self.drawn += 1
            classes = " ".join(c for c in ("chart", "solid" if picture.solid else "", extra, served) if c)
            parts.append(svg.inline(drawing.svg, label=picture.alt, prefix=f"c{self.drawn}", classes=classes))
            if extra:
                break
        return trusted("".join(parts))


def width_classes(picture: Picture, extra: str = "") -> list[str]:
    """Where each drawing is shown: a missing narrower one is stood in for by the next wider."""
    if extra or len(picture.drawings) == 1:
        return ["" for _ in picture.drawings]
    served: list[list[str]] = [[] for _ in picture.drawings]
    has = [drawing.width_class for drawing in picture.drawings]
    for wanted, fallbacks in {
        "wide": ("mid", "phone"),
        "mid": ("wide", "phone"),
        "phone": ("mid", "wide"),
    }.items():
        chosen = next(name for name in (wanted, *fallbacks) if name in has)
        served[has.index(chosen)].append(f"at-{wanted}")
    return [" ".join(classes) for classes in served]


def template_problem(error: TemplateError, theme: Theme) -> str:
    name = getattr(error, "filename", None) or getattr(error, "name", None) or "a template"
    line = getattr(error, "lineno", None)
    where = f"{name}:{line}" if line else str(name)
    return f"{where}: {error}; fix the template, or remove it from theme_dir ({theme.theme_dir})"


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1
