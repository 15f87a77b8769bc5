from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.assets.windows import (
    BACKFILL_TAG,
    NOTIFY_TAG,
    RANGE_END,
    RANGE_START,
    REFRESH_TAG,
    WINDOW_TAG,
    run_tags,
    select,
    with_refresh,
)
from kpi_assets.contracts import Window
from kpi_assets.errors import InputError
from kpi_assets_tests.assets.reports import make_plan

PLAN = make_plan(Path("/nowhere"))


def test_an_edition_covers_the_days_up_to_its_key() -> None:
    """Partition 2024-11-24 of a weekly report is the window of Nov 18 to 24."""
    assert select(PLAN, ["2024-11-24"], {}).windows == (
        Window(date(2024, 11, 18), date(2024, 11, 25), "UTC"),
    )


def test_a_tag_asks_for_another_length() -> None:
    """The window tag replaces the length of the report's window, and the key stays the last day."""
    (window,) = select(PLAN, ["2024-11-24"], {WINDOW_TAG: "2024-11-01/2024-11-25"}).windows
    assert (window.start, window.key) == (date(2024, 11, 1), "2024-11-24")


@pytest.mark.parametrize(
    "text", ["", "2024-11-01", "2024-11-25/2024-11-01", "tomorrow/never", "2024-11-01/2024-11-24"]
)
def test_a_window_tag_that_cannot_be_meant_is_refused(text: str) -> None:
    """A window that is no window, or that ends with another day than the partition, is an InputError."""
    with pytest.raises(InputError, match=WINDOW_TAG):
        select(PLAN, ["2024-11-24"], {WINDOW_TAG: text})


def test_a_backfill_tells_nobody() -> None:
    """People are told of a single edition, not of a range nor of a backfill of one day."""
    assert select(PLAN, ["2024-11-24"], {}).notify
    assert not select(PLAN, ["2024-11-23", "2024-11-24"], {}).notify
    assert not select(PLAN, ["2024-11-24"], {BACKFILL_TAG: "abc"}).notify


def test_the_notify_tag_has_the_last_word() -> None:
    """`kpi_assets/notify` decides in either direction, and takes only true and false."""
    assert select(PLAN, ["2024-11-24"], {BACKFILL_TAG: "abc", NOTIFY_TAG: "true"}).notify
    assert not select(PLAN, ["2024-11-24"], {NOTIFY_TAG: "false"}).notify
    with pytest.raises(InputError, match="true and false"):
        select(PLAN, ["2024-11-24"], {NOTIFY_TAG: "yes"})


@pytest.mark.parametrize(("text", "refresh"), [("window", "window"), ("missing", "missing"), ("3", 3)])
def test_the_refresh_tag_replaces_that_of_every_query(text: str, refresh: object) -> None:
    """`kpi_assets/refresh` holds for all queries of the run."""
    assert {query.refresh for query in with_refresh(PLAN, {REFRESH_TAG: text}).queries} == {refresh}


def test_an_unknown_refresh_is_refused() -> None:
    """A refresh that does not exist is an InputError that lists those that do."""
    with pytest.raises(InputError, match="window, missing, or a number"):
        with_refresh(PLAN, {REFRESH_TAG: "all"})


@given(
    last=st.dates(date(2024, 2, 1), date(2026, 1, 1)),
    length=st.integers(1, 40),
    count=st.integers(1, 20),
)
def test_tags_bring_back_the_windows_they_were_made_of(last: date, length: int, count: int) -> None:
    """`select` undoes `run_tags` for any length and any range of neighbouring days."""
    ends = [date.fromordinal(last.toordinal() - back) for back in reversed(range(count))]
    windows = tuple(Window.ending(end, length, "UTC") for end in ends)
    tags = run_tags(PLAN, windows)
    keys = [window.key for window in windows]
    assert select(PLAN, keys, tags).windows == windows
    assert (tags.get(RANGE_START), tags.get(RANGE_END)) == (
        (keys[0], keys[-1]) if count > 1 else (None, None)
    )
