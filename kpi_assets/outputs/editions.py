"""The editions that lie in a folder: known by their names, told about by small notes beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from kpi_assets.contracts import Document, Format

NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})_([a-z0-9-]+)")
NOTES = ".editions"
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
        return f"{self.start:%Y-%m-%d}_{self.end:%Y-%m-%d}_{self.slug}"

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

    def note(self) -> bytes:
        """What is kept beside the edition for the archive."""
        told = {key: value for key, value in asdict(self).items() if key in {"title", "days", "lead"}}
        return json.dumps(told, ensure_ascii=False, indent=1).encode()


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
    names = {match[0] for path in folder.iterdir() if (match := NAME.match(path.name))}
    found = [_read(folder, name) for name in names]
    return sorted((edition for edition in found if edition.formats), key=order)


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


def _read(folder: Path, name: str) -> Edition:
    start, end, slug = NAME.fullmatch(name).groups()  # pyright: ignore[reportOptionalMemberAccess]
    formats: tuple[Format, ...] = tuple(
        kind for kind, suffix in SUFFIXES.items() if (folder / f"{name}{suffix}").is_file()
    )
    try:
        told = json.loads((folder / NOTES / f"{name}.json").read_text(encoding="utf-8"))
        words = {key: str(told.get(key, "")) for key in ("title", "days", "lead")}
        return Edition(date.fromisoformat(start), date.fromisoformat(end), slug, formats=formats, **words)
    except (OSError, ValueError, AttributeError):
        try:
            return Edition(date.fromisoformat(start), date.fromisoformat(end), slug, formats=formats)
        except ValueError:
            return Edition(date.min, date.max, slug)
