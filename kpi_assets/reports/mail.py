"""The mail: HTML that survives Outlook and Gmail, from the same blocks as the page.

Written as templates with classes; the style sheet is then put into `style` attributes, and what only refines (phones,
dark mode) stays in the head. Pictures are named by their path in the document: outputs turn those into `cid:` or
addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape
from typing import Any

from markupsafe import Markup

from kpi_assets.contracts import Block, File, Picture, Stat, Stats, Table
from kpi_assets.errors import InputError
from kpi_assets.reports import css
from kpi_assets.reports.digest import Digest, failure_sentences
from kpi_assets.reports.mail_pictures import Bitmap, bitmap, files, logo_bitmap
from kpi_assets.reports.mail_tables import mail_note, mail_table
from kpi_assets.reports.prose import markdown_to_html
from kpi_assets.reports.templating import render
from kpi_assets.reports.trust import trusted
from kpi_assets.reports.words import change_text, is_long, safe_link
from kpi_assets.style.numbers import plain_spaces
from kpi_assets.style.palette import text_on
from kpi_assets.style.theme import Palette, Theme

FONT = "'Segoe UI',Helvetica,Arial,sans-serif"
LARGEST = 95_000
"""Bytes of HTML. Gmail cuts a mail at about 102 KB, footer first; addresses of pictures still grow by a few."""
FILLER = "\u200c\u00a0" * 60
"""Keeps the mail's own text out of the line that lists show after the subject."""
CLASS = re.compile(r' class="([^"]*)"')
LINES = re.compile(r"\s*\n\s*")
NAME = re.compile(r"\.([a-z][a-z0-9-]*)")


@dataclass(frozen=True)
class Mail:
    """The mail's files (`mail.html` and its pictures) and what they tell, which may be less than was asked for."""

    digest: Digest
    files: tuple[File, ...]


def render_mail(digest: Digest, theme: Theme) -> Mail:
    """The mail; evidence that would make it longer than mail programs show is left out by name, last first.

    Raises InputError when a template in `theme_dir` is wrong or the logo cannot be read.
    """
    writer = MailWriter(theme)
    html = writer.html(digest)
    while len(html.encode()) > LARGEST and digest.evidence:
        digest = digest.without_last()
        html = writer.html(digest)
    pictures = [
        *(stat.sparkline for stat in digest.stats if stat.sparkline),
        *(p for _, p in digest.pictures),
    ]
    logo = [File(writer.logo.path, "image/png", writer.logo.content)] if writer.logo else []
    return Mail(digest, (File("mail.html", "text/html", html.encode()), *logo, *files(pictures)))


@dataclass
class MailWriter:
    """Writes mails in one theme."""

    theme: Theme
    light: Palette = field(init=False)
    dark: Palette = field(init=False)
    logo: Bitmap | None = field(init=False)

    def __post_init__(self) -> None:
        # Pictures are drawn on white, so white is the paper.
        self.light, self.dark = replace(css.printed(self.theme), surface="#ffffff"), self.theme.dark
        try:
            self.logo = logo_bitmap(self.theme.logo, self.light.ink)
        except (OSError, ValueError) as error:
            raise InputError(f"theme.logo: {self.theme.logo} cannot be drawn for mail: {error}") from error

    def html(self, digest: Digest) -> str:
        """The mail's text. The head never passes the inliner, which would drop Outlook's part of it."""
        kept = self._render("kept.css", dark=self.dark).replace("</", "<\\/").strip()
        style = self._render("inlined.css", font=trusted(FONT))
        values = {"digest": _ready(digest), "logo": self.logo, "organisation": self.theme.organisation or ""}
        body = self._render("body.html", **values, **self._helpers(), filler=FILLER)
        inlined = _inlined(body, style, frozenset(NAME.findall(kept)))
        page = self._render("document.html", **values, kept_css=trusted(kept), body=trusted(inlined))
        return plain_spaces(page) + "\n"

    def _render(self, name: str, **values: Any) -> str:
        common = {"light": self.light, "on_accent": text_on(self.light.accent)}
        return render(f"mail/{name}.j2", {**common, **values}, self.theme.theme_dir)

    def _helpers(self) -> dict[str, Any]:
        """What templates may call."""
        return {
            "image": self.image,
            "link": safe_link,
            "long": is_long,
            "change": change_text,
            "percent": lambda share: round(100 * min(max(share, 0), 1)),
            "series": lambda index: self.light.series[index % max(1, len(self.light.series))],
            "key": lambda panel: (
                panel.color or self.light.series[panel.series % max(1, len(self.light.series))]
            ),
            "markdown": lambda text: trusted(markdown_to_html(text)),
            "failure": failure_sentences,
            "under": _under,
            "note": mail_note,
            "table": lambda element: mail_table(element, self.light),
        }

    def image(self, picture: Picture, classes: str) -> Markup:
        """The picture in its width; the alt text is the chart where pictures are off."""
        made = bitmap(picture)
        return trusted(
            f'<img class="{classes}" src="{made.path}" width="{made.width}" height="{made.height}" '
            f'alt="{escape(picture.alt)}" style="max-width:{made.width}px;">'
        )


def _ready(digest: Digest) -> Digest:
    """Figures inside other blocks as a strip of one, which is how tables draw them."""

    def ready(block: Block) -> Block:
        if not any(isinstance(element, Stat) for element in block.elements):
            return block
        elements = tuple(Stats(stats=(e,)) if isinstance(e, Stat) else e for e in block.elements)
        return block.model_copy(update={"elements": elements})

    return replace(digest, evidence=tuple(ready(block) for block in digest.evidence))


def _inlined(body: str, style: str, kept: frozenset[str]) -> str:
    """The body with its style in attributes; classes that nothing refers to any more are dropped."""
    html = _inliner().inline_fragment(LINES.sub("\n", body.strip()), style)

    def classes(match: re.Match[str]) -> str:
        names = [name for name in match[1].split() if name in kept]
        return f' class="{" ".join(names)}"' if names else ""

    return CLASS.sub(classes, html)


@lru_cache(maxsize=1)
def _inliner() -> Any:
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)


def _under(block: Block) -> str:
    """Measure and description as sentences in one line; the latter may tell of columns that are not shown."""
    narrowed = any(isinstance(e, Table) and any(column.low for column in e.columns) for e in block.elements)
    texts = [text for text in (block.subtitle, "" if narrowed else block.description) if text]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts)
