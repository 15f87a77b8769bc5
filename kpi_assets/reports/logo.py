"""The masthead's logo: an SVG in the page's own ink where it asks for that, else an embedded picture."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from kpi_assets.errors import InputError
from kpi_assets.reports import svg

MEDIA = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
LARGEST = 200_000


def logo(path: str | None, organisation: str | None) -> str:
    """HTML of the logo, "" without one. Raises InputError where the file is missing, too big or of another kind."""
    if not path:
        return ""
    content = _read(Path(path))
    if Path(path).suffix.lower() == ".svg" and b"currentColor" in content:
        return svg.inline(
            content.decode("utf-8", "replace"), label=organisation or "Logo", prefix="logo", classes="mark"
        )
    data = base64.b64encode(content).decode()
    alt = "" if organisation else "Logo"
    return (
        f'<img class="mark" alt="{escape(alt)}" src="data:{MEDIA[Path(path).suffix.lower()]};base64,{data}">'
    )


def _read(path: Path) -> bytes:
    if path.suffix.lower() not in MEDIA:
        raise InputError(
            f"theme.logo: {path} is not a picture we can show; use one of {', '.join(sorted(MEDIA))}"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"theme.logo: {path} cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST:
        raise InputError(
            f"theme.logo: {path} has {len(content):,} bytes; every page carries it, so use at most {LARGEST:,}"
        )
    return content
