"""A block: one rendered view, as content that every format is written from.

Views fill blocks with *elements* (figures, stats, tables, text). The formats in `reports/` and `outputs/` draw those
elements; so page, mail, chat and plain text of an edition show the same numbers in the same words. Texts here are plain
text unless the field's name says otherwise; escaping is the format's business.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["better", "worse", "same", "none"]
Value = bool | int | float | timedelta | datetime | date
"""What a cell's text was written from, where that is no text itself. Numbers are finite."""


class Content(BaseModel):
    """Base of everything inside a block: frozen, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",  # null would not be read back as a number
    )


class Drawing(Content):
    """One SVG drawing of a chart for a width class of the page; `width` and `height` in CSS pixels."""

    width_class: Literal["wide", "mid", "phone"]
    width: int
    height: int
    svg: str


class Picture(Content):
    """A chart: its Vega-Lite spec and its drawings.

    `name` is unique in the block. `alt` states the finding with numbers. `drawings` holds at least one drawing, widest
    first; a narrower one is left out when it would differ by less than 15 %. `png` is the 2x bitmap on opaque white,
    present only when a format asked for it; `png_width` its width in CSS pixels. `solid`: large fills, which keep
    their light colours in dark mode. `spec` is the JSON text of the wide drawing's Vega-Lite spec, data included.
    """

    kind: Literal["picture"] = "picture"
    name: str
    alt: str
    title: str = ""
    drawings: tuple[Drawing, ...]
    spec: str = ""
    png: bytes | None = None
    png_width: int = 0
    png_height: int = 0
    solid: bool = False
    link_url: str | None = None


class Panel(Content):
    """One chart of a row of small multiples.

    `series` is the colour's index in the theme's series, `color` the colour itself where it is none of those.
    """

    name: str
    note: str
    series: int
    color: str = ""
    picture: Picture


class Panels(Content):
    """Small multiples on one scale; `across`: how many stand side by side where the page is wide."""

    kind: Literal["panels"] = "panels"
    panels: tuple[Panel, ...]
    across: int = 4


class Change(Content):
    """A change against an earlier value.

    `text` is ready to print, sign included (`+4.2 %`, `−0.4 points`, `new`, `n/a`); `direction` comes from the rounded
    value; `verdict` is `none` where no good direction was declared.
    """

    text: str
    direction: Literal["up", "down", "flat", "none"]
    verdict: Verdict


class Target(Content):
    """A goal: `share` is value / goal as a fraction (may exceed 1), `text` the sentence beneath the bar."""

    share: float
    text: str


class Stat(Content):
    """One key figure.

    `value` is the number ready to print. `label_html` is the configuration's own HTML with `{stat}` already replaced by
    the escaped value; the plain `label_text` says the same in text. Both are None where no `label` was configured.
    `before` is the earlier value with its words (`1,153 the week before`).
    """

    kind: Literal["stat"] = "stat"
    label: str
    qualifier: str = ""
    value: str
    number: float | None = None
    label_html: str | None = None
    label_text: str | None = None
    change: Change | None = None
    before: str | None = None
    sparkline: Picture | None = None
    target: Target | None = None
    link_url: str | None = None
    note: str = ""


class Stats(Content):
    """Several key figures as one strip."""

    kind: Literal["stats"] = "stats"
    stats: tuple[Stat, ...]


class Column(Content):
    """A table's column; `low` columns disappear on a phone; `header` cells are row headers (`th`)."""

    label: str
    align: Literal["left", "right", "center"] = "left"
    low: bool = False
    header: bool = False
    width: int | None = None


class Cell(Content):
    """A table's cell.

    `bar` is the in-cell bar's share of the widest (0 to 1); `emphasis` draws it in full colour, else soft. `heat` is
    the step of the ramp, 0 to 6. `missing` cells print their text grey. `value` is what the text was written from, for
    people who calculate on; None where that is text, or nothing.
    """

    text: str
    value: Value | None = None
    bar: float | None = None
    emphasis: bool = False
    heat: int | None = None
    missing: bool = False
    verdict: Verdict = "none"
    link_url: str | None = None


class Table(Content):
    """Rows of cells. `caption` is for screen readers. `rule_before` are rows that get a dividing line above."""

    kind: Literal["table"] = "table"
    style: Literal["rank", "heat", "numbers"] = "rank"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footer: tuple[tuple[Cell, ...], ...] = ()
    rule_before: tuple[int, ...] = ()


class Prose(Content):
    """Markdown text (CommonMark); raw HTML in it is escaped, not passed on."""

    kind: Literal["prose"] = "prose"
    markdown: str
    columns: int = 1


class Raw(Content):
    """Ready-made text per format, for views that draw themselves. `html` is trusted: escape data before."""

    kind: Literal["raw"] = "raw"
    html: str = ""
    markdown: str = ""
    slack: str = ""


Element = Annotated[Picture | Panels | Stat | Stats | Table | Prose | Raw, Field(discriminator="kind")]


class Block(Content):
    """One rendered view.

    `title` is what stands above it: the finding, or the measure where there is none. `subtitle` is the grey line: what
    is measured, unit, days. `finding` is the finding as a sentence, empty where the data say nothing. `numbers` is the
    fold-out table under a chart. `cols` are the columns taken in the page's grid. `status` is `placeholder` when the
    view could not be made, `empty` when there was nothing to show, and `left_out` when its `when` does not hold: then
    it is in no document, and `note` says why. `rows` counts the rows of all its frames.
    """

    view: str
    plugin: str
    title: str
    subtitle: str = ""
    finding: str = ""
    measure: str = ""
    description: str = ""
    note: str = ""
    cols: int = 6
    status: Literal["ok", "empty", "placeholder", "left_out"] = "ok"
    elements: tuple[Element, ...] = ()
    numbers: Table | None = None
    rows: int = 0
    framed: bool = True

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every chart in the block, sparklines and panels included."""
        found: list[Picture] = []
        for element in self.elements:
            if isinstance(element, Picture):
                found.append(element)
            elif isinstance(element, Panels):
                found.extend(panel.picture for panel in element.panels)
            elif isinstance(element, Stat | Stats):
                stats = (element,) if isinstance(element, Stat) else element.stats
                found.extend(stat.sparkline for stat in stats if stat.sparkline)
        return tuple(found)
