"""The order in which an edition is written to another machine, so that `latest` is right whenever it breaks off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kpi_assets.contracts import Document, File, Format
from kpi_assets.outputs import editions as shelf
from kpi_assets.outputs.archive import MADE_BY_US, render_archive
from kpi_assets.outputs.contents import PAGE, folder_files, single_files
from kpi_assets.outputs.editions import SUFFIXES, Edition, edition_of
from kpi_assets.outputs.linking import ARCHIVE, masthead_links
from kpi_assets.outputs.remote.place import Place, editions_at, notes
from kpi_assets.style.dates import window_text
from kpi_assets.style.links import relinked

FIGURES = re.compile(r"(?<=\]\()(?=figures/)")
MEDIA_TYPES: Mapping[Format, str] = {
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
}
HEALINGS = 3
"""How often `latest` is looked at again after it was written, since others may publish at the same time."""


@dataclass(frozen=True)
class Publication:
    """A document as it is to lie in a folder on another machine."""

    document: Document
    formats: frozenset[Format]

    @property
    def edition(self) -> Edition:
        found = edition_of(self.document, window_text(self.document.window))
        return found.also_in([kind for kind in SUFFIXES if kind in self.formats])

    @property
    def folder(self) -> tuple[File, ...]:
        return folder_files(self.document, self.formats)

    @property
    def singles(self) -> Mapping[str, File]:
        return single_files(self.document, self.formats)

    @property
    def count(self) -> int:
        """How many files the edition has."""
        return len(self.folder) + len(self.singles)

    def publish_alone(self, place: Place) -> None:
        """Write the edition without looking at, or changing, anything else."""
        self._write_edition(place, self.edition, [])

    def publish(self, place: Place) -> None:
        """Write the edition, then `latest` if it is the newest, then the links of its neighbour and the archive.

        Each file of `latest` stands for itself, so whenever this breaks off, none mixes two editions; its page comes
        last.
        """
        present = {other.name: other for other in editions_at(place)}
        edition = self.edition
        edition = edition.also_in(edition.formats, present.pop(edition.name, None))
        self._write_edition(place, edition, [*present.values(), edition])
        known = self._write_latest(place, edition)
        _relink_after(place, edition, known)
        place.write(notes(known))
        _write_archive(place, known)

    def _write_edition(self, place: Place, edition: Edition, known: list[Edition]) -> None:
        for suffix, file in self.singles.items():
            place.write(replace(file, path=f"{edition.name}{suffix}"), lasting=True)
        links = masthead_links(edition, known) if known else ""
        files = [_with_links(file, links) if file.path == PAGE and links else file for file in self.folder]
        if files:
            place.write_folder(edition.name, files)

    def _write_latest(self, place: Place, edition: Edition) -> list[Edition]:
        """Bring `latest` up to date; all editions as they are afterwards.

        Looked at again after each writing: two that publish at the same moment cannot leave the older one as latest.
        """
        written: Edition | None = None
        known: list[Edition] = []
        for _ in range(HEALINGS):
            others = [other for other in editions_at(place) if other.name != edition.name]
            known = sorted([*others, edition], key=shelf.order)
            newest = shelf.newest(edition.slug, known)
            if newest is None or newest == written or (newest != edition and written is None):
                break
            for file in _latest_of(place, newest):
                place.write(file)
            written = newest
        return known


def _latest_of(place: Place, edition: Edition) -> list[File]:
    """The files of `latest`, read from the edition as it was published, the page last."""
    found: list[File] = []
    for kind in reversed(edition.formats):
        content = place.read(edition.name + SUFFIXES[kind])
        if content is not None:
            path = f"latest-{edition.slug}{SUFFIXES[kind]}"
            found.append(_standing_alone(File(path, MEDIA_TYPES[kind], content), edition))
    return found


def _standing_alone(file: File, edition: Edition) -> File:
    """Markdown in `latest` shows the figures of the edition's folder, where no later edition replaces them."""
    if file.media_type != MEDIA_TYPES["md"]:
        return file
    text = FIGURES.sub(f"../{edition.name}/", file.content.decode())
    return replace(file, content=text.encode())


def _relink_after(place: Place, edition: Edition, known: list[Edition]) -> None:
    """A backfilled edition is linked from the one that follows it, and from `latest` if that is the one."""
    later = shelf.after(edition, known)
    if later is None:
        return
    names = [later.name, *([f"latest-{later.slug}"] if shelf.newest(later.slug, known) == later else [])]
    links = masthead_links(later, known)
    for name in names:
        content = place.read(f"{name}/{PAGE}")
        if content is None:
            continue
        page = File(f"{name}/{PAGE}", MEDIA_TYPES["html"], content)
        linked = _with_links(page, links)
        if linked != page:
            place.write(linked, lasting=name == later.name)


def _write_archive(place: Place, known: Sequence[Edition]) -> None:
    """The list of editions, in the look of the newest page; an `index.html` that is not ours stays as it is."""
    before = place.read(ARCHIVE)
    if before and MADE_BY_US not in before.decode("utf-8", "replace"):
        return
    pages = [edition for edition in known if "html" in edition.formats]
    newest = max(pages, key=lambda edition: edition.age, default=None)
    like = (place.read(newest.link) or b"").decode("utf-8", "replace") if newest else ""
    content = render_archive(list(known), like).encode()
    if content != before:
        place.write(File(ARCHIVE, MEDIA_TYPES["html"], content))


def _with_links(page: File, links: str) -> File:
    return replace(page, content=relinked(page.content.decode("utf-8", "replace"), links).encode())
