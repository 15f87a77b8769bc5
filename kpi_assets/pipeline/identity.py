"""When is a block or a document made from the same as the one that is stored? Then it is not made again.

A wrong yes would show old numbers under a new name, so the answer is yes only where everything that decides the outcome
is known to be the same, to the byte: the stored frames' files, arguments, words, look, window, our own code and the
libraries that draw. Whatever is not understood makes it a no: plugins of others, values of unknown types, conditions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

import kpi_assets
from kpi_assets.contracts import Block, Format, RenderContext
from kpi_assets.editions.record import block_hash
from kpi_assets.plan import ViewPlan
from kpi_assets.reports.meta import DocumentMeta
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme

PACKAGE = Path(kpi_assets.__file__).parent
LIBRARIES = (
    *("Babel", "Jinja2", "MarkupSafe", "altair", "markdown-it-py", "numpy", "openpyxl", "pandas", "pyarrow"),
    *("pydantic", "pypdfium2", "tzdata", "vl-convert-python", "weasyprint"),
)
"""What has a part in how blocks and documents come out."""


class UnsaidError(Exception):
    """A value whose content cannot be told."""


def block_origin(view: ViewPlan, context: RenderContext, frames: Mapping[str, str]) -> str:
    """What decides a view's block, as a hash; "" where it cannot be told. `frames`: hashes of the stored files."""
    ours = type(view.view).__module__.startswith(f"{kpi_assets.__name__}.")
    if not ours or view.when or not all(frames.values()):
        return ""
    return _hash("block", type(view.view).__qualname__, view.view.args, context, dict(sorted(frames.items())))


def document_origin(
    meta: DocumentMeta,
    blocks: Sequence[Block],
    *,
    formats: frozenset[Format],
    theme: Theme,
    numbers: NumberStyle,
    made_by: str,
) -> str:
    """What decides a document, as a hash, the user's templates and logo included. "" where it cannot be told.

    `made_by`: the plan's, which is kept with the document.
    """
    try:
        files = [*_files(theme.theme_dir), Path(theme.logo).read_bytes() if theme.logo else b""]
    except OSError:
        return ""
    shown = [block_hash(block) for block in blocks]
    return _hash("document", meta, shown, formats, theme, numbers, files, made_by)


def _hash(*values: object) -> str:
    try:
        said = "\n".join(_said(value) for value in (code(), *values))
    except UnsaidError:
        return ""
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def code() -> str:
    """Our own code and templates as they lie on disk, and the versions of Python and of the libraries, as a hash."""
    files = sorted(_stamps(PACKAGE))
    told = repr((kpi_assets.__version__, sys.version, [_version(name) for name in LIBRARIES], files))
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of every file of the package, compiled ones aside."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stamps(Path(entry.path))
            else:
                facts = entry.stat()
                yield entry.path, facts.st_size, facts.st_mtime_ns


def _files(folder: str | None) -> list[tuple[str, bytes]]:
    """Every file below a folder, by its path."""
    if not folder:
        return []
    root = Path(folder)
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return [(str(path.relative_to(root)), path.read_bytes()) for path in paths]


def _said(value: Any) -> str:
    """Type and content of a value, the same in every process. Raises UnsaidError for what it does not know."""
    kind = type(value)
    name, parts = f"{kind.__module__}.{kind.__qualname__}", _parts(value)
    if parts is not None:
        return f"{name}[{','.join(parts)}]"
    if kind in _PLAIN or isinstance(value, ZoneInfo | PurePath | Enum):
        return f"{name}:{value!r}"
    raise UnsaidError(name)


def _parts(value: Any) -> list[str] | None:
    """What a value holds, each said; None for one that is a whole."""
    kind = type(value)
    if isinstance(value, BaseModel):
        return _members(value, kind.model_fields)
    if is_dataclass(value):
        return _members(value, [field.name for field in fields(value)])
    if kind is dict:
        return [f"{_said(key)}={_said(item)}" for key, item in value.items()]
    if kind in {list, tuple}:
        return [_said(item) for item in value]
    return sorted(_said(item) for item in value) if kind in {set, frozenset} else None


def _members(value: Any, names: Iterable[str]) -> list[str]:
    if getattr(value, "__pydantic_private__", None) or getattr(value, "__pydantic_extra__", None):
        raise UnsaidError(type(value).__qualname__)
    return [f"{name}={_said(getattr(value, name))}" for name in names]


_PLAIN = frozenset({type(None), bool, int, float, str, bytes, Decimal, date, datetime, time, timedelta})
