"""The body of a webhook's request: the same bytes for the same edition, however often it is tried."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kpi_assets.contracts import Block, Document, File, Format
from kpi_assets.contracts.block import Change, Stat, Stats
from kpi_assets.outputs.contents import folder_files, single_files

TYPE, VERSION = "kpi_assets.edition", 1
Content = Literal["json", "multipart"]


@dataclass(frozen=True)
class Body:
    """What is sent. `files` counts those that travel beside the JSON."""

    media_type: str
    content: bytes
    files: int = 0


def write_body(document: Document, id: str, content: Content, include: Collection[Format]) -> Body:
    """The edition as JSON, texts inside; or as a form with the JSON in its part `edition` and a part per file."""
    if content == "multipart":
        return _form(_json(edition_json(document, id)), enclosed(document, include), id)
    texts = {
        key: document.file(path).content.decode()
        for kind, key, path in (("html", "html", "index.html"), ("md", "markdown", "index.md"))
        if kind in include
    }
    return Body("application/json", _json({**edition_json(document, id), **texts}))


def edition_json(document: Document, id: str) -> dict[str, Any]:
    """What an edition says, for programs. Numbers are as shown (`value`, `text`) and as such (`number`)."""
    window = document.window
    return {
        "type": TYPE,
        "version": VERSION,
        "id": id,
        "report": document.report,
        "title": document.title,
        "subject": document.subject or document.title,
        "lead": document.lead,
        "edition": document.edition,
        "window": {
            "start": window.start.isoformat(),
            "end": window.end.isoformat(),
            "last_day": window.last_day.isoformat(),
            "days": window.length,
            "timezone": window.zone,
        },
        "findings": [_finding(block) for block in document.blocks if block.finding],
        "stats": [_stat(block, stat) for block in document.blocks for stat in _stats(block)],
        "views": [{"id": b.view, "title": b.title, "status": b.status} for b in document.blocks],
        "links": {"page": document.page_url} if document.page_url else {},
    }


def enclosed(document: Document, include: Collection[Format]) -> tuple[File, ...]:
    """The files that a form carries."""
    formats = frozenset(include)
    found = (*folder_files(document, formats), *single_files(document, formats).values())
    return tuple(file for file in found if not file.path.startswith("mail/"))


def _form(edition: bytes, files: tuple[File, ...], id: str) -> Body:
    from urllib3 import encode_multipart_formdata

    fields: list[tuple[str, Any]] = [("edition", ("edition.json", edition, "application/json"))]
    fields += [("files", (_flat(file.path), _flat_links(file, files), file.media_type)) for file in files]
    content, media_type = encode_multipart_formdata(fields, boundary=id)
    return Body(media_type, content, len(files))


def _flat(path: str) -> str:
    """A file's name in a form, where receivers drop folders."""
    return path.replace("/", "-")


def _flat_links(file: File, files: tuple[File, ...]) -> bytes:
    """The file's content; Markdown shows its figures by the names that they have in the form."""
    content = file.content
    if file.path == "index.md":
        for other in files:
            content = content.replace(f"]({other.path})".encode(), f"]({_flat(other.path)})".encode())
    return content


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _finding(block: Block) -> dict[str, str]:
    return {"view": block.view, "title": block.title, "finding": block.finding}


def _stats(block: Block) -> Iterator[Stat]:
    for element in block.elements:
        if isinstance(element, Stat):
            yield element
        elif isinstance(element, Stats):
            yield from element.stats


def _stat(block: Block, stat: Stat) -> dict[str, Any]:
    number = stat.number if stat.number is not None and math.isfinite(stat.number) else None
    return {
        "view": block.view,
        "label": stat.label,
        "qualifier": stat.qualifier,
        "value": stat.value,
        "number": number,
        "change": _change(stat.change) if stat.change else None,
        "before": stat.before,
        "link": stat.link_url,
    }


def _change(change: Change) -> dict[str, str]:
    return {"text": change.text, "direction": change.direction, "verdict": change.verdict}
