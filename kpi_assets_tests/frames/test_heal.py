"""Healing: a fresh install, an outage and a normal morning are the same code, held against a simulated backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from upath import UPath

from kpi_assets.contracts import Query, QueryAnalysis, Refresh, Span, Window
from kpi_assets.errors import DataError, RetriableError, TooMuchError
from kpi_assets.frames.heal import HealedFrame, heal
from kpi_assets.frames.load import FrameMissingError, load_frame
from kpi_assets.frames.store import FrameKey, FrameStore

ZONE = "Europe/Berlin"
KEY = FrameKey("weekly", "signups", "f00d")
QUERY = Query("signups", "shop", "select day, n from t where day >= {from} and day < {to}")
BY_DAY = QueryAnalysis("day", "grouped by day", day_column="day")
BLIND = QueryAnalysis("day", "filtered by day")
WHOLE = QueryAnalysis("window", "distinct over the window")
FIRST = date(2024, 11, 1)
OWN = Span()


def week(key: str | date = "2024-11-24", days: int = 7) -> Window:
    return Window.ending(key, days, ZONE)


@dataclass
class Backend:
    """A table of (day, n) that answers ranges, can be away, and notes what it was asked."""

    rows: dict[date, list[int]] = field(default_factory=dict)
    asked: list[tuple[date, date]] = field(default_factory=list)
    away_after: int | None = None
    as_day: Any = lambda day: day.isoformat()

    def fetch(self, query: Query, window: Window) -> pd.DataFrame:
        if self.away_after is not None and len(self.asked) >= self.away_after:
            raise RetriableError("the backend is away")
        self.asked.append((window.start, window.last_day))
        rows = [(self.as_day(day), n) for day in window.days for n in self.rows.get(day, [])]
        return pd.DataFrame(rows, columns=["day", "n"])

    def clear(self) -> None:
        self.asked.clear()


class Clock:
    """Ticks a second with every look at it."""

    def __init__(self) -> None:
        self.now = datetime(2024, 11, 25, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def days_of(first: date, count: int) -> dict[date, list[int]]:
    """`count` days with one to three rows each."""
    return {first + timedelta(days=i): list(range(i % 3 + 1)) for i in range(count)}


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path)


@pytest.fixture
def backend() -> Backend:
    return Backend(days_of(FIRST, 60))


def run(
    store: FrameStore,
    backend: Backend,
    *windows: Window,
    refresh: Refresh = "window",
    analysis: QueryAnalysis = BY_DAY,
    spans: Sequence[Span] = (OWN,),
    **more: Any,
) -> tuple[HealedFrame, ...]:
    return heal(
        QUERY,
        analysis=analysis,
        refresh=refresh,
        spans=spans,
        windows=windows or (week(),),
        key=KEY,
        store=store,
        fetch=backend.fetch,
        clock=Clock(),
        **more,
    )


def loaded(
    store: FrameStore, window: Window, span: Span = OWN, analysis: QueryAnalysis = BY_DAY
) -> pd.DataFrame:
    return load_frame(store, KEY, analysis, span, window)


def pairs(frame: pd.DataFrame) -> list[tuple[Any, int]]:
    return list(zip(frame["day"], frame["n"], strict=True))


def expected(backend: Backend, window: Window) -> list[tuple[Any, int]]:
    return pairs(Backend(backend.rows, as_day=backend.as_day).fetch(QUERY, window))


# ---------------------------------------------------------------- what is asked


def test_a_fresh_install_asks_once(store: FrameStore, backend: Backend) -> None:
    """An empty store is filled by one query over the window, day by day in the store."""
    (healed,) = run(store, backend)
    assert backend.asked == [(date(2024, 11, 18), date(2024, 11, 24))]
    assert store.present_days(KEY) == set(week().days)
    assert pairs(loaded(store, week())) == expected(backend, week())
    assert healed.rows_in == healed.rows_stored == healed.rows == 15
    assert healed.fetched == 1
    assert healed.warnings == ()


def test_a_normal_morning_asks_for_the_window_again(store: FrameStore, backend: Backend) -> None:
    """With `refresh: window` late rows of any day of the window are seen, and only their days are told as changed."""
    (before,) = run(store, backend)
    backend.rows[date(2024, 11, 20)].append(99)
    (after,) = run(store, backend)
    assert pairs(loaded(store, week())) == expected(backend, week())
    assert [day for day, _ in after.changed_days] == [date(2024, 11, 20)]
    assert before.content_hash != after.content_hash


def test_an_unchanged_morning_changes_nothing(store: FrameStore, backend: Backend) -> None:
    """The same rows give the same hash and no changed days, only a newer time of fetching."""
    (before,) = run(store, backend)
    (after,) = run(store, backend)
    assert after.content_hash == before.content_hash
    assert after.changed_days == ()
    assert len(before.changed_days) == 7


def test_missing_asks_only_for_what_is_not_there(store: FrameStore, backend: Backend) -> None:
    """With `refresh: missing` the next day's edition asks for one day, and the same edition for nothing."""
    run(store, backend, refresh="missing")
    backend.clear()
    run(store, backend, week("2024-11-25"), refresh="missing")
    assert backend.asked == [(date(2024, 11, 25), date(2024, 11, 25))]
    (healed,) = run(store, backend, week("2024-11-25"), refresh="missing")
    assert len(backend.asked) == 1
    assert (healed.rows_in, healed.rows_stored, healed.fetched) == (0, 13, 0)


def test_a_number_asks_for_the_last_days_and_the_gaps(store: FrameStore, backend: Backend) -> None:
    """With `refresh: 2` the last two days and the days that an outage left out are asked for, in two runs of days."""
    run(store, backend, week("2024-11-20", 3))
    backend.clear()
    run(store, backend, week("2024-11-25", 10), refresh=2)
    assert backend.asked == [
        (date(2024, 11, 16), date(2024, 11, 17)),
        (date(2024, 11, 21), date(2024, 11, 25)),
    ]
    backend.clear()
    run(store, backend, week("2024-11-25", 10), refresh=2)
    assert backend.asked == [(date(2024, 11, 24), date(2024, 11, 25))]


def test_an_outage_of_a_week_is_one_query(store: FrameStore, backend: Backend) -> None:
    """After seven missed mornings one run brings everything, with `missing` as with `window`."""
    run(store, backend, week("2024-11-17"), refresh="missing")
    backend.clear()
    run(store, backend, week("2024-11-24"), refresh="missing")
    assert backend.asked == [(date(2024, 11, 18), date(2024, 11, 24))]


def test_a_backfill_is_one_query(store: FrameStore, backend: Backend) -> None:
    """Thirty editions with overlapping windows need one ranged query, and each gets its own result."""
    windows = [week(date(2024, 11, 10) + timedelta(days=i)) for i in range(30)]
    healed = run(store, backend, *windows)
    assert backend.asked == [(date(2024, 11, 4), date(2024, 12, 9))]
    assert [frame.window for frame in healed] == windows
    for window, frame in zip(windows, healed, strict=True):
        assert frame.rows == len(loaded(store, window))
        assert list(frame.infos) == [day.isoformat() for day in window.days]


def test_a_backfill_tells_each_changed_day_once(store: FrameStore, backend: Backend) -> None:
    """Days that several editions need are told by the first of them."""
    first, second = run(store, backend, week("2024-11-24"), week("2024-11-26"))
    assert [day for day, _ in first.changed_days] == list(week().days)
    assert [day for day, _ in second.changed_days] == [date(2024, 11, 25), date(2024, 11, 26)]


def test_a_backfill_leaves_what_one_edition_at_a_time_would(tmp_path: Path, backend: Backend) -> None:
    """Hashes of editions do not depend on how many were made in one run."""
    windows = [week(date(2024, 11, 20) + timedelta(days=i)) for i in range(5)]
    together = run(FrameStore(tmp_path / "a"), backend, *windows)
    alone = [run(FrameStore(tmp_path / "b"), backend, window)[0] for window in windows]
    assert [frame.content_hash for frame in together] == [frame.content_hash for frame in alone]


def test_long_ranges_go_in_chunks(store: FrameStore, backend: Backend) -> None:
    """No query asks for more days than the chunk, and the chunks cover the range once."""
    run(store, backend, week("2024-11-30", 25), chunk_days=10)
    assert backend.asked == [
        (date(2024, 11, 6), date(2024, 11, 15)),
        (date(2024, 11, 16), date(2024, 11, 25)),
        (date(2024, 11, 26), date(2024, 11, 30)),
    ]
    assert pairs(loaded(store, week("2024-11-30", 25))) == expected(backend, week("2024-11-30", 25))


def test_days_full_of_rows_come_fewer_at_once(store: FrameStore, backend: Backend) -> None:
    """Once it is known that a day holds a hundred rows, no query asks for more days than fit the limit of rows."""
    backend.rows = {day: list(range(100)) for day in week("2024-11-30", 30).days}
    run(store, backend, week("2024-11-30", 30), chunk_days=10, chunk_rows=400)
    assert [(last - first).days + 1 for first, last in backend.asked] == [10, 4, 4, 4, 4, 4]
    assert pairs(loaded(store, week("2024-11-30", 30))) == expected(backend, week("2024-11-30", 30))


def test_only_one_chunk_is_in_memory(store: FrameStore, backend: Backend) -> None:
    """When a chunk is asked for, the frame of the chunk before is gone."""
    import gc
    import weakref

    alive: list[weakref.ref[pd.DataFrame]] = []

    def fetch(query: Query, window: Window) -> pd.DataFrame:
        gc.collect()
        assert [ref for ref in alive if ref() is not None] == []
        frame = backend.fetch(query, window)
        alive.append(weakref.ref(frame))
        return frame

    watched = Backend(backend.rows)
    watched.fetch = fetch  # type: ignore[method-assign]
    run(store, watched, week("2024-11-30", 30), chunk_days=5)
    assert len(alive) == 6


def test_spans_are_part_of_the_need(store: FrameStore, backend: Backend) -> None:
    """The previous window and a longer look back are fetched with the window, in one query where they touch."""
    spans = (Span(), Span(windows_back=1), Span(days=20))
    (healed,) = run(store, backend, spans=spans)
    assert backend.asked == [(date(2024, 11, 5), date(2024, 11, 24))]
    assert len(healed.infos) == 20
    previous = Window(date(2024, 11, 11), date(2024, 11, 18), ZONE)
    assert pairs(loaded(store, week(), Span(windows_back=1))) == expected(backend, previous)


# ---------------------------------------------------------------- splitting by day


@pytest.mark.parametrize(
    "as_day",
    [
        pytest.param(lambda day: day, id="date"),
        pytest.param(pd.Timestamp, id="naive midnight"),
        pytest.param(lambda day: pd.Timestamp(day, tz=ZONE) + pd.Timedelta("23h"), id="zoned"),
        pytest.param(
            lambda day: pd.Timestamp(day, tz=ZONE).tz_convert("UTC"), id="the day's first instant in UTC"
        ),
        pytest.param(lambda day: datetime.combine(day, datetime.min.time(), ZoneInfo(ZONE)), id="datetime"),
        pytest.param(lambda day: day.isoformat(), id="text"),
        pytest.param(lambda day: f"{day} 23:59:59", id="text with time"),
        pytest.param(lambda day: f"{day - timedelta(days=1)}T23:30:00+00:00", id="text with offset"),
        pytest.param(lambda day: f"{day - timedelta(days=1)}T23:30:00Z", id="text in UTC"),
    ],
)
def test_every_way_to_write_a_day_is_understood(store: FrameStore, backend: Backend, as_day: Any) -> None:
    """Rows go to their day in the report's zone, also over the end of summer time."""
    backend.rows = days_of(date(2024, 10, 21), 14)
    backend.as_day = as_day
    window = week("2024-10-31", 10)
    (healed,) = run(store, backend, window)
    assert len(backend.asked) == 1
    assert healed.warnings == ()
    for day in window.days:
        assert len(loaded(store, Window.of_day(day, ZONE))) == len(backend.rows[day])


@pytest.mark.parametrize(
    ("as_day", "word"),
    [
        pytest.param(lambda day: day + timedelta(days=30), "lie outside", id="later"),
        pytest.param(lambda day: day - timedelta(days=30), "lie outside", id="earlier"),
        pytest.param(lambda day: f"{day:%d.%m.%Y}", "are not days", id="not ISO"),
        pytest.param(lambda day: None, "are missing", id="missing"),
        pytest.param(lambda day: float("nan"), "are missing", id="nan"),
        pytest.param(lambda day: day.toordinal(), "are not days", id="numbers"),
    ],
)
def test_what_cannot_be_split_is_asked_day_by_day(
    store: FrameStore, backend: Backend, as_day: Any, word: str
) -> None:
    """Where values do not tell their day, each day is asked for alone, with a warning that shows no value."""
    backend.as_day = as_day
    (healed,) = run(store, backend)
    assert backend.asked[1:] == [(day, day) for day in week().days]
    assert word in healed.warnings[0]
    assert len(healed.warnings) == 1
    assert healed.rows == 15
    assert [len(loaded(store, Window.of_day(day, ZONE))) for day in week().days] == [
        len(backend.rows[day]) for day in week().days
    ]


def test_rows_of_a_day_keep_their_order(store: FrameStore) -> None:
    """An answer that is sorted by something else than days gives each day its rows in that order."""
    rows = [(week().days[n % 7].isoformat(), 999 - n) for n in range(700)]
    sorted_otherwise = Backend()
    sorted_otherwise.fetch = lambda query, window: pd.DataFrame(rows, columns=["day", "n"])  # type: ignore[method-assign]
    run(store, sorted_otherwise)
    for place, day in enumerate(week().days):
        found = loaded(store, Window.of_day(day, ZONE))
        assert found["n"].tolist() == [999 - n for n in range(place, 700, 7)]
        assert set(found["day"]) == {day.isoformat()}


def test_after_one_failed_split_no_second_is_tried(store: FrameStore, backend: Backend) -> None:
    """Ranged queries that cannot be split are not repeated for the following chunks."""
    backend.as_day = lambda day: None
    run(store, backend, week("2024-11-24", 20), chunk_days=10)
    assert len(backend.asked) == 1 + 20


def test_what_is_too_much_at_once_is_asked_for_in_parts(store: FrameStore, backend: Backend) -> None:
    """Where a range is more than the source gives at once, it is asked for in halves, and later ranges are as short."""
    most = 12
    fetch = backend.fetch

    def limited(query: Query, window: Window) -> pd.DataFrame:
        found = fetch(query, window)
        if len(found) > most:
            raise TooMuchError(query.id, "shop", "more than 12 rows")
        return found

    whole = week("2024-11-30", 30)
    backend.fetch = limited  # type: ignore[method-assign]
    (healed,) = run(store, backend, whole, chunk_days=20)
    assert pairs(loaded(store, whole)) == expected(Backend(backend.rows), whole)
    assert healed.warnings == ()
    sizes = [(last - first).days + 1 for first, last in backend.asked]
    assert sizes == [20, 10, 5, 5, 5, 5, 5, 5]


def test_a_day_that_is_too_much_is_an_error(store: FrameStore, backend: Backend) -> None:
    """The days before it are kept, and the error is the source's own."""
    fetch = backend.fetch

    def limited(query: Query, window: Window) -> pd.DataFrame:
        if week().days[3] in window.days:
            raise TooMuchError(query.id, "shop", "more than 12 rows")
        return fetch(query, window)

    backend.fetch = limited  # type: ignore[method-assign]
    with pytest.raises(TooMuchError, match="more than 12 rows"):
        run(store, backend)
    assert store.present_days(KEY) == set(week().days[:3])


def test_without_a_day_column_each_day_is_asked_for(store: FrameStore, backend: Backend) -> None:
    """Day grain without a column that tells the day means one query per day, and no warning."""
    (healed,) = run(store, backend, analysis=BLIND)
    assert backend.asked == [(day, day) for day in week().days]
    assert healed.fetched == 7
    assert healed.warnings == ()
    assert healed.rows_in == 15


def test_a_missing_day_column_falls_back(store: FrameStore, backend: Backend) -> None:
    """A day column that the answer does not have is told, and days are asked for alone."""
    (healed,) = run(store, backend, analysis=QueryAnalysis("day", "", day_column="Day"))
    assert "no columns are called 'Day'" in healed.warnings[0]
    assert healed.rows == 15


def test_days_without_rows_are_present(store: FrameStore, backend: Backend) -> None:
    """A quiet day is stored with the columns of the others, and is not asked for again."""
    del backend.rows[date(2024, 11, 20)]
    run(store, backend, refresh="missing")
    run(store, backend, refresh="missing")
    assert len(backend.asked) == 1
    quiet = loaded(store, Window.of_day(date(2024, 11, 20), ZONE))
    assert quiet.shape == (0, 2)
    assert str(quiet["n"].dtype) == "int64"
    assert str(loaded(store, week())["n"].dtype) == "int64"


def test_a_hash_does_not_tell_how_wide_the_query_was(tmp_path: Path, backend: Backend) -> None:
    """A day that came alone has the hash of the same day out of a range, also when its types differ."""
    wide, narrow = FrameStore(tmp_path / "wide"), FrameStore(tmp_path / "narrow")
    backend.rows[date(2024, 11, 19)] = [None]  # type: ignore[list-item]
    del backend.rows[date(2024, 11, 20)]
    (left,), (right,) = run(wide, backend), run(narrow, backend, analysis=BLIND)
    assert left.content_hash == right.content_hash


# ---------------------------------------------------------------- trouble


def test_an_empty_answer_does_not_wipe_rows(store: FrameStore, backend: Backend) -> None:
    """A day that comes back without rows keeps those that are stored, and the edition is warned."""
    (before,) = run(store, backend)
    purged = backend.rows.pop(date(2024, 11, 18))
    (after,) = run(store, backend)
    assert after.content_hash == before.content_hash
    assert len(loaded(store, Window.of_day(date(2024, 11, 18), ZONE))) == len(purged)
    assert "2024-11-18 came back empty" in after.warnings[0]
    assert after.changed_days == ()


def test_an_outage_in_the_middle_keeps_whole_chunks(store: FrameStore, backend: Backend) -> None:
    """When the backend goes away between chunks, what came is stored, and the next run asks for the rest alone."""
    backend.away_after = 2
    with pytest.raises(RetriableError):
        run(store, backend, week("2024-11-30", 30), chunk_days=10, refresh="missing")
    assert store.present_days(KEY) == set(week("2024-11-20", 20).days)
    backend.away_after = None
    run(store, backend, week("2024-11-30", 30), refresh="missing")
    assert backend.asked[-1] == (date(2024, 11, 21), date(2024, 11, 30))


def test_a_crash_while_storing_leaves_whole_days(
    store: FrameStore, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies between two days leaves the first whole and the second missing."""
    write, written = FrameStore.write, [0]

    def dying(self: FrameStore, *args: Any, **kwargs: Any) -> Any:
        written[0] += 1
        if written[0] == 4:
            raise KeyboardInterrupt
        return write(self, *args, **kwargs)

    monkeypatch.setattr(FrameStore, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        run(store, backend)
    assert store.present_days(KEY) == set(week("2024-11-20", 3).days)
    monkeypatch.undo()
    run(store, backend, refresh="missing")
    assert backend.asked[-1] == (date(2024, 11, 21), date(2024, 11, 24))
    assert pairs(loaded(store, week())) == expected(backend, week())


def test_a_damaged_day_is_healed(store: FrameStore, backend: Backend) -> None:
    """A truncated file is told of and fetched again, even with `refresh: missing`."""
    run(store, backend)
    backend.clear()
    path = next(store.root.rglob("2024-11-20.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    (healed,) = run(store, backend, refresh="missing")
    assert backend.asked == [(date(2024, 11, 20), date(2024, 11, 20))]
    assert "2024-11-20 could not be read" in healed.warnings[0]
    assert pairs(loaded(store, week())) == expected(backend, week())


def test_changed_columns_are_told_once(store: FrameStore, backend: Backend) -> None:
    """A column that went and one that came are told, both sides, in one warning; gaps in numbers are not."""
    run(store, backend)
    backend.rows[date(2024, 11, 20)] = [None]  # type: ignore[list-item]
    (healed,) = run(store, backend)
    assert healed.warnings == ()
    renamed = Backend(backend.rows)
    renamed.fetch = lambda query, window: backend.fetch(query, window).rename(columns={"n": "count"})  # type: ignore[method-assign]
    (healed,) = run(store, renamed, week("2024-11-26"), refresh="missing")
    assert healed.warnings == (
        "query 'signups': its columns changed: column 'n' (float64) is gone; now: day, count; "
        "column 'count' (int64) is new; before: day, n",
    )


def test_infos_tell_when_and_how_long(store: FrameStore, backend: Backend) -> None:
    """The seconds of a ranged query are shared out among its days, and every day has the time of its answer."""
    (healed,) = run(store, backend)
    assert healed.seconds == pytest.approx(1.0)
    assert healed.fetched_at == datetime(2024, 11, 25, 6, 0, 2, tzinfo=UTC)


def test_loading_what_is_not_there_says_what_to_run(store: FrameStore, backend: Backend) -> None:
    """The error names the query, the days as ranges, and the asset to materialize."""
    run(store, backend, week("2024-11-20", 1), refresh="missing")
    run(store, backend, week("2024-11-24", 1), refresh="missing")
    with pytest.raises(FrameMissingError) as caught:
        loaded(store, week())
    assert str(caught.value) == (
        "query 'signups' has no stored rows for 2024-11-18..2024-11-19, 2024-11-21..2024-11-23: "
        "materialize the query first (asset weekly/queries/signups)"
    )
    with pytest.raises(DataError, match=r"2024-11-18\.\.2024-11-24: materialize"):
        loaded(store, week(), analysis=WHOLE)


# ---------------------------------------------------------------- window grain


def test_window_grain_asks_once_per_span(store: FrameStore, backend: Backend) -> None:
    """The window and the previous one are two queries; neighbours in a backfill share theirs."""
    spans = (Span(), Span(windows_back=1))
    windows = (week("2024-11-17"), week("2024-11-24"))
    first, second = run(store, backend, *windows, analysis=WHOLE, spans=spans)
    assert sorted(backend.asked) == [
        (date(2024, 11, 4), date(2024, 11, 10)),
        (date(2024, 11, 11), date(2024, 11, 17)),
        (date(2024, 11, 18), date(2024, 11, 24)),
    ]
    assert list(second.infos) == ["2024-11-17+7d", "2024-11-24+7d"]
    assert [day for day, _ in first.changed_days] == [date(2024, 11, 10), date(2024, 11, 17)]
    assert pairs(loaded(store, week(), analysis=WHOLE)) == expected(backend, week())


def test_window_grain_missing_asks_for_nothing_twice(store: FrameStore, backend: Backend) -> None:
    """With `missing`, a stored span is taken as it is."""
    run(store, backend, analysis=WHOLE, refresh="missing")
    run(store, backend, analysis=WHOLE, refresh="missing")
    assert len(backend.asked) == 1


def test_window_grain_with_days_asks_where_they_reach(store: FrameStore, backend: Backend) -> None:
    """`refresh: 3` asks again for spans that hold one of the last three days, not for the previous window."""
    spans = (Span(), Span(windows_back=1))
    run(store, backend, analysis=WHOLE, spans=spans)
    backend.clear()
    run(store, backend, analysis=WHOLE, spans=spans, refresh=3)
    assert backend.asked == [(date(2024, 11, 18), date(2024, 11, 24))]


def test_window_grain_keeps_lengths_apart(store: FrameStore, backend: Backend) -> None:
    """Editions of seven and of eight days that end on one day do not overwrite each other."""
    run(store, backend, week(), analysis=WHOLE)
    run(store, backend, week(days=8), analysis=WHOLE)
    assert len(loaded(store, week(), analysis=WHOLE)) != len(loaded(store, week(days=8), analysis=WHOLE))


# ---------------------------------------------------------------- threads


def test_queries_heal_side_by_side(store: FrameStore, backend: Backend) -> None:
    """Eight queries healed from eight threads give what one after the other would."""

    def one(place: int) -> list[tuple[Any, int]]:
        key = FrameKey("weekly", f"q{place}", "f")
        heal(
            QUERY,
            analysis=BY_DAY,
            refresh="window",
            spans=(),
            windows=(week(),),
            key=key,
            store=store,
            fetch=Backend(backend.rows).fetch,
            clock=Clock(),
        )
        return pairs(load_frame(store, key, BY_DAY, Span(), week()))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [expected(backend, week())] * 8


def test_one_query_healed_twice_at_once_stays_whole(store: FrameStore, backend: Backend) -> None:
    """Two runs of the same edition at the same time leave every day whole."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(store, Backend(backend.rows)), range(8)))
    assert pairs(loaded(store, week())) == expected(backend, week())


# ---------------------------------------------------------------- any history


class AnyHistory(RuleBasedStateMachine):
    """Runs, outages, late rows, purges and damage in any order, against a model of what must be stored."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FrameStore(UPath(f"memory://{uuid4().hex}"))
        self.backend = Backend()
        self.model: dict[date, list[int]] = {}

    @rule(day=st.integers(0, 20), n=st.integers(0, 9))
    def a_row_comes(self, day: int, n: int) -> None:
        self.backend.rows.setdefault(FIRST + timedelta(days=day), []).append(n)

    @rule(day=st.integers(0, 20))
    def a_day_is_purged(self, day: int) -> None:
        self.backend.rows.pop(FIRST + timedelta(days=day), None)

    @rule(day=st.integers(0, 20))
    def a_file_is_damaged(self, day: int) -> None:
        name = (FIRST + timedelta(days=day)).isoformat()
        for path in self.store.root.rglob(f"{name}.parquet"):
            path.write_bytes(path.read_bytes()[:-9])
            self.model.pop(FIRST + timedelta(days=day))

    @rule(
        last=st.lists(st.integers(3, 20), min_size=1, max_size=4, unique=True),
        length=st.integers(1, 4),
        refresh=st.sampled_from(["window", "missing", 1, 3]),
        analysis=st.sampled_from([BY_DAY, BLIND]),
        chunk=st.integers(1, 8),
        back=st.booleans(),
        away_after=st.none() | st.integers(0, 3),
    )
    def a_run(
        self,
        last: list[int],
        length: int,
        refresh: Refresh,
        analysis: QueryAnalysis,
        chunk: int,
        back: bool,
        away_after: int | None,
    ) -> None:
        windows = [week(FIRST + timedelta(days=key), length) for key in sorted(last)]
        spans = (Span(), Span(windows_back=1)) if back else (Span(),)
        due = set(self._due(windows, spans, refresh))
        self.backend.clear()
        self.backend.away_after = away_after
        try:
            healed = run(
                self.store,
                self.backend,
                *windows,
                refresh=refresh,
                analysis=analysis,
                spans=spans,
                chunk_days=chunk,
            )
        except RetriableError:
            healed = ()
        self.backend.away_after = None
        asked = [
            day
            for first, last_ in self.backend.asked
            for day in Window(first, last_ + timedelta(days=1), ZONE).days
        ]
        assert len(asked) == len(set(asked))
        assert set(asked) <= due
        for day in asked:
            rows = self.backend.rows.get(day, [])
            self.model[day] = list(rows) or self.model.get(day, [])
        if healed:
            assert set(asked) == due
        for window, frame in zip(windows, healed, strict=False):
            days = {day for span in spans for day in span.of(window).days}
            assert frame.rows_stored == sum(len(self.model[day]) for day in days)
            assert list(frame.infos) == [day.isoformat() for day in sorted(days)]

    def _due(self, windows: list[Window], spans: Sequence[Span], refresh: Refresh) -> Iterator[date]:
        for window in windows:
            for day in {day for span in spans for day in span.of(window).days}:
                recent = isinstance(refresh, int) and window.end - timedelta(days=refresh) <= day < window.end
                if day not in self.model or refresh == "window" or recent:
                    yield day

    @invariant()
    def the_store_is_the_model(self) -> None:
        assert self.store.present_days(KEY) >= set(self.model)
        for day, rows in self.model.items():
            assert (
                self.store.read_days(KEY, Window.of_day(day, ZONE))[0].get("n", pd.Series()).tolist() == rows
            )


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
