from __future__ import annotations

import builtins
from dataclasses import replace
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from kpi_assets.config.models import ThemeConfig
from kpi_assets.contracts import Document, Format
from kpi_assets.errors import PluginError
from kpi_assets.reports.compose import compose
from kpi_assets.reports.paper import best_drawing
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import LIGHT, Theme
from kpi_assets_tests.reports.samples import block, every_kind, meta, picture, rank_table

DARK_PAPER = ThemeConfig(ui_colors=("#eeeeee", "#aaaaaa", "#888888", "#333333", "#101010"))


def made(*formats: Format, theme: Theme | None = None, **more: object) -> Document:
    return compose(meta(**more), every_kind(), formats, theme or Theme(), NumberStyle())


@pytest.fixture(scope="module")
def both() -> Document:
    return made("pdf", "png")


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    text = " ".join(page.get_textpage().get_text_bounded() for page in document)
    return " ".join(text.split())


def picture_of(document: Document) -> Image.Image:
    return Image.open(BytesIO(document.file("report.png").content)).convert("RGB")


def test_the_pdf_says_what_the_page_says(both: Document) -> None:
    """Title, lead, figures and failures can be read, and searched, in the PDF."""
    text = words(both.file("report.pdf").content)
    for part in (
        "Weekly growth report",
        "Mon, Nov 18",
        "Conversion fell to",
        "1,284",
        "Could not be made",
        "Land | 2",
    ):
        assert part in text


def test_same_input_same_bytes(both: Document) -> None:
    """PDF and PNG hold no clock and no chance."""
    again = made("pdf", "png")
    assert {file.path: file.content == both.file(file.path).content for file in again.files} == {
        "report.pdf": True,
        "report.png": True,
    }


def test_the_bitmap_is_the_whole_page(both: Document) -> None:
    """The PNG is as wide as the page at two pixels each, cut where the page ends, on the page's own paper."""
    image = picture_of(both)
    assert image.width == 2 * (1032 + 48)
    assert 1000 < image.height < 8000
    assert image.getpixel((5, image.height - 5)) == tuple(bytes.fromhex(LIGHT.paper[1:]))


def test_sheets_are_white_even_of_a_dark_theme() -> None:
    """A theme that is dark on screen is printed on white, its texts turned round."""
    pdf = made("pdf", theme=Theme.from_config(DARK_PAPER)).file("report.pdf").content
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_pil().convert("RGB")
    assert image.getpixel((3, 3)) == (255, 255, 255)
    darkest = min(sum(color) for _, color in image.getcolors(1 << 24) or [])
    assert darkest < 3 * 60


def test_titles_that_end_strings() -> None:
    """Quotes, brackets and ends of style elements in a title reach the page's foot as they are."""
    text = words(made("pdf", title='A "b" </style> \\ {x}').file("report.pdf").content)
    assert 'A "b" </style> \\ {x} · Mon' in text


def test_long_tables_break_over_pages() -> None:
    """A table longer than a sheet goes on over the next ones, with all its rows."""
    pdf = (
        compose(meta(), [block("t", rank_table(120))], ["pdf"], Theme(), NumberStyle())
        .file("report.pdf")
        .content
    )
    assert len(pypdfium2.PdfDocument(pdf)) > 2
    assert "Land | 119" in words(pdf)


@pytest.mark.parametrize(("room", "width"), [(1032, 1032), (688, 652), (334, 358), (500, 358), (100, 358)])
def test_the_drawing_fits_its_place(room: int, width: int) -> None:
    """On paper each chart is the drawing that needs least shrinking."""
    assert best_drawing(picture(), room).width == width


@pytest.mark.parametrize("module", ["weasyprint", "pypdfium2"])
def test_missing_extra(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Without the extra the error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == module:
            raise ImportError(name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PluginError, match=r"pip install 'kpi-assets\[pdf\]'"):
        made("png")


def test_the_ancestors_page() -> None:
    """KPI Reporter's geometry gives its page of 556 pixels."""
    theme = replace(Theme(), column_width=86, padding_width=20)
    assert picture_of(made("png", theme=theme)).width == 2 * 556
