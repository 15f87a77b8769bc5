"""HTML -> one tall bitmap of the whole report: WeasyPrint lays it out, PDFium draws it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from kpi_assets.errors import PluginError
from kpi_assets.registry import install_hint
from kpi_assets.reports.pdf import lay_out, write_pdf

POINTS_PER_PIXEL = 0.75
SCALE, LONG_SCALE, LONG = 2, 1, 8000
"""Pixels per CSS pixel; only one where the page is longer than 8,000, else the bitmap would need half a gigabyte."""
MARGIN = 24


def render_png(html: str) -> bytes:
    """The bitmap. Raises PluginError where WeasyPrint or PDFium is not installed."""
    document = lay_out(html)
    last = document.pages[-1]
    last.height = min(last.height, last.anchors["end"][1] + MARGIN)
    images = _drawn(write_pdf(document, html), sum(page.height for page in document.pages))
    buffer = BytesIO()
    _stacked(images).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def _drawn(pdf: bytes, height: float) -> list[Any]:
    try:
        import pypdfium2
    except ImportError as error:
        raise PluginError(f"the format png needs PDFium; {install_hint('pypdfium2')}") from error
    scale = (SCALE if height <= LONG else LONG_SCALE) / POINTS_PER_PIXEL
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages: list[Any] = list(document)
        return [page.render(scale=scale).to_pil() for page in pages]
    finally:
        document.close()


def _stacked(images: list[Any]) -> Any:
    if len(images) == 1:
        return images[0]
    from PIL import Image

    whole = Image.new("RGB", (images[0].width, sum(image.height for image in images)), "white")
    top = 0
    for image in images:
        whole.paste(image, (0, top))
        top += image.height
    return whole
