"""Entry points -> plugin classes, imported only when asked for. Built-ins come through the same door as strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Literal

from kpi_assets.contracts import Datasource, Format, Output, View
from kpi_assets.errors import PluginError, suggest

Kind = Literal["datasources", "views", "outputs"]

EXTRAS = {
    "pymysql": "mysql",
    "psycopg2": "postgres",
    "duckdb": "duckdb",
    "weasyprint": "pdf",
    "pypdfium2": "pdf",
    "boto3": "s3",
    "botocore": "s3",
    "s3fs": "s3",
    "paramiko": "scp",
    "PIL": "pdf",
    "openpyxl": "xlsx",
    "google.analytics": "ga4",
    "tweepy": "x",
    "trino": "trino",
    "clickhouse_connect": "clickhouse",
    "sqlalchemy_bigquery": "bigquery",
    "snowflake": "snowflake",
}
"""Import name of an optional library -> the extra that installs it."""

FORMAT_LIBRARIES: Mapping[Format, tuple[str, ...]] = {
    "pdf": ("weasyprint",),
    "png": ("weasyprint", "pypdfium2", "PIL"),
    "slack_tables": ("weasyprint", "pypdfium2", "PIL"),
    "xlsx": ("openpyxl",),
}
"""Import names of the optional libraries that a format is written with."""


@dataclass(frozen=True)
class Plugin:
    """A registered plugin: where it comes from, before it is imported."""

    kind: Kind
    name: str
    target: str
    package: str
    version: str


def datasource_class(name: str) -> type[Datasource]:
    """The class behind a datasource plugin's name. Raises PluginError."""
    return _load("datasources", name)


def view_class(name: str) -> type[View]:
    """The class behind a view plugin's name. Raises PluginError."""
    return _load("views", name)


def output_class(name: str) -> type[Output]:
    """The class behind an output plugin's name. Raises PluginError."""
    return _load("outputs", name)


def plugins(kind: Kind) -> list[Plugin]:
    """All registered plugins of a kind, by name, without importing them."""
    found: list[Plugin] = []
    for name, points in sorted(_points(kind).items()):
        for point in points:
            dist = point.dist
            package, version = (dist.name, dist.version) if dist else ("", "")
            found.append(Plugin(kind, name, point.value, package, version))
    return found


def missing_for(formats: Iterable[Format]) -> Iterator[tuple[Format, str]]:
    """(format, library) for what cannot be written here since its library is not installed. Imports nothing."""
    asked = frozenset(formats)
    for format, names in FORMAT_LIBRARIES.items():
        missing = [name for name in names if not is_installed(name)] if format in asked else []
        if missing:
            yield format, missing[0]


def is_installed(library: str) -> bool:
    """Can it be imported? Imports no more than the packages around it."""
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False


def install_hint(module: str) -> str:
    """The sentence that says what to install for a missing library."""
    parts = module.split(".")
    around = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    extra = next((EXTRAS[name] for name in around if name in EXTRAS), None)
    return f"pip install 'kpi-assets[{extra}]'" if extra else f"pip install {parts[0]}"


@cache
def _points(kind: Kind) -> dict[str, list[EntryPoint]]:
    by_name: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=f"kpi_assets.{kind}"):
        same = by_name.setdefault(point.name, [])
        if all(point.value != other.value for other in same):
            same.append(point)
    return by_name


@cache
def _load(kind: Kind, name: str) -> Any:
    points = _points(kind).get(name, [])
    singular = kind.removesuffix("s")
    if not points:
        raise PluginError(f"no {singular} plugin is called '{name}': {suggest(name, _points(kind))}")
    if len(points) > 1:
        sides = " and ".join(f"{p.value} ({p.dist.name if p.dist else 'unknown'})" for p in points)
        raise PluginError(
            f"two packages claim the {singular} plugin '{name}': {sides}; uninstall one of them"
        )
    try:
        return points[0].load()
    except ImportError as error:
        hint = install_hint(error.name) if error.name and not re.match(r"kpi_assets\b", error.name) else ""
        advice = f"; {hint}" if hint else ""
        raise PluginError(f"the {singular} plugin '{name}' cannot be imported: {error}{advice}") from error
