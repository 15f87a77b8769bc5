from __future__ import annotations

from markdown_it import MarkdownIt

from kpi_assets.contracts import Cell, Column, Table
from kpi_assets.reports.compose import compose
from kpi_assets.reports.markdown import table, text
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.samples import HOSTILE, block, every_kind, meta, picture


def document(*blocks: object, **more: object):
    return compose(meta(**more), blocks or every_kind(), {"md"}, Theme(), NumberStyle())  # type: ignore[arg-type]


def markdown(*blocks: object, **more: object) -> str:
    return document(*blocks, **more).file("index.md").content.decode()


def html(source: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(source))


def test_pictures_lie_where_the_text_points() -> None:
    """Every picture of the text is a file of the document and every figure is shown."""
    made = document()
    source = made.file("index.md").content.decode()
    paths = {file.path for file in made.files} - {"index.md"}
    assert paths
    assert all(f"]({path})" in source for path in paths)
    assert source.count("](figures/") == len(paths)


def test_a_bitmap_is_preferred() -> None:
    """Where a view made a bitmap, for readers that show no SVG, that one is shown."""
    made = document(block("v", picture().model_copy(update={"png": b"\x89PNG"})))
    assert made.file("figures/v-plot.png").content == b"\x89PNG"


def test_real_tables_without_entities() -> None:
    """Tables are Markdown's own, and what was written with & < | arrives as it was."""
    odd = Table(
        caption="c",
        columns=(Column(label="A | B"), Column(label="n", align="right")),
        rows=((Cell(text="Ops & growth <x> *y*"), Cell(text="1,284")),),
        footer=((Cell(text="All"), Cell(text="1")),),
    )
    source = table(odd)
    assert source.splitlines()[1].endswith("----: |")
    assert "&amp;" not in source
    shown = html(source)
    assert "<td>Ops &amp; growth &lt;x&gt; *y*</td>" in shown
    assert "<th>A | B</th>" in shown


def test_words_stay_words() -> None:
    """Nothing in titles and notes becomes markup when the text is shown."""
    shown = html(
        markdown(block("v", picture(), title=HOSTILE, note="# no heading\n- no list"), title=HOSTILE)
    )
    assert "<script>alert" not in shown
    assert "<li>" not in shown


def test_line_starts_are_escaped() -> None:
    """A text that begins like a heading, a list or a quote is none."""
    assert [text(start) for start in ("# a", "- a", "> a", "1. a", "+1 %")] == [
        "\\# a",
        "\\- a",
        "\\> a",
        "\\1. a",
        "+1 %",
    ]


def test_says_what_the_page_says() -> None:
    """Title, window, lead, figures, missing blocks and the data's time are in the text."""
    source = markdown()
    for words in (
        "# Weekly growth report",
        "Mon, Nov 18 – Sun, Nov 24, 2024 · Europe/Berlin (UTC+1)",
        "**Sign-ups reached 1,284, up 11.4\u202f%.**",
        "- Sign-ups: **1,284** (▲ +11.4\u202f% better), 1,153 the week before, 96\u202f% of the target",
        "**Could not be made.**",
        "Nothing to show in this window.",
        "Mon, Nov 25, 2024, 06:00 (UTC+1)",
    ):
        assert words in source
