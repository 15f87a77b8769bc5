"""Which editions a Dagster run makes: partition keys and tags -> windows. No clock anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kpi_assets.contracts import Refresh, Window
from kpi_assets.errors import InputError
from kpi_assets.plan import ReportPlan

WINDOW_TAG = "kpi_assets/window"
"""`2024-11-01/2024-11-25`: the window (end not included) of the run's last edition, where it is not the regular one."""

REFRESH_TAG = "kpi_assets/refresh"
"""`window`, `missing` or a number of days; replaces `refresh:` of every query for this run."""

NOTIFY_TAG = "kpi_assets/notify"
"""`true`: tell people also in a backfill. `false`: tell nobody."""

FORCE_TAG = "kpi_assets/force"
"""`true`: deliver also to people who have the edition already. Counts once in a run, however often it is retried."""

EDITION_TAG = "kpi_assets/edition"
REPORT_TAG = "kpi_assets/report"
LEAN_ABOVE = 31
"""Runs of more editions record no thumbnails and specs: Dagster keeps what it is given about four times over."""

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
BACKFILL_TAG = "dagster/backfill"


@dataclass(frozen=True)
class Selection:
    """What a run was asked for. `notify`: may outputs that people see deliver? `force`: also what was delivered?"""

    windows: tuple[Window, ...]
    notify: bool = True
    force: bool = False

    @property
    def lean(self) -> bool:
        """A long backfill: its history is kept small."""
        return len(self.windows) > LEAN_ABOVE


def select(plan: ReportPlan, partition_keys: Sequence[str], tags: Mapping[str, str]) -> Selection:
    """The editions of a run. Raises InputError for tags that cannot be read or do not fit the partition."""
    length = _length(plan, partition_keys, tags)
    windows = tuple(
        Window.ending(key, length, plan.zone) if length else plan.window(key)
        for key in sorted(partition_keys)
    )
    notify = _truth(tags, NOTIFY_TAG, default=not (len(windows) > 1 or BACKFILL_TAG in tags))
    return Selection(windows, notify, _truth(tags, FORCE_TAG, default=False))


def with_refresh(plan: ReportPlan, tags: Mapping[str, str]) -> ReportPlan:
    """The plan with `refresh` of every query replaced where the run's tags say so."""
    text = tags.get(REFRESH_TAG)
    if text is None:
        return plan
    refresh = parse_refresh(text)
    return replace(plan, queries=tuple(replace(query, refresh=refresh) for query in plan.queries))


def parse_refresh(text: str) -> Refresh:
    """`window`, `missing` or a number of days. Raises InputError."""
    match text:
        case "window" | "missing":
            return text
        case _ if text.isdigit():
            return int(text)
        case _:
            pass
    raise InputError(f"refresh '{text}' is not known: allowed are window, missing, or a number of days")


def run_tags(
    plan: ReportPlan, windows: Sequence[Window], *, notify: bool | None = None, force: bool = False
) -> dict[str, str]:
    """The tags that make a Dagster run produce exactly these windows; `select` undoes it."""
    first, last = windows[0], windows[-1]
    tags = {REPORT_TAG: plan.id, EDITION_TAG: plan.edition(last)}
    if len(windows) > 1:
        tags |= {RANGE_START: first.key, RANGE_END: last.key}
    if not plan.is_regular(last):
        tags[WINDOW_TAG] = f"{last.start}/{last.end}"
    if notify is not None:
        tags[NOTIFY_TAG] = "true" if notify else "false"
    if force:
        tags[FORCE_TAG] = "true"
    return tags


def _length(plan: ReportPlan, partition_keys: Sequence[str], tags: Mapping[str, str]) -> int | None:
    """The length that the run's tag asks for; None for the report's own windows."""
    text = tags.get(WINDOW_TAG)
    if text is None:
        return None
    window = _parse(text, plan.zone)
    if window.key != max(partition_keys):
        raise InputError(
            f"tag {WINDOW_TAG}: {text} ends with the day {window.key}, but the run's last partition is "
            f"{max(partition_keys)}: start the run for partition {window.key}, or change the tag"
        )
    return window.length


def _parse(text: str, zone: str) -> Window:
    start, _, end = text.partition("/")
    try:
        return Window(date.fromisoformat(start), date.fromisoformat(end), zone)
    except ValueError as error:
        raise InputError(
            f"tag {WINDOW_TAG}: '{text}' is not a window; write it as 2024-11-01/2024-11-25 (end not included)"
        ) from error


def _truth(tags: Mapping[str, str], tag: str, *, default: bool) -> bool:
    text = tags.get(tag)
    if text is None:
        return default
    if text not in {"true", "false"}:
        raise InputError(f"tag {tag}: '{text}' is not known: allowed are true and false")
    return text == "true"
