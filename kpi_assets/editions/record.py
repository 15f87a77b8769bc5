"""The JSON forms of what an edition keeps: sorted, without a clock, the same for the same edition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from kpi_assets.contracts import Block, Document, File, QueryNote
from kpi_assets.contracts.block import Content


@dataclass(frozen=True)
class FileRecord:
    """A file of a document without its content."""

    path: str
    media_type: str
    sha256: str
    size: int

    @classmethod
    def of(cls, file: File) -> FileRecord:
        return cls(file.path, file.media_type, sha256(file.content).hexdigest(), len(file.content))


class DocumentRecord(Content):
    """A document without the content of its files."""

    document: Document
    files: tuple[FileRecord, ...]
    content_hash: str
    fingerprints: dict[str, str]

    @classmethod
    def of(cls, document: Document, fingerprints: Mapping[str, str]) -> DocumentRecord:
        return cls(
            document=replace(document, files=()),
            files=tuple(FileRecord.of(file) for file in document.files),
            content_hash=document.content_hash,
            fingerprints=dict(fingerprints),
        )


NOTE = TypeAdapter(QueryNote)


def manifest(record: DocumentRecord) -> bytes:
    """What the edition holds, for people and other programs: window, fingerprints and hashes."""
    document = record.document
    content: dict[str, Any] = {
        "report": document.report,
        "edition": document.edition,
        "title": document.title,
        "window": {
            "start": document.window.start.isoformat(),
            "end": document.window.end.isoformat(),
            "zone": document.window.zone,
        },
        "content_hash": record.content_hash,
        "fingerprints": record.fingerprints,
        "blocks": {block.view: block_hash(block) for block in document.blocks},
        "document": {file.path: _without_path(file) for file in record.files},
    }
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def block_json(block: Block) -> bytes:
    """A block as it is kept."""
    return block.model_dump_json(indent=1).encode()


def block_hash(block: Block) -> str:
    """The hash of a block's file."""
    return sha256(block_json(block)).hexdigest()


def _without_path(record: FileRecord) -> dict[str, Any]:
    return {key: value for key, value in asdict(record).items() if key != "path"}
