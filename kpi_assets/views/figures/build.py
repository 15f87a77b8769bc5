"""A key figure made from its frames: number, change, words and the line of its past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from kpi_assets.contracts import Change, RenderContext, Stat, Target
from kpi_assets.style.changes import no_change_reason
from kpi_assets.style.dates import earlier_words
from kpi_assets.style.digits import CONTEXT, to_decimal
from kpi_assets.style.formats import parse_format
from kpi_assets.views.figures import label as labels
from kpi_assets.views.figures import words
from kpi_assets.views.figures.args import StatArgs
from kpi_assets.views.figures.history import History, past_steps, past_windows
from kpi_assets.views.figures.reading import Reading, read
from kpi_assets.views.figures.sparkline import sparkline

if TYPE_CHECKING:
    import pandas as pd

Frames = Mapping[str, "pd.DataFrame"]


@dataclass(frozen=True)
class Figure:
    """A key figure and what it says. `rows` counts the rows it was made from; `empty`: there was no number."""

    stat: Stat
    finding: str
    rows: int
    empty: bool


@dataclass(frozen=True)
class Maker:
    """Makes one figure. `name` is what the figure is called; `prefix` that of its roles among the frames."""

    args: StatArgs
    frames: Frames
    context: RenderContext
    name: str
    prefix: str = ""
    picture: str = "sparkline"

    def figure(self) -> Figure:
        now = self._read(f"{self.prefix}query")
        before = self._before()
        change = self._change(now, before)
        past = self._past(now)
        stat = self._stat(now, before, change, past)
        own = {
            role: frame for role, frame in self.frames.items() if role in dict(self.args.needs(self.prefix))
        }
        rows = sum(len(frame) for frame in own.values())
        return Figure(stat, self._finding(now, stat, past), rows, now.value is None)

    def text(self, value: object) -> str:
        """A number in the figure's own unit and format."""
        return self.context.numbers.number(value, self.args.precision, self.args.unit, self._format)

    @cached_property
    def _format(self) -> str:
        duration = not self.args.format and self._read(f"{self.prefix}query").duration
        return "duration" if duration else self.args.format

    def _read(self, role: str) -> Reading:
        frame, zero = self.frames[role], self.args.empty_is_zero
        column = self.args.column
        if role.endswith("comparison_query") and column is not None:
            column = column if column in map(str, frame.columns) else None
        return read(self.context.view, frame, column, empty_is_zero=zero)

    def _before(self) -> Reading | None:
        if self.args.comparison_query is not None:
            return self._read(f"{self.prefix}comparison_query")
        return self._read(f"{self.prefix}comparison") if self.args.comparison else None

    def _change(self, now: Reading, before: Reading | None) -> Change | None:
        if before is None:
            return None
        rule = self.args.change_rule
        return self.context.numbers.change(
            self._percentage(now.value),
            self._percentage(before.value),
            rule.kind,
            rule.precision,
            rule.higher_is_better,
            unit=rule.unit,
            format=self._format,
        )

    def _percentage(self, value: object) -> object:
        """Fractions that are printed as percentages change in points, which are hundredths."""
        amount = to_decimal(value)
        fraction = parse_format(self.args.format).kind == "percent"
        return CONTEXT.multiply(amount, Decimal(100)) if fraction and amount is not None else value

    def _past(self, now: Reading) -> History:
        view, past = self.context.view, self.args.sparkline
        if past is None:
            return ()
        if isinstance(past, int):
            backwards = range(past - 1, 0, -1)
            earlier = [self.frames[f"{self.prefix}sparkline_{back}"] for back in backwards]
            return past_windows(view, self.args, earlier, now)
        return past_steps(view, past, self.frames[f"{self.prefix}sparkline"], self.context.window)

    def _stat(self, now: Reading, before: Reading | None, change: Change | None, past: History) -> Stat:
        value = self.text(now.value)
        template = self.args.label if self.args.label and labels.is_template(self.args.label) else None
        alt = f"{self.name or 'Value'}, {self._steps(past)}: {self._ends(past)}" if past else ""
        return Stat(
            label=self.name,
            qualifier=self.args.qualifier,
            value=value,
            number=now.number,
            label_html=labels.label_html(template, value, self.args.link_url) if template else None,
            label_text=labels.label_text(template, value) if template else None,
            change=change,
            before=self._before_text(before),
            sparkline=sparkline(self.context, past, self.picture, alt) if past else None,
            target=self._target(now),
            link_url=None if template and labels.has_links(template) else self.args.link_url,
            note=self._note(now, before, change),
        )

    def _steps(self, past: History) -> str:
        args = self.args.sparkline
        window = self.context.window.length
        step = (
            window if isinstance(args, int) or args is None else {"day": 1, "week": 7}.get(args.step, window)
        )
        return words.steps_text(len(past), step)

    def _ends(self, past: History) -> str:
        known = [value for value in past if value is not None]
        return f"from {self.text(known[0])} to {self.text(known[-1])}" if known else "no values"

    def _before_words(self) -> str:
        if self.args.before_label is not None:
            return self.args.before_label
        # What a comparison query compares with is only known to the one who wrote it.
        return "before" if self.args.comparison_query else earlier_words(self.context.window)

    def _before_text(self, before: Reading | None) -> str | None:
        if before is None or before.value is None:
            return None
        return f"{self.text(before.value)} {self._before_words()}".strip()

    def _note(self, now: Reading, before: Reading | None, change: Change | None) -> str:
        if now.reason or before is None or change is None:
            return now.reason
        return no_change_reason(now.value, before.value, self.args.change_rule.kind)

    def _target(self, now: Reading) -> Target | None:
        goal, number = self.args.target, now.number
        if goal is None or number is None:
            return None
        share = number / goal
        # 99.6 % of a goal is not the goal: below it, whole percents are cut, not rounded.
        percents = int(share * 100 + 1e-9) if 0 <= share < 1 else round(share * 100)
        text = self.context.numbers.number(percents, 0, "%")
        return Target(share=max(0.0, share), text=f"{text} of the {self.text(goal)} target")

    def _finding(self, now: Reading, stat: Stat, past: History) -> str:
        if now.number is None or not self.name:
            return ""
        record = words.record(past, now.number, self._steps(past)) if past else ""
        return words.finding(self.name, stat.value, stat.change, record=record, before=self._before_words())
