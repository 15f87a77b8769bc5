"""Expressions of the window's column: which of them tell the day."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from sqlglot import exp

from kpi_assets.datasources.analysis.known import parts
from kpi_assets.datasources.analysis.reading import Reading

_FINER = frozenset(("HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"))


class Level(enum.Enum):
    """How much of the column's moment an expression keeps."""

    MOMENT = "the column itself"
    FINER = "the day and more"
    DAY = "the day"


@dataclass(frozen=True)
class Told:
    """`iso`: the value is a date, a timestamp or ISO text, so it sorts by time and can be read as a day."""

    level: Level
    iso: bool = True


@dataclass(frozen=True)
class WindowColumn:
    """The column that is compared with the window. `alone`: there is one source, so a qualifier says nothing."""

    column: exp.Column
    alone: bool
    reading: Reading

    def is_same(self, node: exp.Expr | None) -> bool:
        """Whether a node is this column."""
        exact = self.reading.dialect.case_sensitive
        if not isinstance(node, exp.Column) or _name(node, exact) != _name(self.column, exact):
            return False
        return self.alone or _qualifier(node) == _qualifier(self.column)

    def told_by(self, node: exp.Expr) -> Told | None:
        """What an expression tells of the row's day; None when two days may give one value."""
        while isinstance(node, exp.Paren | exp.Alias):
            node = node.this
        if self.is_same(node):
            return Told(Level.MOMENT)
        epochs = self.reading.times in ("epoch", "epoch_ms")
        if not self.reading.same_zone or epochs or not self.reading.dialect.days_by_session:
            return None  # days are cut elsewhere, or functions of dates mean something else
        return self._cast(node) or self._truncated(node) or self._formatted(node) or self._prefix(node)

    def _cast(self, node: exp.Expr) -> Told | None:
        if isinstance(node, exp.Date | exp.TsOrDsToDate):
            return Told(Level.DAY) if parts(node) == {"this"} and self.is_same(node.this) else None
        # SQLite reads CAST(text AS DATE) as a number: the year
        if isinstance(node, exp.Cast) and self.reading.dialect.name != "sqlite":
            to_date = node.to.this == exp.DataType.Type.DATE and parts(node) <= {"this", "to", "_type"}
            return Told(Level.DAY) if to_date and self.is_same(node.this) else None
        return None

    def _truncated(self, node: exp.Expr) -> Told | None:
        known = isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and self.reading.dialect.name != "sqlite"
        if not known or not parts(node) <= {"this", "unit"} or not self.is_same(node.this):
            return None
        unit = node.args["unit"].name.upper()
        if unit == "DAY":
            return Told(Level.DAY)
        return Told(Level.FINER) if unit in _FINER else None

    def _formatted(self, node: exp.Expr) -> Told | None:
        if not isinstance(node, exp.TimeToStr) or parts(node) != {"this", "format"}:
            return None
        inner = node.this.this if isinstance(node.this, exp.TsOrDsToTimestamp) else node.this
        form = node.args["format"]
        if not self.is_same(inner) or not isinstance(form, exp.Literal):
            return None
        directives = set(re.findall(r"%[-A-Za-z%]", form.name))
        if not {"%Y", "%m", "%d"} <= directives:
            return None
        level = Level.DAY if directives == {"%Y", "%m", "%d"} else Level.FINER
        return Told(level, iso=re.fullmatch(r"%Y-%m-%d(?:[ T]%H.*)?", form.name) is not None)

    def _prefix(self, node: exp.Expr) -> Told | None:
        if not isinstance(node, exp.Substring) or self.reading.dialect.name != "sqlite":
            return None
        start, length = node.args.get("start"), node.args.get("length")
        if not isinstance(start, exp.Literal) or not isinstance(length, exp.Literal) or start.name != "1":
            return None
        if not self.is_same(node.this) or not length.name.isdigit():
            return None
        wide = int(length.name)
        return None if wide < 10 else Told(Level.DAY if wide == 10 else Level.FINER)


def _name(column: exp.Column, exact: bool) -> tuple[str, bool]:
    identifier = column.this
    quoted = bool(identifier.args.get("quoted"))
    return (identifier.name if quoted or exact else identifier.name.lower()), quoted


def _qualifier(column: exp.Column) -> str:
    return ".".join(part.sql() for part in column.parts[:-1])
