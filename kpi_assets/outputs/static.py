"""The `static` output: editions as files in a folder that any web server, or nobody, can serve."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs import editions as shelf
from kpi_assets.outputs.archive import MADE_BY_US, render_archive
from kpi_assets.outputs.editions import NOTES, Edition, edition_of, editions_in
from kpi_assets.outputs.staging import Staging, locked, remove
from kpi_assets.style.dates import window_text
from kpi_assets.style.links import edition_links, relinked

StaticFormat: TypeAlias = Literal["html", "md", "png", "pdf"]
SINGLE: Mapping[Format, str] = {"png": "report.png", "pdf": "report.pdf"}
ARCHIVE = "index.html"


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class StaticArgs(PluginArgs):
    """Where and in which formats."""

    output_dir: Path = Field(Path("_build"), description="Folder; made where it does not exist.")
    output_format: Annotated[tuple[StaticFormat, ...], BeforeValidator(_as_list)] = Field(
        ("html",), min_length=1, description="html, md, png or pdf, or a list of them."
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
            self._publish(document, edition)
            self._drop_oldest(edition.slug)
            self._write_archive()
        return Receipt(
            output=self.id,
            plugin="static",
            effect="publish",
            location=str(self._location(edition)),
            content_hash=document.content_hash,
            files=len(_tree(document, self.formats)) + len(self._singles(document)),
            detail=f"latest-{document.slug}",
        )

    def preview(self, document: Document) -> str:
        return f"would write {self._location(edition_of(document, ''))} and latest-{document.slug} in {self.folder}"

    def _location(self, edition: Edition) -> Path:
        first = next(kind for kind in shelf.SUFFIXES if kind in self.formats)
        return self.folder / f"{edition.name}{shelf.SUFFIXES[first]}"

    def _publish(self, document: Document, edition: Edition) -> None:
        """Write the edition, `latest` where this is now the newest, and the link of the edition after it."""
        others = [other for other in editions_in(self.folder) if other.name != edition.name]
        tree = self._linked(_tree(document, self.formats), edition, others)
        newest = all(other.slug != edition.slug or other.age <= edition.age for other in others)
        with Staging(self.folder) as stage:
            names = [edition.name, *([f"latest-{edition.slug}"] if newest else [])]
            for name in names:
                if tree:
                    stage.tree(name, tree)
                for suffix, content in self._singles(document).items():
                    stage.file(f"{name}{suffix}", content)
            (self.folder / NOTES).mkdir(exist_ok=True)
            stage.file(f"{NOTES}/{edition.name}.json", edition.note())
            stage.commit()
        self._relink_after(edition)

    def _singles(self, document: Document) -> dict[str, bytes]:
        wanted = {f".{kind}": path for kind, path in SINGLE.items() if kind in self.formats}
        return {suffix: document.file(path).content for suffix, path in wanted.items()}

    def _linked(self, tree: Mapping[str, bytes], edition: Edition, others: list[Edition]) -> dict[str, bytes]:
        files = dict(tree)
        if ARCHIVE in files:
            files[ARCHIVE] = relinked(files[ARCHIVE].decode(), self._links(edition, others)).encode()
        return files

    def _links(self, edition: Edition, others: list[Edition]) -> str:
        earlier = shelf.before(edition, others)
        if earlier is None:
            return edition_links(None, f"../{ARCHIVE}", None)
        lengths = {earlier.end - earlier.start, edition.end - edition.start}
        just_before = earlier.end == edition.start and len(lengths) == 1
        days = (edition.end - edition.start).days if just_before else None
        return edition_links(f"../{earlier.name}/{ARCHIVE}", f"../{ARCHIVE}", days)

    def _relink_after(self, edition: Edition) -> None:
        """A backfilled edition is linked from the one that follows it, and from `latest` if that is the one."""
        present = editions_in(self.folder)
        later = shelf.after(edition, present)
        if later is None:
            return
        newest = later == max((e for e in present if e.slug == edition.slug), key=lambda e: e.age)
        for name in [later.name, *([f"latest-{later.slug}"] if newest else [])]:
            path = self.folder / name / ARCHIVE
            if path.is_file():
                page = path.read_text(encoding="utf-8")
                self._replace(f"{name}/{ARCHIVE}", relinked(page, self._links(later, present)), page)

    def _drop_oldest(self, slug: str) -> None:
        if self.args.keep is None:
            return
        ours = [edition for edition in editions_in(self.folder) if edition.slug == slug]
        for edition in ours[: -self.args.keep]:
            for suffix in ("", ".pdf", ".png"):
                remove(self.folder / f"{edition.name}{suffix}")
            remove(self.folder / NOTES / f"{edition.name}.json")

    def _write_archive(self) -> None:
        """The list of editions; an `index.html` that is not ours stays as it is."""
        path = self.folder / ARCHIVE
        before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if before and MADE_BY_US not in before:
            return
        present = editions_in(self.folder)
        pages = [edition for edition in present if "html" in edition.formats]
        newest = max(pages, key=lambda edition: edition.age, default=None)
        like = (self.folder / newest.link).read_text(encoding="utf-8") if newest else ""
        self._replace(ARCHIVE, render_archive(present, like), before)

    def _replace(self, name: str, content: str, before: str) -> None:
        if content != before:
            with Staging(self.folder) as stage:
                stage.file(name, content.encode())
                stage.commit()

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise DeliveryError(self.id, _reason(error, self.folder)) from error


def _tree(document: Document, formats: frozenset[Format]) -> dict[str, bytes]:
    """The files of the edition's folder: the page, and Markdown with its figures where that was asked for."""
    wanted = {"index.html"} if "html" in formats else set[str]()
    if "md" in formats:
        wanted |= {"index.md"} | {f.path for f in document.files if f.path.startswith("figures/")}
    return {file.path: file.content for file in document.files if file.path in wanted}


def _reason(error: OSError, folder: Path) -> str:
    """What is wrong with the folder and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            fix = f"the disk of {folder} is full; free some space or choose another `output_dir`"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            fix = f"{folder} cannot be written by user id {os.getuid()}; allow it or choose another `output_dir`"
        case errno.ENOTDIR | errno.EEXIST:
            fix = f"{folder} cannot be a folder, a file is in the way ({error.filename}); choose another `output_dir`"
        case _:
            fix = f"{folder} cannot be written ({error.strerror or error}); choose another `output_dir`"
    return f"{fix}. Nothing of the edition was put in place"
