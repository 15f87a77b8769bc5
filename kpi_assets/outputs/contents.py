"""What of a document lies where in a folder that it is published to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kpi_assets.contracts import Document, File, Format

PAGE = "index.html"
SINGLE: Mapping[Format, str] = {"png": "report.png", "pdf": "report.pdf"}


def beside_something(formats: tuple[Format, ...]) -> tuple[Format, ...]:
    """`formats`, if rows are not all there is: they lie beside something that people read. For validators."""
    if set(formats) <= {"csv", "xlsx"}:
        raise ValueError(f"{' and '.join(formats)} goes beside html or md: add one of them")
    return formats


def folder_files(document: Document, formats: frozenset[Format]) -> tuple[File, ...]:
    """The files of the edition's own folder, the page last.

    The page with the pictures that mails and chats may load from here, Markdown with its figures, and rows (CSV, XLSX).
    """
    found = [file for file in document.files if file.path != PAGE and _belongs(file, formats)]
    return (*found, document.file(PAGE)) if "html" in formats else tuple(found)


def single_files(document: Document, formats: frozenset[Format]) -> Mapping[str, File]:
    """The files that lie beside the edition's folder, by what follows its name: `.pdf`, `.png`."""
    return {f".{kind}": document.file(path) for kind, path in SINGLE.items() if kind in formats}


def _belongs(file: File, formats: frozenset[Format]) -> bool:
    return any(wanted in formats for wanted in _wanted_by(file))


def _wanted_by(file: File) -> Iterator[Format]:
    if file.path == "index.md" or file.path.startswith("figures/"):
        yield "md"
    if file.path.startswith("data/"):
        yield "xlsx" if file.path.endswith(".xlsx") else "csv"
    if file.path.startswith("mail/") and file.media_type.startswith("image/"):
        yield "html"
