"""Titles as names of files and folders: ASCII, bounded, never empty, never a path."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

LONGEST = 80
SPELLED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "þ": "th",
        "œ": "oe",
    }
)
VARIABLE = re.compile(r"\{(?:\w*|recipient\.\w+)\}")


def slugify(title: str) -> str:
    """The title in lower-case ASCII with hyphens: `Weekly growth, Q4` becomes `weekly-growth-q4`.

    `{variables}` are left out, so that all editions of a report share one slug. Where letters are lost (other scripts)
    or the title is longer than 80 characters, a hash of the title is added: two reports never meet in one folder.
    """
    text = VARIABLE.sub(" ", title).translate(SPELLED)
    plain = unicodedata.normalize("NFKD", text)
    ascii_text = plain.encode("ascii", "ignore").decode().replace("'", "").lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", ascii_text))
    lost = any(char.isalnum() and not char.isascii() for char in plain)
    if not slug or lost or len(slug) > LONGEST:
        digest = sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{_shortened(slug) or 'report'}-{digest}"
    return slug


def _shortened(slug: str) -> str:
    room = LONGEST - 9
    return slug if len(slug) <= room else slug[: room + 1].rpartition("-")[0] or slug[:room]
