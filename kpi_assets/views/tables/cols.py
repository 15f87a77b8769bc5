"""The columns that a table shows: what each holds and how it is written."""

from __future__ import annotations

from dataclasses import dataclass

from kpi_assets.style.formats import parse_format
from kpi_assets.views.tables.findings import adds_up
from kpi_assets.views.tables.kinds import Holding
from kpi_assets.views.tables.writing import Writer


@dataclass(frozen=True)
class Col:
    """A shown column: what it holds (in the shown rows), and how that is written."""

    position: int
    name: str
    label: str
    held: Holding
    writer: Writer
    first: bool

    @property
    def numeric(self) -> bool:
        return self.held.kind in {"number", "duration"} and not self.held.names_things

    @property
    def percentage(self) -> bool:
        return self.writer.unit == "%" or _format_kind(self.writer.format) == "percent"

    @property
    def adds_up(self) -> bool:
        return self.numeric and not self.first and not self.percentage and adds_up(self.name)

    def texts(self) -> list[str]:
        return [self.writer.text(value) for value in self.held.values]


def _format_kind(text: str) -> str:
    try:
        return parse_format(text).kind
    except ValueError:  # a pattern for days
        return ""
