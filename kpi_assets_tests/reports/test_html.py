from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Cell, Column, Prose, Stat, Table
from kpi_assets.errors import InputError
from kpi_assets.reports.compose import compose
from kpi_assets.reports.html import width_classes
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.pages import Page
from kpi_assets_tests.reports.samples import HOSTILE, block, every_kind, meta, picture, rank_table, stat

GOLDEN = Path(__file__).parents[1] / "golden" / "page.html"


def html(blocks: tuple[Block, ...] | None = None, theme: Theme | None = None, **more: object) -> str:
    document = compose(
        meta(**more), every_kind() if blocks is None else blocks, {"html"}, theme or Theme(), NumberStyle()
    )
    return document.file("index.html").content.decode()


def body(page: str) -> str:
    """The page without its style sheet, which has tests of its own."""
    return re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)


@pytest.fixture(scope="module")
def source() -> str:
    return html()


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_golden() -> None:
    """The body of a small page is what the golden file says; it is changed on purpose only."""
    blocks = (
        block("figures", stat(sparkline=None), finding="Sign-ups rose to 1,284"),
        block("countries", rank_table(), note="Showing 3 of 42 rows."),
        block("reply", Prose(markdown="No answer."), status="placeholder"),
    )
    text = body(html(blocks, organisation_theme(), previous_url="../before/", archive_url="../"))
    if not GOLDEN.exists():
        GOLDEN.write_text(text, encoding="utf-8")
        pytest.fail(f"{GOLDEN} was missing and has been written: read it, then run again")
    assert text == GOLDEN.read_text(encoding="utf-8")


def organisation_theme() -> Theme:
    return replace(Theme(), organisation="Quill & moor")


def test_every_tag_closes(page: Page) -> None:
    """A page with every kind of block is balanced HTML."""
    assert page.problems == []


def test_ids_are_unique(page: Page) -> None:
    """No id appears twice, drawings included, and links within the page lead somewhere."""
    assert len(page.ids) == len(set(page.ids))
    targets = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    assert targets <= set(page.ids)


def test_works_offline_and_without_script(source: str) -> None:
    """Nothing is fetched and nothing runs."""
    assert not [
        word for word in ("http://", "https://", "@import", "<script", "<link", "url(//") if word in source
    ]


def test_accessible_outline(page: Page) -> None:
    """One h1, a heading per view, a skip link, captions and scopes on tables, a label on every drawing."""
    assert len(page.all("h1")) == 1
    assert len(page.all("h2")) >= len(every_kind())
    assert page.all("a")[0] == {"class": "sr skip", "href": "#main"}
    assert len(page.all("caption")) == len(page.all("table")) == 3
    assert all("scope" in head for head in page.all("th"))
    assert all(drawing.get("role") == "img" and drawing.get("aria-label") for drawing in page.all("svg"))


def test_says_what_it_is(page: Page) -> None:
    """Masthead, lead, footer and description carry the edition's facts."""
    for words in (
        "Weekly growth report",
        "Mon, Nov 18 – Sun, Nov 24, 2024",
        "Europe/Berlin (UTC+1)",
        "Week 47 of 2024",
        "Sign-ups reached 1,284, up 11.4\u202f%. Conversion fell to 6.8\u202f%, down 0.4 points.",
        "Mon, Nov 25, 2024, 06:00 (UTC+1)",
        "2024-11-25 00:00 (not included)",
        "10 of 11 blocks complete",
        "signups · shop · 1,284 rows · 41 ms",
        "replies · helpdesk · no answer · 30 s",
        "Could not be made",
        "Nothing to show in this window.",
        "<b>tags</b>",
    ):
        assert " ".join(words.split()) in page.text
    described = {tag.get("name") or tag.get("property"): tag.get("content") for tag in page.all("meta")}
    assert described["description"] == described["og:description"]
    assert str(described["description"]).startswith("Sign-ups reached 1,284")


def test_under_400_kilobytes() -> None:
    """Twelve views with drawings of 20 kilobytes each, small tables and notes stay under 400 kilobytes."""
    chart = picture(("wide", 1032), ("phone", 358))
    heavy = chart.model_copy(
        update={
            "drawings": tuple(
                d.model_copy(update={"svg": d.svg.replace("<text", "<path d='M1,1h0v0h5Z'/><text" * 300, 1)})
                for d in chart.drawings
            )
        }
    )
    views = tuple(block(f"v{i}", heavy) for i in range(12))
    assert len(html(views).encode()) < 400_000


def test_same_input_same_bytes(source: str) -> None:
    """The page holds no clock and no chance."""
    assert html() == source


def test_hostile_words_stay_words() -> None:
    """Markup in titles, labels, cells, notes and queries is shown, never obeyed."""
    hostile_table = Table(
        caption=HOSTILE, columns=(Column(label=HOSTILE, header=True),), rows=((Cell(text=HOSTILE),),)
    )
    blocks = (
        block(HOSTILE, stat(HOSTILE, value=HOSTILE, before=HOSTILE, qualifier=HOSTILE, note=HOSTILE)),
        block("t", hostile_table, title=HOSTILE, subtitle=HOSTILE, note=HOSTILE, description=HOSTILE),
        block("p", Prose(markdown=HOSTILE), title=HOSTILE, status="placeholder"),
    )
    source = html(
        blocks,
        replace(Theme(), organisation=HOSTILE),
        title=HOSTILE,
        description=HOSTILE,
        lead=HOSTILE,
        notes=HOSTILE,
    )
    page = Page(source)
    assert page.problems == []
    assert page.all("script") == []
    assert len(page.all("style")) == 1
    assert page.text.count("alert('1')") >= 14
    assert "{{ 7*7 }}" in page.text


@settings(max_examples=25)
@given(st.text(max_size=500))
def test_any_title_gives_a_page(title: str) -> None:
    """Whatever the title is made of, the page is balanced and the title stands in its h1."""
    page = Page(html((block("v", title=title),), title=title))
    assert page.problems == []


@pytest.mark.parametrize("link", ["javascript:alert(1)", " JavaScript:x", "data:text/html,x", "vbscript:x"])
def test_links_that_run_something_are_dropped(link: str) -> None:
    """Only links to pages, addresses and places stay links."""
    table = Table(caption="c", columns=(Column(label="a"),), rows=((Cell(text="x", link_url=link),),))
    chart = picture().model_copy(update={"link_url": link})
    page = Page(html((block("t", table), block("s", stat(link_url=link)), block("c", chart))))
    assert [a["href"] for a in page.all("a")] == ["#main"]


def test_links_to_pages_stay() -> None:
    """A stat, a cell and a chart can lead to a page."""
    table = Table(
        caption="c", columns=(Column(label="a"),), rows=((Cell(text="x", link_url="https://a.b/?q=1&r=2"),),)
    )
    page = Page(html((block("t", table), block("s", stat(link_url="/s")), block("c", picture()))))
    assert {"https://a.b/?q=1&r=2", "/s"} <= {a["href"] for a in page.all("a")}


def test_label_html_of_the_configuration_is_kept() -> None:
    """HTML that the report's author wrote in a label is HTML on the page."""
    labelled = Stat(label="Sign-ups", value="12", label_html="<b>12</b> sign-ups", label_text="12 sign-ups")
    assert "<b>12</b> sign-ups" in html((block("s", labelled),))


def test_verdict_is_never_colour_alone() -> None:
    """Direction and verdict are also words."""
    page = Page(html((block("a", stat()), block("b", stat("Churn", "worse")))))
    assert "up +11.4 % better" in page.text.replace("\u202f", " ")
    assert "down −0.4 points worse" in page.text


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        ([("wide", 1032), ("mid", 652), ("phone", 358)], ["at-wide", "at-mid", "at-phone"]),
        ([("wide", 680), ("phone", 358)], ["at-wide at-mid", "at-phone"]),
        ([("wide", 328), ("mid", 652)], ["at-wide", "at-mid at-phone"]),
        ([("wide", 328)], [""]),
    ],
)
def test_each_width_shows_one_drawing(drawn: list[tuple[str, int]], shown: list[str]) -> None:
    """In every width class exactly one drawing is shown, a missing one stood in for."""
    assert width_classes(picture(*drawn)) == shown


def test_figures_above_their_target() -> None:
    """Above 100 % the mark moves inward and the bar stays in its track."""
    from kpi_assets.contracts import Target

    source = html((block("s", stat(target=Target(share=1.25, text="125 %"))),))
    assert 'style="width:100.0%"' in source
    assert 'style="left:80.0%"' in source


def test_titles_may_be_missing() -> None:
    """A view without title has no empty heading, but a label."""
    page = Page(html((block("chart", picture(), title="", measure="Sign-ups"),)))
    assert page.all("figure")[0]["aria-label"] == "Sign-ups"
    assert [h for h in page.all("h2") if h.get("dir")] == []


def test_view_ids_that_are_no_names() -> None:
    """Ids of views that are paths or repeat still give usable, different anchors."""
    page = Page(html((block("../../etc"), block("../../etc"), block("7"), block("main"))))
    assert {"etc", "etc-2", "v-7", "main-2"} <= set(page.ids)


class TestThemeFolder:
    """`theme_dir`: files of the same name win."""

    def test_template(self, tmp_path: Path) -> None:
        """A template of the folder replaces ours, the others stay."""
        (tmp_path / "footer.html.j2").write_text("<footer>{{ meta.report }} & co</footer>")
        source = html(theme=replace(Theme(), theme_dir=str(tmp_path)))
        assert "<footer>weekly & co</footer>" in source
        assert "<h1" in source

    def test_element(self, tmp_path: Path) -> None:
        """One element's template can be replaced alone."""
        (tmp_path / "elements").mkdir()
        (tmp_path / "elements" / "prose.html.j2").write_text("<p>{{ element.markdown }}</p>")
        source = html((block("n", Prose(markdown="<i>a</i>")),), replace(Theme(), theme_dir=str(tmp_path)))
        assert "<p>&lt;i&gt;a&lt;/i&gt;</p>" in source

    def test_own_rules(self, tmp_path: Path) -> None:
        """`user.css` is added at the end and cannot end the style element."""
        (tmp_path / "user.css").write_text("h1{color:red}</style><script>")
        page = Page(html(theme=replace(Theme(), theme_dir=str(tmp_path))))
        assert page.problems == []
        assert page.all("script") == []

    def test_wrong_template(self, tmp_path: Path) -> None:
        """A template with a mistake is told by file and line."""
        (tmp_path / "footer.html.j2").write_text("<footer>\n{% if %}")
        with pytest.raises(InputError, match=r"footer\.html\.j2:2"):
            html(theme=replace(Theme(), theme_dir=str(tmp_path)))

    def test_unknown_name(self, tmp_path: Path) -> None:
        """A name that does not exist is a mistake, not an empty text."""
        (tmp_path / "footer.html.j2").write_text("{{ metta.title }}")
        with pytest.raises(InputError, match="metta"):
            html(theme=replace(Theme(), theme_dir=str(tmp_path)))

    def test_missing_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist changes nothing, as in KPI Reporter."""
        assert html(theme=replace(Theme(), theme_dir=str(tmp_path / "none"))) == html()


class TestLogo:
    """`theme.logo`: a picture of 24 pixels in the masthead."""

    def test_monochrome_svg_takes_the_ink(self, tmp_path: Path) -> None:
        """An SVG that says currentColor is inlined."""
        path = tmp_path / "logo.svg"
        path.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="currentColor" d="M0 0"/></svg>'
        )
        page = Page(html((), replace(Theme(), logo=str(path), organisation="Q")))
        assert page.all("svg")[0]["class"] == "mark"

    def test_other_pictures_are_embedded(self, tmp_path: Path) -> None:
        """A bitmap travels inside the page."""
        (tmp_path / "logo.png").write_bytes(b"\x89PNG")
        page = Page(html((), replace(Theme(), logo=str(tmp_path / "logo.png"))))
        assert page.all("img")[0]["src"].startswith("data:image/png;base64,")
        assert page.all("img")[0]["alt"] == "Logo"

    @pytest.mark.parametrize("name", ["missing.svg", "logo.exe"])
    def test_unusable(self, tmp_path: Path, name: str) -> None:
        """A missing file and another kind of file are told by name."""
        with pytest.raises(InputError, match=name):
            html((), replace(Theme(), logo=str(tmp_path / name)))
