"""What a key figure says as a sentence. Never a cause; nothing that the numbers do not show."""

from __future__ import annotations

from kpi_assets.contracts import Change
from kpi_assets.views.figures.history import History

FEWEST_FOR_RECORD = 5
"""Fewer points make no record worth a sentence."""


def finding(name: str, value: str, change: Change | None, *, record: str = "", before: str = "") -> str:
    """`Sign-ups rose 11.4 % to 1,284, the highest of 13 weeks`; empty where there is nothing to compare with."""
    tail = f", {record}" if record else ""
    if change is not None and change.direction in {"up", "down"}:
        moved = "rose" if change.direction == "up" else "fell"
        by = "" if change.text.endswith("%") else "by "
        return f"{name} {moved} {by}{change.text[1:]} to {value}{tail}"
    if change is not None and change.direction == "flat":
        return f"{name} held at {value} ({change.text}){tail}"
    if change is not None and change.text == "new":
        return f"{name}: {value}, up from 0 {before}".rstrip()
    return f"{name}: {value}{tail}" if tail else ""


def record(past: History, number: float, steps: str) -> str:
    """`the highest of 13 weeks` where the last point stands alone at the top (or bottom) and is `number`."""
    known = [value for value in past if value is not None]
    if len(known) < FEWEST_FOR_RECORD or past[-1] is None or len(known) != len(past):
        return ""
    if abs(past[-1] - number) > 1e-9 * max(1.0, abs(number)):
        return ""
    *earlier, last = known
    if last > max(earlier):
        return f"the highest of {steps}"
    return f"the lowest of {steps}" if last < min(earlier) else ""


def steps_text(count: int, days: int) -> str:
    """`13 weeks`, `30 days`, `6 windows of 30 days`."""
    if days == 7:
        return f"{count} weeks"
    return f"{count} days" if days == 1 else f"{count} windows of {days} days"
