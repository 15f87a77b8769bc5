"""The editions that lie in a folder: known by their names, told about by a file of notes beside them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kpi_assets.contracts import Document, Format

NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})_([a-z0-9-]+)")
NOTES = ".editions.json"
"""What the folder's archive tells of each edition; one file, so that a folder of many editions is read quickly."""
SUFFIXES: Mapping[Format, str] = {"html": "/index.html", "md": "/index.md", "pdf": ".pdf", "png": ".png"}
"""Where each format of an edition lies, after the edition's name; the best to look at comes first."""
TOGETHER: frozenset[Format] = frozenset({"html", "md"})


@dataclass(frozen=True)
class Edition:
    """An edition in the folder. `end` is not included, as in its name. `formats` are those that are there."""

    start: date
    end: date
    slug: str
    title: str = ""
    days: str = ""
    lead: str = ""
    formats: tuple[Format, ...] = ()

    @property
    def name(self) -> str:
        """`<start>_<end>_<slug>`, as KPI Reporter names them."""
        return f"{self.start.isoformat()}_{self.end.isoformat()}_{self.slug}"

    @property
    def age(self) -> tuple[date, date]:
        """Sorts editions, oldest first; of two that end together the shorter is the later."""
        return self.end, self.start

    @property
    def link(self) -> str:
        """Relative address of the edition's best format."""
        return self.name + SUFFIXES[self.formats[0]] if self.formats else self.name

    def also_in(self, formats: Collection[Format], present: Edition | None = None) -> Edition:
        """This edition with `formats` delivered, where `present` (or nothing) already lies in the folder.

        Page and Markdown share a folder, which is replaced as a whole; PDF and PNG lie beside it.
        """
        kept = set(present.formats) if present else set[Format]()
        if TOGETHER & set(formats):
            kept -= TOGETHER
        return replace(self, formats=tuple(kind for kind in SUFFIXES if kind in kept | set(formats)))


def edition_of(document: Document, days: str = "") -> Edition:
    """The edition that a document is; `days` are its days in words."""
    window = document.window
    return Edition(window.start, window.end, document.slug, document.title, days, document.lead)


def order(edition: Edition) -> tuple[tuple[date, date], str]:
    """Sorts editions: oldest first, reports by name."""
    return edition.age, edition.slug


def newest(slug: str, editions: list[Edition]) -> Edition | None:
    """The newest edition of a report."""
    return max((edition for edition in editions if edition.slug == slug), key=order, default=None)


def editions_in(folder: Path) -> list[Edition]:
    """All editions in the folder, oldest first."""
    there = {path.name for path in folder.iterdir()}
    told = _told(folder)
    names = {match[0] for name in there if (match := NAME.match(name))}
    found = (_edition(folder, name, there, told.get(name)) for name in names)
    return sorted((edition for edition in found if edition and edition.formats), key=order)


def notes(editions: Iterable[Edition]) -> bytes:
    """The content of the file `NOTES`."""
    told = {e.name: {"title": e.title, "days": e.days, "lead": e.lead} for e in editions if e.title}
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()


def before(edition: Edition, others: list[Edition]) -> Edition | None:
    """The newest edition of the same report, with a page, that ends before this one starts."""
    earlier = [other for other in _pages(edition.slug, others) if other.end <= edition.start]
    return max(earlier, key=lambda other: other.age, default=None)


def after(edition: Edition, others: list[Edition]) -> Edition | None:
    """The oldest edition of the same report, with a page, that starts after this one ended."""
    later = [other for other in _pages(edition.slug, others) if other.start >= edition.end]
    return min(later, key=lambda other: other.age, default=None)


def _pages(slug: str, editions: list[Edition]) -> list[Edition]:
    return [edition for edition in editions if edition.slug == slug and "html" in edition.formats]


def _edition(folder: Path, name: str, there: set[str], told: object) -> Edition | None:
    """What lies under the name; None where its dates are none."""
    start, end, slug = name.split("_", 2)
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        return None
    formats: tuple[Format, ...] = tuple(
        kind for kind, suffix in SUFFIXES.items() if _is_there(folder, name, suffix, there)
    )
    words = (
        {key: str(told.get(key, "")) for key in ("title", "days", "lead")} if isinstance(told, dict) else {}
    )
    return Edition(first, last, slug, formats=formats, **words)


def _is_there(folder: Path, name: str, suffix: str, there: set[str]) -> bool:
    if not suffix.startswith("/"):
        return f"{name}{suffix}" in there
    return name in there and os.path.isfile(f"{folder}/{name}{suffix}")  # noqa: PTH113 - hundreds of times


def _told(folder: Path) -> dict[str, object]:
    try:
        told = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
