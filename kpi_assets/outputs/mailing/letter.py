"""A letter: what a document says by mail, before it is written for a wire."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from dataclasses import dataclass
from html import escape

from kpi_assets.contracts import Document, File
from kpi_assets.logs import logger
from kpi_assets.outputs.mailing.args import LetterArgs, filled, picture_base, under
from kpi_assets.style.numbers import plain_spaces

log = logger("kpi_assets")

PICTURES = "mail/"
CLIPPED = 102_000
"""Bytes of HTML from which Gmail shows only the beginning."""
MARK = "<!--not attached-->"
"""Where the mail's template has a place for what could not be attached."""
BREAKS = re.compile(r"[\x00-\x20]+")
"""What would end a header's line, and blanks."""
MANY = 3
"""More CSV files than this are sent as one archive."""
WHOLE = {"pdf": "report.pdf", "png": "report.png", "xlsx": "data/report.xlsx"}


@dataclass(frozen=True)
class Enclosure:
    """A file that goes with the letter. `cid` is the name by which its HTML shows it, "" for attachments."""

    name: str
    media_type: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True)
class Letter:
    """`pictures` are shown in the HTML, `attachments` lie beside it; `omitted` says what was too large to attach."""

    subject: str
    text: str
    html: str
    pictures: tuple[Enclosure, ...] = ()
    attachments: tuple[Enclosure, ...] = ()
    omitted: tuple[str, ...] = ()
    remark: str = ""

    @property
    def summary(self) -> str:
        """For receipts: how large it is, and whether a mail program would cut it."""
        size = len(self.html.encode())
        parts = [f"{size / 1000:.0f} KB of HTML" + (", which Gmail cuts" if size > CLIPPED else "")]
        parts += [_counted(len(self.pictures), "picture")] if self.pictures else []
        parts += [_counted(len(self.attachments), "attachment")] if self.attachments else []
        parts += [f"not attached: {text}" for text in self.omitted]
        parts += [self.remark] if self.remark else []
        return ", ".join(parts)


def write_letter(document: Document, args: LetterArgs) -> Letter:
    """The letter of a document that holds the formats which `args` ask for."""
    html, pictures = _with_pictures(document, args)
    why = picture_base(document, args.image_remote_base_url, args.images_from)[1]
    attached, omitted = _attached(document, args)
    said = f"Not attached: {'; '.join(omitted)}." if omitted else ""
    html = html.replace(MARK, f"<br>{escape(said)}" if said else "")
    text = document.file("mail.txt").content.decode()
    _say_size(document, len(html.encode()))
    return Letter(
        subject=BREAKS.sub(" ", plain_spaces(filled(args.subject, document))).strip(),
        text=f"{text}{said}\n" if said else text,
        html=html,
        pictures=tuple(pictures),
        attachments=tuple(attached),
        omitted=tuple(omitted),
        remark=f"charts travel in the mail, since {why}" if pictures and why else "",
    )


def _with_pictures(document: Document, args: LetterArgs) -> tuple[str, list[Enclosure]]:
    """The HTML with addresses or content ids for pictures, and those that travel with it."""
    html = document.file("mail.html").content.decode()
    base = picture_base(document, args.image_remote_base_url, args.images_from)[0]
    pictures: list[Enclosure] = []
    for file in (file for file in document.files if file.path.startswith(PICTURES)):
        source = f'src="{file.path}"'
        if source not in html:
            continue
        if args.image_strategy == "remote" and base:
            html = html.replace(source, f'src="{escape(under(base, document, file.path))}"')
        else:
            found = Enclosure(
                _base(file.path), file.media_type, file.content, f"{_base(file.path)}@kpi-assets"
            )
            html = html.replace(source, f'src="cid:{found.cid}"')
            pictures.append(found)
    return html, pictures


def _say_size(document: Document, size: int) -> None:
    log.log(
        logging.WARNING if size > CLIPPED else logging.INFO,
        "mail of %s %s: %d bytes of HTML; Gmail cuts what is longer than about %d",
        *(document.report, document.edition, size, CLIPPED),
    )


def _attached(document: Document, args: LetterArgs) -> tuple[list[Enclosure], list[str]]:
    """Attachments in the asked order as long as there is room, and sentences about the others."""
    room = int(args.max_attachment_mb * 1_000_000)
    attached: list[Enclosure] = []
    omitted: list[str] = []
    for enclosure in (found for kind in args.attachments for found in _enclosures(document, kind)):
        if len(enclosure.content) <= room:
            attached.append(enclosure)
            room -= len(enclosure.content)
        else:
            size = len(enclosure.content) / 1_000_000
            omitted.append(
                f"{enclosure.name} ({size:.1f} MB, over the limit of {args.max_attachment_mb:g} MB)"
            )
    return attached, omitted


def _enclosures(document: Document, kind: str) -> list[Enclosure]:
    stem = f"{document.slug}-{document.common_edition}"
    if kind in WHOLE:
        file = document.file(WHOLE[kind])
        return [Enclosure(f"{stem}.{kind}", file.media_type, file.content)]
    files = [
        file for file in document.files if file.path.startswith("data/") and file.path.endswith(f".{kind}")
    ]
    if len(files) > MANY:
        return [Enclosure(f"{stem}-{kind}.zip", "application/zip", _archive(files))]
    return [Enclosure(f"{stem}-{_base(file.path)}", file.media_type, file.content) for file in files]


def _archive(files: list[File]) -> bytes:
    """A zip whose bytes depend on its files alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files, key=lambda file: file.path):
            archive.writestr(zipfile.ZipInfo(_base(file.path)), file.content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
