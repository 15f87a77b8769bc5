"""The mail's HTML: what mail programs can draw, in the page's words, and never longer than they show."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Document, Format, Prose, Raw, Stat, Target
from kpi_assets.errors import InputError
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.palette import contrast
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.pages import Page
from kpi_assets_tests.reports.samples import HOSTILE, block, every_kind, heat_table, meta, rank_table, stat

LINK = "https://reports.example.com/weekly/"
ALL: frozenset[Format] = frozenset({"html", "md", "mail", "slack"})


def composed(
    blocks: tuple[Block, ...] | None = None,
    theme: Theme | None = None,
    formats: frozenset[Format] = ALL,
    **more: object,
) -> Document:
    blocks = every_kind() if blocks is None else blocks
    return compose(meta(**more), blocks, formats, theme or Theme(), NumberStyle())


def mail(blocks: tuple[Block, ...] | None = None, theme: Theme | None = None, **more: object) -> str:
    return composed(blocks, theme, frozenset({"mail"}), **more).file("mail.html").content.decode()


@lru_cache(maxsize=2)
def sample(link: str) -> str:
    return mail(page_url=link)


@pytest.mark.parametrize("link", [LINK, ""])
def test_mail_programs_know_everything_in_it(link: str) -> None:
    """No flex, grid, variables, drawings, scripts, background pictures or positions, and every tag closes."""
    source = sample(link)
    words = (
        "<svg",
        "flex",
        "display:grid",
        "var(",
        "<script",
        "background-image",
        "position:",
        "calc(",
        "@import",
    )
    assert [word for word in words if word in source] == []
    assert Page(re.sub(r"<!--.*?-->", "", source)).problems == []


@pytest.mark.parametrize("link", [LINK, ""])
def test_pictures_have_size_and_words(link: str) -> None:
    """Every picture has a width and a height as attributes, at most 552 px, an alt text, and a file in the document."""
    document = composed(page_url=link)
    files = {file.path: file for file in document.files}
    images = Page(document.file("mail.html").content.decode()).all("img")
    assert images
    for image in images:
        assert 0 < int(image["width"]) <= 552
        assert int(image["height"]) > 0
        assert image["alt"]
        assert files[image["src"]].media_type == "image/png"


def test_all_files_of_the_mail_are_shown() -> None:
    """No picture is made that the mail does not show."""
    document = composed(formats=frozenset({"mail"}), page_url=LINK)
    source = document.file("mail.html").content.decode()
    assert [
        f.path for f in document.files if f.path.startswith("mail/") and f'src="{f.path}"' not in source
    ] == []


def test_tables_for_layout_say_so() -> None:
    """Every table is either data, with column heads, or marked as presentation; the outermost is 600 px wide."""
    tables = Page(sample(LINK)).all("table")
    data = [table for table in tables if table.get("role") != "presentation"]
    assert len(data) == 1
    assert any("max-width:600px" in table.get("style", "") for table in tables)


def test_outlook_gets_a_table_of_fixed_width() -> None:
    """The conditional table for Outlook opens and closes around the content."""
    assert '<!--[if mso]><table role="presentation" width="600"' in sample(LINK)
    assert sample(LINK).count("<!--[if mso]>") == sample(LINK).count("<![endif]-->") == 3


def test_an_excerpt_with_a_link() -> None:
    """With a page to open: at most two charts and one table, one button, and by name what only the page holds."""
    page = Page(sample(LINK))
    assert sum('class="card"' in f'class="{i.get("class", "")}"' for i in page.all("img")) == 2
    assert [link["href"] for link in page.all("a")] == [LINK]
    assert "Open the full report" in page.text
    assert "On the page: Title of plans, Title of cohorts, Title of revenue" in page.text
    assert "Title of cohorts" not in page.text.replace("On the page: Title of plans, Title of cohorts", "")


def test_everything_without_a_link() -> None:
    """Without a page to open nothing is withheld: every block's title and every row is in the mail."""
    page = Page(sample(""))
    titles = [found.title for found in every_kind() if found.title and found.status != "placeholder"]
    assert [title for title in titles if title not in page.text] == []
    assert "On the page" not in page.text
    assert page.all("a") == []


def test_the_same_words_and_numbers_everywhere() -> None:
    """Lead, key figures, changes and titles are the same in page, Markdown, mail, text and chat."""
    document = composed(page_url=LINK)
    plain = str.maketrans({"\u202f": " ", "\u00a0": " ", "−": "-", "\n": " "})
    texts = {
        name: " ".join(document.file(name).content.decode().translate(plain).split())
        for name in ("index.html", "index.md", "mail.html", "mail.txt", "slack.json")
    }
    for words in (document.lead[:20], "1,284", "+11.4 %", "-0.4 points", "1,153 the week before", "6.8 %"):
        assert [name for name, text in texts.items() if words.translate(plain) not in text] == [], words


def test_no_narrow_spaces() -> None:
    """Mail and chat print U+00A0, since their fonts lack U+202F."""
    document = composed(page_url="")
    for name in ("mail.html", "mail.txt", "slack.json"):
        assert "\u202f" not in document.file(name).content.decode()
    assert "11.4\u00a0%" in document.file("mail.html").content.decode()


def test_the_same_blocks_give_the_same_bytes() -> None:
    """A mail made twice is the same, picture by picture."""
    first, second = composed(page_url=LINK), composed(page_url=LINK)
    assert first.files == second.files


def test_long_reports_stay_under_what_gmail_shows() -> None:
    """What would make the mail longer than 95 KB is left out, last first, and named; the text tells the same."""
    blocks = tuple(block(f"t{i}", rank_table(60), title=f"Table {i}") for i in range(40))
    document = composed((*every_kind()[:1], *blocks), formats=frozenset({"mail"}))
    source, text = (document.file(name).content.decode() for name in ("mail.html", "mail.txt"))
    assert 60_000 < len(source.encode()) <= 95_000
    assert "Table 0" in source
    assert "Left out, since messages have a limit: Table" in Page(source).text
    assert "TABLE 39" not in text


def test_an_excerpt_is_small() -> None:
    """The usual mail has less than a third of what Gmail shows."""
    assert len(sample(LINK).encode()) < 33_000


@given(text=st.text(max_size=60) | st.just(HOSTILE))
@settings(max_examples=25)
def test_text_from_data_stays_text(text: str) -> None:
    """Whatever titles, labels, cells and notes hold, the mail is balanced and runs nothing."""
    text = text.replace("\x00", "")
    hostile = (
        block("s", stat(text, value=text, before=text, note=text, target=Target(share=2, text=text))),
        block("t", rank_table(), title=text, subtitle=text, note=text, description=text),
        block("f", Prose(markdown=text), title=text, status="placeholder"),
    )
    source = mail(hostile, page_url=LINK, title=text or "x")
    assert "<script" not in source.lower()
    assert source.count("<table") == source.count("</table>")


def test_labels_keep_their_html() -> None:
    """KPI Reporter's label: its own HTML is kept in the mail, as text it says the same."""
    own = Stat(label="New", value="7", label_html="<b>7</b> new", label_text="7 new")
    document = composed((block("s", own),))
    assert "<b>7</b> new" in document.file("mail.html").content.decode()
    assert "7 new" in document.file("mail.txt").content.decode()
    assert "*7 new*" in document.file("slack.json").content.decode()


def test_views_that_draw_themselves_are_shown() -> None:
    """Ready-made HTML, Markdown and Slack text of a view each reach their format."""
    own = Raw(html="<i>made</i>", markdown="made **by** hand", slack="made *for* <https://x.example|chat>")
    document = composed((block("own", own),))
    assert "<i>made</i>" in document.file("mail.html").content.decode()
    assert "  made by hand\n" in document.file("mail.txt").content.decode()
    assert "made *for* <https://x.example|chat>" in document.file("slack.json").content.decode()


def test_heat_cells_can_be_read() -> None:
    """Every cell with a ground has a colour on it with a contrast of 4.5 or more."""
    cells = [
        cell
        for cell in Page(mail((block("cohorts", heat_table()),))).all("td")
        if cell.get("class") == "step"
    ]
    inks = [re.search(r"(?<!-)color:\s?(#\w{6})", cell["style"]) for cell in cells]
    assert [
        contrast(cell["bgcolor"], ink[1]) >= 4.5 for cell, ink in zip(cells, inks, strict=True) if ink
    ] == [True]


@pytest.mark.parametrize("name", ["logo.svg", "logo.png"])
def test_the_logo_travels_as_a_bitmap(tmp_path: Path, name: str) -> None:
    """A logo is 24 px high and a PNG, whatever it was, since mail programs draw no SVG."""
    import vl_convert

    root = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 56 28">'
    svg = f'{root}<path fill="currentColor" d="M0 0h56v28z"/></svg>'
    path = tmp_path / name
    path.write_bytes(svg.encode() if name.endswith("svg") else vl_convert.svg_to_png(svg, scale=1))
    document = composed(
        theme=replace(Theme(), logo=str(path), organisation="Quillmoor"), formats=frozenset({"mail"})
    )
    image = Page(document.file("mail.html").content.decode()).all("img")[0]
    assert (image["width"], image["height"]) == ("48", "24")
    assert document.file(image["src"]).content.startswith(b"\x89PNG")


def test_templates_can_be_replaced(tmp_path: Path) -> None:
    """A template of the same name in theme_dir takes over; a wrong one is told with its file."""
    (tmp_path / "mail").mkdir()
    own = tmp_path / "mail" / "body.html.j2"
    own.write_text('<p class="mut">{{ digest.title }} by us</p>', encoding="utf-8")
    theme = replace(Theme(), theme_dir=str(tmp_path))
    assert re.search(
        r'<p class="mut" style="[^"]*color:\s?#5a5d65[^"]*">Weekly growth report by us</p>', mail(theme=theme)
    )
    own.write_text("{{ nobody }}", encoding="utf-8")
    with pytest.raises(InputError, match="'nobody' is undefined"):
        mail(theme=theme)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(600, "light"), (390, "light"), (600, "dark")])
def test_it_fits_the_window(tmp_path: Path, width: int, scheme: str) -> None:
    """In Chromium nothing is wider than a mail program's pane or a phone, and all text stands out from its paper."""
    from playwright.sync_api import sync_playwright

    document = composed(page_url=LINK)
    for file in document.files:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes(file.content)
    arguments = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto((tmp_path / "mail.html").as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
        colors = page.evaluate(TEXT_COLORS)
        browser.close()
    assert wide <= width
    assert broken == 0
    assert len(colors) > 2
    paper = "#131418" if scheme == "dark" else "#ffffff"
    assert [color for color in colors if contrast(color, paper) < 4.5 and color != "#ffffff"] == []


TEXT_COLORS = """[...new Set([...document.querySelectorAll('p,h1,h2,td,th,span')]
  .filter(e => e.textContent.trim() && !e.closest('[bgcolor="#2b62d9"]') && e.offsetParent)
  .map(e => getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).map(n => (+n).toString(16).padStart(2, '0')).join(''))
  )].map(c => '#' + c)"""
