"""A folder on another machine, as publishing needs it; and the editions that lie in one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from kpi_assets.contracts import File, Format
from kpi_assets.outputs.editions import NAME, NOTES, SUFFIXES, TOGETHER, Edition, order

NOTES_TYPE = "application/json"


class Place(Protocol):
    """Paths are relative, with forward slashes. At any moment a file is the old or the new one, whole, or not there."""

    def names(self) -> frozenset[str]:
        """The names of what lies directly in it; nothing unfinished."""
        ...

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none."""
        ...

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        ...

    def write(self, file: File, *, lasting: bool = False) -> None:
        """Write one file. `lasting`: its content will hardly ever change."""
        ...

    def write_folder(self, name: str, files: Sequence[File]) -> None:
        """Make the folder hold these files and no others; the last one is written last."""
        ...


def editions_at(place: Place) -> list[Edition]:
    """All whole editions, oldest first. The notes say what a folder holds; one that they do not know is looked at."""
    names = place.names()
    told = _told(place) if NOTES in names else {}
    found = {match[0] for name in names if (match := NAME.match(name))}
    editions = (_edition(place, name, names, told.get(name)) for name in found)
    return sorted((edition for edition in editions if edition and edition.formats), key=order)


def notes(editions: Iterable[Edition]) -> File:
    """The file that tells of the editions, for `editions_at` and the archive."""
    told = {
        edition.name: {
            "title": edition.title,
            "days": edition.days,
            "lead": edition.lead,
            "formats": list(edition.formats),
        }
        for edition in editions
    }
    return File(NOTES, NOTES_TYPE, json.dumps(told, ensure_ascii=False, sort_keys=True).encode())


def _edition(place: Place, name: str, names: frozenset[str], told: object) -> Edition | None:
    start, end, slug = name.split("_", 2)
    try:
        edition = Edition(date.fromisoformat(start), date.fromisoformat(end), slug)
    except ValueError:
        return None
    about: dict[str, object] = told if isinstance(told, dict) else {}
    folder = _folder_formats(place, name, about) if name in names else frozenset[Format]()
    beside = {kind for kind, suffix in SUFFIXES.items() if f"{name}{suffix}" in names}
    words = {key: str(about.get(key, "")) for key in ("title", "days", "lead")}
    formats = tuple(kind for kind in SUFFIXES if kind in folder | beside)
    return replace(edition, formats=formats, **words)


def _folder_formats(place: Place, name: str, about: dict[str, object]) -> frozenset[Format]:
    listed = about.get("formats")
    known: frozenset[Format] = (
        frozenset(kind for kind in TOGETHER if kind in listed) if isinstance(listed, list) else frozenset()
    )
    return known or frozenset(kind for kind in TOGETHER if place.has(name + SUFFIXES[kind]))


def _told(place: Place) -> dict[str, object]:
    try:
        told = json.loads(place.read(NOTES) or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
