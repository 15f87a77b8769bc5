"""Pictures of a message: bitmaps with an address inside the document, the same ones for mail and chat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from kpi_assets.contracts import File, Picture
from kpi_assets.reports.slug import slugify

FOLDER = "mail"
SCALE = 2
WIDEST = 552
"""CSS pixels between the margins of a mail."""
LOGO_HEIGHT = 24
ROOT = re.compile(r"<svg[^>]*>")


@dataclass(frozen=True)
class Bitmap:
    """A 2x PNG; `path` is its place in the document, `width` and `height` are in CSS pixels."""

    path: str
    content: bytes
    width: int
    height: int


def bitmap(picture: Picture) -> Bitmap:
    """The picture's own bitmap, or its drawing made into one where its view drew none."""
    if picture.png is not None:
        content, width, height = picture.png, picture.png_width, picture.png_height
    else:
        drawing = min(picture.drawings, key=lambda drawing: abs(drawing.width - WIDEST))
        content = _drawn(drawing.svg)
        width = min(drawing.width, WIDEST)
        height = round(drawing.height * width / drawing.width)
    # The hash makes the address new when the picture is, whatever a mail program keeps.
    name = f"{slugify(picture.title or picture.name)[:40].strip('-')}-{sha256(content).hexdigest()[:10]}.png"
    return Bitmap(f"{FOLDER}/{name}", content, width, height)


def files(pictures: Iterable[Picture]) -> Iterator[File]:
    """The pictures as files of the document, each once."""
    found = {made.path: made for made in map(bitmap, pictures)}
    yield from (File(path, "image/png", made.content) for path, made in sorted(found.items()))


def logo_bitmap(path: str | None, ink: str) -> Bitmap | None:
    """The logo, 24 px high; None where there is none or mail programs could not show its kind."""
    if not path or Path(path).suffix.lower() not in {".svg", ".png"}:
        return None
    content = Path(path).read_bytes()
    if Path(path).suffix.lower() == ".svg":
        content = _drawn(content.decode("utf-8", "replace").replace("currentColor", ink), LOGO_HEIGHT)
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    shown = max(1, round(LOGO_HEIGHT * width / max(1, height)))
    return Bitmap(f"{FOLDER}/logo-{sha256(content).hexdigest()[:10]}.png", content, shown, LOGO_HEIGHT)


@lru_cache(maxsize=64)
def _drawn(svg: str, height: int | None = None) -> bytes:
    """A drawing as bitmap: charts on white, since dark mail programs turn only text; a logo on nothing."""
    import vl_convert

    if height is None:
        svg = ROOT.sub(
            lambda root: f'{root[0]}<rect width="100%" height="100%" fill="#ffffff"/>', svg, count=1
        )
        return vl_convert.svg_to_png(svg, scale=SCALE)
    found = re.search(r'viewBox="[-\d.]+[ ,]+[-\d.]+[ ,]+[\d.]+[ ,]+([\d.]+)"', svg)
    tall = float(found[1]) if found else LOGO_HEIGHT
    return vl_convert.svg_to_png(svg, scale=SCALE * height / tall)
