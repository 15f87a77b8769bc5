"""A table made from a frame: which columns, how they are written, which rows, and what is left to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kpi_assets.contracts import Cell, Column, RenderContext, Table
from kpi_assets.errors import ViewError
from kpi_assets.style.digits import to_decimal
from kpi_assets.views.columns import column, is_infinite, kind_of, names, total
from kpi_assets.views.composing import days_of, header_of, measure_of
from kpi_assets.views.tables.args import TableArgs
from kpi_assets.views.tables.cols import Col
from kpi_assets.views.tables.findings import Ranking, leader, noun_of
from kpi_assets.views.tables.highlight import extreme, matching
from kpi_assets.views.tables.kinds import hold
from kpi_assets.views.tables.scales import bar_shares, heat_steps, number
from kpi_assets.views.tables.writing import as_text, writer

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS_COMPARED = 5_000
"""Of longer answers no leader is named: to read them all would take longer than the sentence is worth."""
SAFE_LINKS = ("http://", "https://", "mailto:")


@dataclass(frozen=True)
class TableMaker:
    """Makes the table. The frame has rows and every column that the arguments name."""

    args: TableArgs
    frame: pd.DataFrame
    context: RenderContext

    def table(self) -> Table:
        cells = [self._cells(col) for col in self.cols]
        return Table(
            style="rank",
            caption=f"{measure_of(self.context)}, {days_of(self.context, self.args.days)}",
            columns=tuple(self._column(col) for col in self.cols),
            rows=tuple(zip(*cells, strict=True)),
            footer=self._footer(),
        )

    def note(self) -> str:
        """What is not shown, and what n/a stands for."""
        sentences: list[str] = []
        if len(self.shown) < len(self.frame):
            shown, all_rows = (self.context.numbers.number(len(rows)) for rows in (self.shown, self.frame))
            sentences.append(f"Showing {shown} of {all_rows} rows.")
        values = [value for col in self.cols for value in col.held.values]
        if any(is_infinite(value) for value in values):
            sentences.append("n/a: infinite or missing.")
        elif any(value is None for value in values):
            sentences.append("n/a: no value.")
        return " ".join([*sentences, *([self.args.note] if self.args.note else [])])

    def finding(self) -> str:
        """Who leads, where rows have names of their own and a measure that can be ranked."""
        measure, first = self._measure, self.cols[0]
        countable = len(self.frame) <= MOST_ROWS_COMPARED and first.held.kind in {"text", "date"}
        if measure is None or not measure.adds_up or not countable:
            return ""
        if self.args.total_by.get(measure.name, "sum") != "sum":
            return ""
        labels = self._whole(first)
        held = hold(measure.name, self._series(measure), self.context.window.zone)
        values = [number(value) for value in held.values]
        top = max((value for value in values if value is not None), default=None)
        if top not in values[: len(self.shown)]:  # who leads is told of rows that can be seen
            return ""
        whole = measure.writer.text(total(self._series(measure))) if self.args.totals else ""
        ranking = Ranking(
            labels=labels,
            values=values,
            texts=[measure.writer.text(value) for value in held.values],
            noun=noun_of(measure.label),
            whole=whole,
            days=first.held.kind == "date",
        )
        return leader(ranking)

    @cached_property
    def ordered(self) -> pd.DataFrame:
        """The rows in the order asked for; those without a value last."""
        if not self.args.sort:
            return self.frame
        name = self.args.sort.removeprefix("-")
        series = column(self.context.view, self.frame, name).reset_index(drop=True)
        try:
            order = series.sort_values(
                ascending=name == self.args.sort, kind="stable", na_position="last"
            ).index
        except TypeError:
            raise ViewError(
                self.context.view, f"column '{name}' holds values of several types and cannot be sorted"
            ) from None
        return self.frame.iloc[list(order)]

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.ordered if self.args.rows is None else self.ordered.head(self.args.rows)

    @cached_property
    def cols(self) -> tuple[Col, ...]:
        hidden = {*self.args.hide, *self.args.links.values()}
        visible = [i for i, name in enumerate(names(self.frame)) if name not in hidden]
        if not visible:
            raise ViewError(self.context.view, "`hide` leaves no column to show")
        return tuple(self._col(position, position == visible[0]) for position in visible)

    @cached_property
    def highlighted(self) -> frozenset[int]:
        """Positions of the rows in full colour."""
        wanted = self.args.highlight
        if wanted is None:
            return frozenset()
        if isinstance(wanted, str):
            return extreme(self._measure.held.values, wanted) if self._measure else frozenset()
        view, zone = self.context.view, self.context.window.zone
        values = {name: hold(name, column(view, self.shown, name), zone).values for name in wanted}
        return matching(values, wanted)

    @cached_property
    def _measure(self) -> Col | None:
        """The column that the table is about: the first with bars, else the first that can be added up."""
        bars = [col for col in self.cols if col.name in self.args.bars]
        numeric = [col for col in self.cols if col.numeric and not col.first]
        summable = [col for col in numeric if col.adds_up]
        return next(iter([*bars, *summable, *numeric]), None)

    def _col(self, position: int, first: bool) -> Col:
        name = names(self.frame)[position]
        held = hold(name, self.shown.iloc[:, position], self.context.window.zone)
        write = writer(
            self.context.view,
            held,
            self.context.numbers,
            unit=self.args.units.get(name, ""),
            format=self.args.formats.get(name, ""),
            year=self.context.window.last_day.year,
        )
        return Col(position, name, self.args.labels.get(name, header_of(name)), held, write, first)

    def _column(self, col: Col) -> Column:
        right = col.numeric and not col.first and col.name not in self.args.bars
        align = self.args.align.get(col.name, "right" if right else "left")
        return Column(label=col.label, align=align, low=col.name in self.args.low, header=col.first)

    def _cells(self, col: Col) -> list[Cell]:
        count = len(self.shown)
        values = col.held.values
        bars = bar_shares(self._numbers(col, "bars")) if col.name in self.args.bars else [None] * count
        heat = heat_steps(self._numbers(col, "scale")) if col.name in self.args.scale else [None] * count
        links = self._links(col)
        marked = not self.args.bars or col.name in self.args.bars
        return [
            Cell(
                text=text,
                value=col.writer.value(values[i]),
                bar=bars[i],
                emphasis=marked and i in self.highlighted,
                heat=heat[i],
                missing=values[i] is None or is_infinite(values[i]),
                link_url=links[i],
            )
            for i, text in enumerate(col.texts())
        ]

    def _numbers(self, col: Col, argument: str) -> Sequence[Any]:
        if col.held.kind not in {"number", "duration", "empty"}:
            reason = f"`{argument}` needs numbers, but column '{col.name}' holds {col.held.kind} values"
            raise ViewError(self.context.view, reason)
        return col.held.values

    def _links(self, col: Col) -> list[str | None]:
        target = self.args.links.get(col.name)
        if target is None:
            return [None] * len(self.shown)
        return [_safe_link(value) for value in column(self.context.view, self.shown, target)]

    def _footer(self) -> tuple[tuple[Cell, ...], ...]:
        rest = self.ordered.iloc[len(self.shown) :]
        if self.args.totals == "others" and len(rest):
            words = f"{self.context.numbers.number(len(rest))} {'others' if len(rest) > 1 else 'other'}"
            return (self._total_row(rest, words),)
        return (self._total_row(self.ordered, "Total"),) if self.args.totals is True else ()

    def _total_row(self, rows: pd.DataFrame, words: str) -> tuple[Cell, ...]:
        return tuple(Cell(text=words) if col.first else self._total_cell(col, rows) for col in self.cols)

    def _total_cell(self, col: Col, rows: pd.DataFrame) -> Cell:
        how = self.args.total_by.get(col.name, "sum" if col.adds_up else "none")
        if how == "none":
            return Cell(text="")
        series = rows.iloc[:, col.position]
        if kind_of(series) not in {"number", "duration", "boolean", "empty"}:
            raise ViewError(self.context.view, f"`total_by` needs numbers, but column '{col.name}' has none")
        result = total(series) if how == "sum" else _mean(series)
        missing = to_decimal(result) is None
        found = None if missing else result
        return Cell(text=col.writer.text(found), value=col.writer.value(found), missing=missing)

    def _series(self, col: Col) -> pd.Series:
        return self.ordered.iloc[:, col.position]

    def _whole(self, col: Col) -> list[str]:
        """The column's texts over all rows, not only the shown ones."""
        held = hold(col.name, self._series(col), self.context.window.zone)
        kept: Callable[[Any], str] = col.writer.text if held.kind == col.held.kind else as_text
        return ["" if value is None else kept(value) for value in held.values]


def _mean(series: pd.Series) -> object:
    amount, count = total(series), int(series.notna().sum())
    exact = to_decimal(amount)
    return None if exact is None or not count else exact / count


def _safe_link(value: object) -> str | None:
    """Links come with the data: nothing but addresses of pages and mailboxes."""
    text = str(value).strip()
    return text if text.lower().startswith(SAFE_LINKS) else None
