"""The `static` output: editions as files in a folder that any web server, or nobody, can serve."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs import editions as shelf
from kpi_assets.outputs.archive import MADE_BY_US, render_archive
from kpi_assets.outputs.contents import PAGE, beside_something, folder_files, single_files
from kpi_assets.outputs.editions import NOTES, Edition, edition_of, editions_in
from kpi_assets.outputs.linking import ARCHIVE, masthead_links
from kpi_assets.outputs.staging import Staging, locked, remove
from kpi_assets.style.dates import window_text
from kpi_assets.style.links import relinked

StaticFormat: TypeAlias = Literal["html", "md", "png", "pdf", "csv", "xlsx"]


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class StaticArgs(PluginArgs):
    """Where and in which formats."""

    output_dir: Path = Field(Path("_build"), description="Folder; made where it does not exist.")
    output_format: Annotated[
        tuple[StaticFormat, ...], BeforeValidator(_as_list), AfterValidator(beside_something)
    ] = Field(
        ("html",),
        min_length=1,
        description="html, md, png or pdf, or a list of them; csv and xlsx put the tables' rows beside the page.",
    )
    keep: int | None = Field(
        None, ge=1, description="How many editions of the report stay in the folder; default: all."
    )


class StaticOutput(Output):
    """Writes `<start>_<end>_<slug>/`, `latest-<slug>/` (or `.png`, `.pdf`) and an archive `index.html`.

    `latest` is the newest edition that is in the folder, whichever was made last. Every name is either the old or the
    new thing, whole, at any moment.
    """

    Args = StaticArgs
    effect = "publish"
    kinds = ("file",)
    personal: ClassVar = {"output_dir": "place"}
    args: StaticArgs

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset(self.args.output_format)

    @property
    def folder(self) -> Path:
        return self.args.output_dir.expanduser().absolute()

    def deliver(self, document: Document) -> Receipt:
        edition = edition_of(document, window_text(document.window))
        with self._told(), locked(self.folder):
            present = {other.name: other for other in editions_in(self.folder)}
            edition = edition.also_in(self._kinds, present.pop(edition.name, None))
            others = list(present.values())
            dropped = self._too_old([*others, edition])
            kept = sorted([e for e in [*others, edition] if e not in dropped], key=shelf.order)
            self._publish(document, edition, kept)
            for old in dropped:
                self._remove(old)
        return Receipt(
            output=self.id,
            plugin="static",
            effect="publish",
            location=str(self._location(document)),
            content_hash=document.content_hash,
            files=len(_tree(document, self.formats)) + len(self._singles(document)),
            detail=f"latest-{document.slug}",
            files_url=document.page_url.rpartition("/")[0] if "html" in self.formats else "",
        )

    def check(self) -> None:
        """Can the folder, or the nearest one above it that is there, be written? Nothing is made."""
        there = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        with self._told():
            if not there.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(there))
            if not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "Permission denied", str(there))

    def preview(self, document: Document) -> str:
        return f"would write {self._location(document)} and latest-{document.slug} in {self.folder}"

    @property
    def _kinds(self) -> tuple[Format, ...]:
        """The formats in the order in which an edition is best shown."""
        return tuple(kind for kind in shelf.SUFFIXES if kind in self.formats)

    def _location(self, document: Document) -> Path:
        return self.folder / edition_of(document).also_in(self._kinds).link

    def _publish(self, document: Document, edition: Edition, kept: list[Edition]) -> None:
        """Write all that changes aside, then put it in place: edition, `latest`, the next one's link, archive."""
        tree = self._linked(_tree(document, self.formats), edition, kept)
        page = tree.get(PAGE, b"").decode()
        with Staging(self.folder) as stage:
            for name in self._names(edition, kept):
                if tree:
                    stage.tree(name, tree)
                for suffix, content in self._singles(document).items():
                    stage.file(f"{name}{suffix}", content)
            stage.file(NOTES, shelf.notes(kept))
            for name, content in self._relinked_after(edition, kept).items():
                stage.file(name, content.encode())
            for name, content in self._archive(kept, edition, page).items():
                stage.file(name, content.encode())
            stage.commit()

    def _names(self, edition: Edition, kept: list[Edition]) -> list[str]:
        """The edition's own name, and `latest` where it is the newest of its report."""
        newest = shelf.newest(edition.slug, kept)
        return [edition.name, f"latest-{edition.slug}"] if newest == edition else [edition.name]

    def _singles(self, document: Document) -> dict[str, bytes]:
        return {suffix: file.content for suffix, file in single_files(document, self.formats).items()}

    def _linked(self, tree: Mapping[str, bytes], edition: Edition, kept: list[Edition]) -> dict[str, bytes]:
        files = dict(tree)
        if PAGE in files:
            files[PAGE] = relinked(files[PAGE].decode(), masthead_links(edition, kept)).encode()
        return files

    def _relinked_after(self, edition: Edition, kept: list[Edition]) -> dict[str, str]:
        """A backfilled edition is linked from the one that follows it, and from `latest` if that is the one."""
        later = shelf.after(edition, kept)
        if later is None:
            return {}
        changed: dict[str, str] = {}
        for name in self._names(later, kept):
            before = self._read(f"{name}/{PAGE}")
            page = relinked(before, masthead_links(later, kept))
            if page != before:
                changed[f"{name}/{PAGE}"] = page
        return changed

    def _archive(self, kept: list[Edition], edition: Edition, page: str) -> dict[str, str]:
        """The list of editions, in the look of the newest page; an `index.html` that is not ours stays as it is."""
        before = self._read(ARCHIVE)
        if before and MADE_BY_US not in before:
            return {}
        pages = [e for e in kept if "html" in e.formats]
        newest = max(pages, key=lambda e: e.age, default=None)
        like = page if newest == edition and page else self._read(newest.link) if newest else ""
        return {ARCHIVE: render_archive(kept, like)}

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _too_old(self, editions: list[Edition]) -> list[Edition]:
        """What `keep` does not keep of the report that is delivered, which is the last of `editions`."""
        if self.args.keep is None:
            return []
        ours = sorted((e for e in editions if e.slug == editions[-1].slug), key=shelf.order)
        return [e for e in ours[: -self.args.keep] if e != editions[-1]]

    def _remove(self, edition: Edition) -> None:
        for suffix in ("", ".pdf", ".png"):
            remove(self.folder / f"{edition.name}{suffix}")

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise DeliveryError(self.id, _reason(error, self.folder)) from error


def _tree(document: Document, formats: frozenset[Format]) -> dict[str, bytes]:
    return {file.path: file.content for file in folder_files(document, formats)}


def _reason(error: OSError, folder: Path) -> str:
    """What is wrong with the folder and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            fix = f"the disk of {folder} is full; free some space or choose another `output_dir`"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            fix = f"{folder} cannot be written by user id {os.getuid()}; allow it or choose another `output_dir`"
        case errno.ENOTDIR | errno.EEXIST:
            file = next((part for part in (folder, *folder.parents) if part.is_file()), error.filename)
            fix = f"{folder} cannot be a folder, a file is in the way ({file}); choose another `output_dir`"
        case _:
            fix = f"{folder} cannot be written ({error.strerror or error}); choose another `output_dir`"
    return f"{fix}. Nothing of the edition was put in place"
