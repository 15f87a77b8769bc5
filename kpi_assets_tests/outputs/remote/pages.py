"""Small editions to publish, and what can be told of the places that they were published to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from kpi_assets.contracts import Document, Format, Window
from kpi_assets.reports.compose import compose
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.samples import WEEK, block, meta, picture, stat

SLUG = "weekly-growth-report"
NAME = f"2024-11-18_2024-11-25_{SLUG}"
BEFORE = f"2024-11-11_2024-11-18_{SLUG}"
LATEST = f"latest-{SLUG}"


@lru_cache(maxsize=32)
def document(weeks_back: int = 0, formats: tuple[Format, ...] = ("html",)) -> Document:
    """An edition whose main number is 1000 less the weeks that it lies back; it stands in every file."""
    shift = timedelta(days=7 * weeks_back)
    window = Window(WEEK.start - shift, WEEK.end - shift, WEEK.zone)
    about = meta(window=window, edition=window.key)
    blocks = (block("k", stat(value=str(1000 - weeks_back))), block("chart", picture()))
    made = compose(about, blocks, formats, Theme(), NumberStyle())
    files = [_marked(file, weeks_back) if file.path.startswith("figures/") else file for file in made.files]
    return replace(made, files=tuple(files))


def weeks_in(content: bytes) -> set[int]:
    """The editions, as weeks that they lie back, whose numbers a file shows."""
    return {
        back
        for back in range(9)
        if f">{1000 - back}<".encode() in content or b"**%d**" % (1000 - back) in content
    }


def published(tree: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    """What lies in a folder, by its path in there."""
    return {
        path.removeprefix(f"{folder}/"): content
        for path, content in tree.items()
        if path.startswith(f"{folder}/")
    }


def _marked(file: object, weeks_back: int) -> object:
    return replace(file, content=file.content + b"<!-- >%d< -->" % (1000 - weeks_back))  # type: ignore[type-var,attr-defined]
