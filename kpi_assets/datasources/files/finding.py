"""Paths, globs and addresses -> the files on this machine that they mean."""

from __future__ import annotations

import glob
import hashlib
import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_assets.errors import PluginError
from kpi_assets.registry import install_hint

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".xlsx": "excel",
}
"""What a file's suffix says about its format; `.gz` and `.zst` may follow."""
_PACKED = (".gz", ".zst")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_MAGIC = re.compile(r"[*?\[]")


class MissingFileError(Exception):
    """No file is there, or none of a known format; the message says which path."""


class RemoteError(Exception):
    """A file elsewhere could not be fetched; trying again may help."""


@dataclass(frozen=True)
class Found:
    """A file on this machine; `name` is the name of its table, `format` one of csv, parquet, json, excel."""

    path: Path
    name: str
    format: str


@dataclass(frozen=True)
class Finder:
    """Looks for files. Those elsewhere (s3://, https://) are copied into `scratch`, with `options` for their store."""

    scratch: Path
    options: Mapping[str, Any]
    format: str | None = None

    def find(self, patterns: Sequence[str]) -> list[Found]:
        """The files that the patterns mean, sorted, each once. Raises MissingFileError, RemoteError, PluginError."""
        found: dict[Path, Found] = {}
        for pattern in patterns:
            for path, name in self._paths(pattern):
                found[path] = Found(path, stem(name), self.format or _format(name))
        return [found[path] for path in sorted(found)]

    def _paths(self, pattern: str) -> list[tuple[Path, str]]:
        if _ADDRESS.match(pattern):
            return self._remote(pattern)
        return [(path, path.name) for path in _local(pattern)]

    def _remote(self, address: str) -> list[tuple[Path, str]]:
        """Copies of the files behind an address, with their own names."""
        from fsspec.core import url_to_fs

        try:
            store, path = url_to_fs(address, **self.options)
            there: list[str] = sorted(store.glob(path)) if _MAGIC.search(path) else [path]
            if not there:
                raise MissingFileError(f"no file matches {_plain(address)}")
            folder = self.scratch / hashlib.sha256(address.encode()).hexdigest()[:12]
            return [self._copied(store, each, folder / f"{n:06}") for n, each in enumerate(there)]
        except ImportError as error:
            library = (error.name or _library(address)).partition(".")[0]
            raise PluginError(f"{_plain(address)} needs {library}: {install_hint(library)}") from error
        except FileNotFoundError as error:
            raise MissingFileError(f"there is no file {_plain(address)}") from error
        except PermissionError as error:
            raise MissingFileError(f"{_plain(address)} may not be read with this login") from error
        except _troubles() as error:
            # The words of an HTTP client hold the address, and with it what was signed into it.
            kind = RemoteError if _may_pass(error) else MissingFileError
            raise kind(f"{_plain(address)} cannot be fetched ({_kind(error)})") from None

    def _copied(self, store: Any, path: str, folder: Path) -> tuple[Path, str]:
        name = path.partition("?")[0].rstrip("/").rpartition("/")[2]
        folder.mkdir(parents=True, exist_ok=True)
        store.get_file(path, str(folder / name))
        return folder / name, name


def stem(name: str) -> str:
    """`sales` of `sales.csv.gz`."""
    for packed in _PACKED:
        name = name.removesuffix(packed)
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in FORMATS else name


def _local(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser().absolute()
    if path.is_file():
        return [path]
    if not _MAGIC.search(pattern):
        raise MissingFileError(f"there is no file {path}; paths are relative to where it runs")
    found = [Path(each) for each in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - absolute patterns
    files = [each for each in found if each.is_file()]
    if not files:
        raise MissingFileError(f"no file matches {path}; paths are relative to where it runs")
    return files


def _format(name: str) -> str:
    for packed in _PACKED:
        name = name.removesuffix(packed)
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        raise MissingFileError(
            f"{name} has no known suffix: set `format`, or rename it; known are {', '.join(FORMATS)}"
        )
    return FORMATS[suffix]


def _library(address: str) -> str:
    return {"s3": "s3fs", "http": "aiohttp", "https": "aiohttp"}.get(address.partition(":")[0], "fsspec")


def _plain(address: str) -> str:
    """The address without a login and without what follows a `?`, where signatures are."""
    return re.sub(r"//[^/@]*@", "//", address).partition("?")[0]


def _troubles() -> tuple[type[Exception], ...]:
    """What stores raise that are not there or refuse; only of libraries that are installed."""
    troubles: list[type[Exception]] = [OSError, ValueError]
    for module, name in (("aiohttp", "ClientError"), ("botocore.exceptions", "BotoCoreError")):
        try:
            troubles.append(getattr(importlib.import_module(module), name))
        except ImportError:
            continue
    return tuple(troubles)


def _may_pass(error: Exception) -> bool:
    """Whether a store is away, rather than refusing."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status == 429 or status >= 500
    return isinstance(error, ConnectionError | TimeoutError) or "Connect" in type(error).__name__


def _kind(error: Exception) -> str:
    status = getattr(error, "status", None)
    return f"status {status}" if isinstance(status, int) else type(error).__name__
