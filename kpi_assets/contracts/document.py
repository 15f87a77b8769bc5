"""A document: blocks composed into a whole, in the formats that outputs asked for; and the proof of its delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

from kpi_assets.contracts.block import Block
from kpi_assets.contracts.window import Window

Format = Literal["html", "md", "pdf", "png", "mail", "slack", "slack_tables", "csv", "xlsx"]

PERSONAL = "~"
"""Stands in an edition's id before what names the recipient whose edition it is."""

BITMAP_FORMATS: frozenset[Format] = frozenset({"md", "mail", "slack", "slack_tables"})
"""The formats that show charts as bitmaps: views draw `Picture.png` only where one of these is asked for."""


@dataclass(frozen=True)
class File:
    """A file that travels with a document; `path` is relative, with forward slashes and no `..`."""

    path: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class QueryNote:
    """What the page's footer tells of a query. `error` is a plain reason, without secrets, when it failed;
    `remark` is what readers should know of the rows, `content` their hash."""

    id: str
    datasource: str
    text: str
    language: str
    rows: int
    seconds: float
    fetched_at: datetime | None
    error: str = ""
    remark: str = ""
    content: str = ""


@dataclass(frozen=True)
class Document:
    """An edition of a report, ready for outputs.

    `edition` is the edition's id within the report (the partition key, with a suffix where the window's length is not
    the report's own). `files` holds what each asked format is made of (`index.html`, `index.md`, `report.pdf`,
    `report.png`, `mail.html` with `mail.txt`, `slack.json`, `slack-tables.json`, `data/*.csv`, `data/report.xlsx`) and
    the pictures that they point to. `subject` is a mail's subject line: the main number, its change, one contrast, the
    window. `page_url` is where readers find the page, "" where nobody said. `published` are the addresses of folders
    where outputs put the files, by the output's id; filled in when it is delivered. `unmet` says why nobody is to be
    told of the edition: what `when` wants and the data do not say; "" where it is to be sent.
    """

    report: str
    title: str
    slug: str
    edition: str
    window: Window
    lead: str
    blocks: tuple[Block, ...]
    subject: str = ""
    queries: tuple[QueryNote, ...] = ()
    files: tuple[File, ...] = field(default=())
    page_url: str = ""
    published: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    unmet: str = ""

    @property
    def common_edition(self) -> str:
        """The edition's id without what tells one recipient's from another's."""
        return self.edition.partition(PERSONAL)[0]

    @property
    def content_hash(self) -> str:
        """SHA-256 over all files, in order of their paths."""
        digest = sha256()
        for file in sorted(self.files, key=lambda f: f.path):
            digest.update(file.path.encode() + b"\0" + sha256(file.content).digest())
        return digest.hexdigest()

    @property
    def message_hash(self) -> str:
        """SHA-256 over what readers are told: title, lead and blocks. Not over when and how fast it was fetched."""
        digest = sha256(f"{self.title}\0{self.lead}".encode())
        for block in self.blocks:
            digest.update(b"\0" + block.model_dump_json().encode())
        return digest.hexdigest()

    def file(self, path: str) -> File:
        """The file at `path`; KeyError where that format was not asked for."""
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)


@dataclass(frozen=True)
class Receipt:
    """Proof of a delivery. `location` is the path or URL where a person finds it, or the message's id.

    `recipients` are those who got it; `refused` those who did not, each with the reason (`a@b.example: 550 ...`). A
    receipt with refusals is neither a success nor a failure: it says exactly who has the message. `files_url` is the
    address of the folder from which others can load the document's files, "" where there is none. `messages` are the
    ids of what was posted, where a channel can change it later. `trial` says why nobody got anything although the
    channel took it (a sandbox); the ledger counts that as skipped.
    """

    output: str
    plugin: str
    effect: Literal["publish", "notify"]
    location: str
    content_hash: str
    recipients: tuple[str, ...] = ()
    files: int = 0
    detail: str = ""
    refused: tuple[str, ...] = ()
    files_url: str = ""
    messages: tuple[str, ...] = ()
    trial: str = ""
