"""Editions on disk, one folder each, that can be read, served and delivered without asking a backend.

::

    editions/<report>/<edition>/
    ├── blocks/<view>.json      each view's block, as last rendered; beside it in <view>.origin what it was made from
    ├── queries/<query>.json    what the footer tells of each query, or why it failed
    ├── seen/<key>              hashes of rows that `when: {changed: true}` looked at
    ├── document/               the document's files, as served: index.html, ...
    ├── document.json           the rest of the document, with its blocks as they were when it was composed
    ├── document.origin         what the document was made from
    ├── published/<output>      what of the document this output has published, and how it was set up then
    ├── fault                   why a recipient's document could not be made anew; nobody gets the old one
    └── manifest.json           what is here, with hashes; for people and other programs

A document is swapped as a whole. Writers of one edition take turns; a process that dies leaves the old document or the
new one, never a mixture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from kpi_assets.contracts import Block, Document, File, QueryNote
from kpi_assets.editions.errors import EditionMissingError
from kpi_assets.editions.origin import has_origin, note_origin
from kpi_assets.editions.record import NOTE, DocumentRecord, block_json, manifest
from kpi_assets.editions.swap import interrupted, locked, recover, swap
from kpi_assets.files import names_in, safe_name, told_of, write_whole

DOCUMENT = "document"
RECORD = "document.json"
FAULT = "fault"
MANIFEST = "manifest.json"
JSON = ".json"
KEY = len("2024-11-24")


class EditionStore:
    """Keeps editions under `<home>/editions`. Holds no state: share it between threads."""

    def __init__(self, home: Path | str) -> None:
        self.root = Path(home) / "editions"

    # ------------------------------------------------------------ places

    def reports(self) -> list[str]:
        """Ids of the reports that have editions."""
        return names_in(self.root)

    def editions(self, report: str) -> list[str]:
        """Ids of the report's editions that have a document, oldest first."""
        place = self.root / safe_name(report, "the report")
        return [name for name in names_in(place) if (place / name / RECORD).exists()]

    def folder(self, report: str, edition: str) -> Path:
        """Where the edition lies, whether it is there or not."""
        return self.root / safe_name(report, "the report") / safe_name(edition, "the edition")

    def document_folder(self, report: str, edition: str) -> Path:
        """Where the edition's files are served from."""
        return self.folder(report, edition) / DOCUMENT

    # ------------------------------------------------------------ blocks

    def save_block(self, report: str, edition: str, block: Block, origin: str = "") -> Path:
        """Keep a view's block in place of the one before. Raises InputError when it cannot be written.

        `origin` stands for everything that it was made from; "" where that is not known.
        """
        path, content = self._block_path(report, edition, block.view), block_json(block)
        write_whole(path, content)
        note_origin(path, content, origin)
        return path

    def block_of(self, report: str, edition: str, view: str, origin: str) -> Block | None:
        """The view's stored block if it was made from exactly this."""
        path = self._block_path(report, edition, view)
        content = _content(path) if origin else None
        if content is None or not has_origin(path, content, origin):
            return None
        return _block(content)

    def load_block(self, report: str, edition: str, view: str) -> Block:
        """A view's block. Raises EditionMissingError, a DataError."""
        content = _content(self._block_path(report, edition, view))
        asset = f"{report}/views/{view}"
        if content is None:
            raise EditionMissingError(asset, edition)
        block = _block(content)
        if block is None:
            raise EditionMissingError(asset, edition, damaged=True)
        return block

    def find_block(self, report: str, edition: str, view: str) -> Block | None:
        """A view's block, or None where there is none that can be read."""
        try:
            return self.load_block(report, edition, view)
        except EditionMissingError:
            return None

    # ------------------------------------------------------------ notes

    def save_note(self, report: str, edition: str, note: QueryNote) -> None:
        """Keep what is to be told of a query in this edition."""
        write_whole(self._note_path(report, edition, note.id), NOTE.dump_json(note, indent=1))

    def find_note(self, report: str, edition: str, query: str) -> QueryNote | None:
        """What was last kept of a query in this edition, or None."""
        return _note(self._note_path(report, edition, query))

    def load_notes(self, report: str, edition: str) -> tuple[QueryNote, ...]:
        """The notes of all queries that ran for the edition, by id; one that cannot be read is left out."""
        place = self.folder(report, edition) / "queries"
        notes = [_note(place / name) for name in names_in(place) if name.endswith(JSON)]
        return tuple(note for note in notes if note is not None)

    # ------------------------------------------------------------ what was seen

    def save_seen(self, report: str, edition: str, key: str, content: str) -> None:
        """Keep the hash of rows that later editions are compared with; `key` says what of which query it is of."""
        write_whole(self._seen_path(report, edition, key), content.encode())

    def find_seen(self, report: str, edition: str, key: str) -> str | None:
        """The hash that the edition saw, or None where it did not look."""
        content = _content(self._seen_path(report, edition, key))
        return None if content is None else content.decode()

    def earlier(self, report: str, edition: str) -> list[str]:
        """Ids of the report's earlier editions of the same kind of window, newest first."""
        names = names_in(self.root / safe_name(report, "the report"))
        kind = edition[KEY:]
        return sorted((name for name in names if name < edition and name[KEY:] == kind), reverse=True)

    # ------------------------------------------------------------ faults

    def save_fault(self, report: str, edition: str, reason: str) -> None:
        """Keep why the document could not be made: what is stored of it must not be delivered. "" where it could be."""
        path = self.folder(report, edition) / FAULT
        if reason:
            write_whole(path, reason.encode())
        else:
            with told_of(path):
                path.unlink(missing_ok=True)

    def find_fault(self, report: str, edition: str) -> str:
        """Why the document could not be made, "" where it could."""
        return (_content(self.folder(report, edition) / FAULT) or b"").decode()

    # ------------------------------------------------------------ what was published

    def save_published(self, report: str, edition: str, output: str, what: str) -> None:
        """Keep what an output has published of the edition, so that a backfill need not do it again."""
        write_whole(self._published_path(report, edition, output), what.encode())

    def find_published(self, report: str, edition: str, output: str) -> str:
        """What the output published last, "" where it published nothing."""
        return (_content(self._published_path(report, edition, output)) or b"").decode()

    # ------------------------------------------------------------ documents

    def save_document(
        self,
        report: str,
        edition: str,
        document: Document,
        fingerprints: Mapping[str, str] | None = None,
        *,
        origin: str = "",
    ) -> Path:
        """Keep the document in place of the one before, and return the folder of its files.

        `fingerprints` (asset -> fingerprint) go into the manifest. `origin` stands for everything that the document was
        made from, "" where that is not known. Raises InputError when it cannot be written.
        """
        place = self.folder(report, edition)
        record = DocumentRecord.of(document, fingerprints or {})

        def commit() -> None:
            content = record.model_dump_json().encode()
            write_whole(place / RECORD, content)
            write_whole(place / MANIFEST, manifest(record))
            note_origin(place / RECORD, content, origin)

        with told_of(place):
            place.mkdir(parents=True, exist_ok=True)
            with locked(place):
                recover(place / DOCUMENT, lambda: _read_document(place) is not None)
                swap(place / DOCUMENT, {file.path: file.content for file in document.files}, commit)
        return place / DOCUMENT

    def document_of(self, report: str, edition: str, origin: str) -> Document | None:
        """The stored document if it was made from exactly this, and is whole."""
        place = self.folder(report, edition)
        if not origin or not (place / RECORD).exists():
            return None
        with told_of(place, doing="read"), locked(place):
            content = _content(place / RECORD)
            if content is None or interrupted(place / DOCUMENT):
                return None
            return _read_document(place) if has_origin(place / RECORD, content, origin) else None

    def document_by(self, report: str, edition: str, made_by: str) -> Document | None:
        """The stored document if a plan of this fingerprint made it, and it is whole."""
        place = self.folder(report, edition)
        record = _read_record(place)
        if record is None or record.fingerprints.get(f"{report}/document") != made_by:
            return None
        return None if interrupted(place / DOCUMENT) else _read_document(place)

    def load_document(self, report: str, edition: str) -> Document:
        """The document as it was composed, checked against its hashes. Raises EditionMissingError, a DataError."""
        place = self.folder(report, edition)
        missing = EditionMissingError(f"{report}/document", edition)
        if not (place / RECORD).exists():
            raise missing
        with told_of(place, doing="read"), locked(place):
            if interrupted(place / DOCUMENT):
                _repair(place)
            found = _read_document(place)
        if found is None:
            raise EditionMissingError(missing.asset, edition, damaged=True)
        return found

    def _note_path(self, report: str, edition: str, query: str) -> Path:
        return self.folder(report, edition) / "queries" / f"{safe_name(query, 'the query')}{JSON}"

    def _seen_path(self, report: str, edition: str, key: str) -> Path:
        return self.folder(report, edition) / "seen" / safe_name(key, "the key")

    def _published_path(self, report: str, edition: str, output: str) -> Path:
        return self.folder(report, edition) / "published" / safe_name(output, "the output")

    def _block_path(self, report: str, edition: str, view: str) -> Path:
        return self.folder(report, edition) / "blocks" / f"{safe_name(view, 'the view')}{JSON}"


def _repair(place: Path) -> None:
    """Finish or take back what a dead process left, and describe what is there now."""
    recover(place / DOCUMENT, lambda: _read_document(place) is not None)
    record = _read_record(place)
    if record is not None:
        write_whole(place / MANIFEST, manifest(record))


def _read_record(place: Path) -> DocumentRecord | None:
    content = _content(place / RECORD)
    try:
        return DocumentRecord.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _read_document(place: Path) -> Document | None:
    """The document if its record and all its files are there and fit together."""
    record = _read_record(place)
    if record is None:
        return None
    files: list[File] = []
    for entry in record.files:
        data = _content(place / DOCUMENT / entry.path)
        if data is None or sha256(data).hexdigest() != entry.sha256:
            return None
        files.append(File(entry.path, entry.media_type, data))
    return replace(record.document, files=tuple(files))


def _block(content: bytes) -> Block | None:
    try:
        return Block.model_validate_json(content)
    except ValidationError:
        return None


def _note(path: Path) -> QueryNote | None:
    content = _content(path)
    try:
        return NOTE.validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _content(path: Path) -> bytes | None:
    with told_of(path, doing="read"):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
