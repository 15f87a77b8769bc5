"""The frame store: exact round trips, whole files, sane joins of days."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from upath import UPath

from kpi_assets.contracts import FrameInfo, Window
from kpi_assets.errors import DataError, InputError
from kpi_assets.frames.store import FrameKey, FrameStore

KEY = FrameKey("weekly", "signups", "0123456789abcdef")
DAY = date(2024, 11, 18)
AT = datetime(2024, 11, 25, 6, 0, tzinfo=UTC)
WEEK = Window.ending("2024-11-24", 7, "Europe/Berlin")


@pytest.fixture(params=["local", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FrameStore:
    """A store on each kind of place."""
    places = {
        "local": tmp_path / "frames",
        "file": f"file://{tmp_path}/frames",
        "memory": UPath(f"memory://{uuid4().hex}/frames"),
    }
    return FrameStore(places[request.param])


@pytest.fixture
def local(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path / "frames")


def put(store: FrameStore, frame: pd.DataFrame, day: date = DAY) -> FrameInfo:
    return store.write_day(KEY, day, frame, seconds=0.5, fetched_at=AT)


def back(store: FrameStore, frame: pd.DataFrame) -> pd.DataFrame:
    put(store, frame)
    return store.read_days(KEY, Window.of_day(DAY, "Europe/Berlin"))[0]


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True, check_column_type=False)
    for place in range(left.shape[1]):
        ours, theirs = left.iloc[:, place], right.iloc[:, place]
        assert repr(ours.dtype) == repr(theirs.dtype)
        if ours.dtype == object:
            assert [(type(v), repr(v)) for v in ours] == [(type(v), repr(v)) for v in theirs]


# ---------------------------------------------------------------- round trips

BERLIN = ZoneInfo("Europe/Berlin")
COLUMNS: dict[str, pd.Series[Any]] = {
    "whole": pd.Series([1, -(2**62), 0]),
    "small": pd.Series([1, 2, 255], dtype="uint8"),
    "huge": pd.Series([1, 2, 2**64 - 1], dtype="uint64"),
    "float": pd.Series([1.5, np.nan, -np.inf]),
    "float32": pd.Series([1.5, np.nan, 0.1], dtype="float32"),
    "flag": pd.Series([True, False, True]),
    "nullable": pd.Series([1, None, 2**60], dtype="Int64"),
    "nullable_flag": pd.Series([True, None, False], dtype="boolean"),
    "nullable_float": pd.Series([1.5, None, 2.0], dtype="Float32"),
    "string": pd.Series(["a", None, ""], dtype="string"),
    "arrow_string": pd.Series(["a", None, "ü"], dtype="string[pyarrow]"),
    "arrow": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
    "arrow_seconds": pd.Series([1, None, 3], dtype="timestamp[s][pyarrow]"),
    "naive": pd.Series(
        pd.to_datetime(["2024-11-18", None, "2024-11-18 23:59:59.123456789"], format="ISO8601")
    ),
    "seconds": pd.Series(np.array(["2024-11-18", "NaT", "9999-12-31"], dtype="M8[s]")),
    "zoned": pd.Series(pd.to_datetime(["2024-10-27T00:30Z", None, "2024-10-27T01:30Z"])).dt.tz_convert(
        BERLIN
    ),
    "offset": pd.Series(pd.to_datetime(["2024-10-27T00:30Z"] * 3)).dt.tz_convert(
        timezone(timedelta(hours=5, minutes=45))
    ),
    "utc": pd.Series(pd.to_datetime(["2024-10-27T00:30Z"] * 3)).dt.as_unit("us"),
    "delta": pd.Series(pd.to_timedelta(["1 day", None, "-3ns"])),
    "text": pd.Series(["a", None, "\U0001f600 \x00"], dtype=object),
    "surrogate": pd.Series(["a", None, "\ud800"], dtype=object),
    "bytes": pd.Series([b"a", None, b"\xff\x00"], dtype=object),
    "decimal": pd.Series([Decimal("1.10"), None, Decimal("-1E+40")], dtype=object),
    "date": pd.Series([date(2024, 11, 18), None, date(1, 1, 1)], dtype=object),
    "ints": pd.Series([1, None, -5], dtype=object),
    "big": pd.Series([1, None, 2**80], dtype=object),
    "flags": pd.Series([True, None, False], dtype=object),
    "nothing": pd.Series([None, None, None], dtype=object),
    "mixed": pd.Series([1, "a", None], dtype=object),
    "missing": pd.Series([None, np.nan, pd.NaT], dtype=object),
    "times": pd.Series([time(1, 2), datetime(2024, 1, 1), timedelta(1)], dtype=object),
    "stamps": pd.Series(
        [pd.Timestamp("2024-01-01"), pd.NA, pd.Timestamp("2024-01-01", tz=BERLIN)], dtype=object
    ),
    "nested": pd.Series([[1, {"a": b"x"}], (1,), {"$": 2, 3: None}], dtype=object),
    "uuid": pd.Series([UUID(int=1), None, UUID(int=2)], dtype=object),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_of_column_comes_back_as_it_was(local: FrameStore, name: str) -> None:
    """A column of this type, its gaps included, is read back exactly, and so is an empty one."""
    frame = pd.DataFrame({name: COLUMNS[name]})
    assert_same(back(local, frame), frame)
    assert_same(back(local, frame.iloc[:0]), frame.iloc[:0])


def test_a_whole_frame_comes_back_from_every_kind_of_place(store: FrameStore) -> None:
    """All column types side by side survive a local folder, a file URL and another file system."""
    frame = pd.DataFrame(COLUMNS)
    assert_same(back(store, frame), frame)


def test_odd_column_names_are_kept() -> None:
    """Reserved, empty, repeated, dotted and emoji names come back in order."""
    store = FrameStore(UPath(f"memory://{uuid4().hex}"))
    frame = pd.DataFrame([[1, 2, 3, 4, 5, 6]])
    frame.columns = pd.Index(["from", "", "a b", "a.b", "from", "\U0001f600\n"])
    assert_same(back(store, frame), frame)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_frame_without_columns_keeps_its_rows(local: FrameStore, rows: int) -> None:
    """The number of rows survives although no column holds them."""
    assert back(local, pd.DataFrame(index=range(rows))).shape == (rows, 0)


def test_categories_become_their_values(local: FrameStore) -> None:
    """A categorical column comes back as plain values, since days with other categories must fit to it."""
    frame = pd.DataFrame({"plan": pd.Categorical(["pro", None, "free"]), "n": pd.Categorical([1, 2, 1])})
    expected = pd.DataFrame({"plan": pd.Series(["pro", None, "free"], dtype=object), "n": [1, 2, 1]})
    assert_same(back(local, frame), expected)


def test_zones_of_other_libraries_become_zoneinfo(local: FrameStore) -> None:
    """A pytz zone comes back as the zone of the same name."""
    pytz = pytest.importorskip("pytz")
    moments = pd.Series(pd.to_datetime(["2024-10-27T00:30Z"])).dt.tz_convert(pytz.timezone("Europe/Berlin"))
    zone = back(local, pd.DataFrame({"at": moments}))["at"].dt.tz
    assert zone == BERLIN


def test_a_filtered_frame_loses_only_its_row_numbers(local: FrameStore) -> None:
    """An unnamed index of numbers means nothing and is dropped."""
    frame = pd.DataFrame({"n": [1, 2, 3]})
    assert_same(back(local, frame[frame.n > 1]), pd.DataFrame({"n": [2, 3]}))


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="plan")), "plan"),
        (pd.DataFrame({"n": [1]}, index=pd.DatetimeIndex(["2024-01-01"])), "DatetimeIndex"),
        (pd.DataFrame({7: [1]}), "7"),
        (pd.DataFrame({"z": [1j]}), "complex"),
        (pd.DataFrame({"p": pd.period_range("2024", periods=1)}), "period"),
        (pd.DataFrame({"o": [object()]}), "object"),
    ],
)
def test_what_cannot_be_kept_is_refused(local: FrameStore, frame: pd.DataFrame, word: str) -> None:
    """A frame that would not come back as it was is a DataError that names the culprit, and nothing is stored."""
    with pytest.raises(DataError, match=word):
        put(local, frame)
    assert not local.present_days(KEY)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(), max_size=5),
    st.binary(max_size=5),
    st.decimals(allow_nan=False),
    st.dates(),
    st.datetimes(),
    st.times(),
)
ONE_KIND = st.sampled_from(
    [st.text(max_size=5), st.binary(max_size=5), st.dates(), st.integers(), st.booleans()]
)


def objects(rows: int) -> st.SearchStrategy[pd.Series[Any]]:
    alike = ONE_KIND.flatmap(lambda kind: st.lists(st.none() | kind, min_size=rows, max_size=rows))
    mixed = st.lists(SCALARS, min_size=rows, max_size=rows)
    return (alike | mixed).map(lambda values: pd.Series(values, dtype=object))


def numbers(rows: int) -> st.SearchStrategy[pd.Series[Any]]:
    kinds = (
        npst.boolean_dtypes()
        | npst.integer_dtypes(endianness="<")
        | npst.floating_dtypes(endianness="<", sizes=(32, 64))
    )
    moments = npst.datetime64_dtypes(max_period="s", min_period="ns", endianness="<")
    deltas = npst.timedelta64_dtypes(max_period="s", min_period="ns", endianness="<")
    return npst.arrays(kinds | moments | deltas, rows).map(pd.Series)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 6))
    columns = draw(st.lists(objects(rows) | numbers(rows), max_size=4))
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(rows))
    frame.columns = pd.Index([draw(st.text(max_size=4)) for _ in columns], dtype=object)
    return frame


@settings(max_examples=100)
@given(frame=frames())
def test_any_frame_survives(frame: pd.DataFrame) -> None:
    """Whatever is written is read back with the same types and values, and rows and hash are in its info."""
    store = FrameStore(UPath("memory://any-frame"))
    assert_same(back(store, frame), frame)
    assert put(store, frame).rows == len(frame)
    assert put(store, frame).content_hash == put(store, frame.copy(deep=True)).content_hash


# ---------------------------------------------------------------- files


def test_layout(local: FrameStore) -> None:
    """A day and a span lie where the architecture page says, and nothing else does."""
    put(local, pd.DataFrame({"n": [1]}))
    local.write_span(KEY, WEEK, pd.DataFrame({"n": [1]}), seconds=0, fetched_at=AT)
    files = sorted(str(path.relative_to(local.root)) for path in local.root.rglob("*") if path.is_file())
    assert files == [
        "weekly/signups/0123456789abcdef/2024-11-18.parquet",
        "weekly/signups/0123456789abcdef/2024-11-24+7d.parquet",
    ]


def test_days_and_spans_do_not_mix(store: FrameStore) -> None:
    """A stored span is not a present day, and is found only under its own length."""
    store.write_span(KEY, WEEK, pd.DataFrame({"n": [1]}), seconds=0, fetched_at=AT)
    assert store.present_days(KEY) == frozenset()
    assert store.read_span(KEY, WEEK) is not None
    assert store.read_span(KEY, Window.ending("2024-11-24", 8, WEEK.zone)) is None


def test_same_frame_same_bytes(local: FrameStore) -> None:
    """Writing the same rows with the same info twice leaves the same bytes."""
    path = local.root / "weekly" / "signups" / KEY.fingerprint / "2024-11-18.parquet"
    put(local, pd.DataFrame(COLUMNS))
    first = path.read_bytes()
    put(local, pd.DataFrame(COLUMNS).copy())
    assert path.read_bytes() == first


def test_info_is_read_without_rows(store: FrameStore) -> None:
    """Rows, seconds, UTC time, hash and columns come from the footer alone."""
    written = put(store, pd.DataFrame({"day": ["2024-11-18"], "n": [1]}))
    head = store.heads(KEY, ["2024-11-18", "2024-11-19"])
    assert list(head) == ["2024-11-18"]
    assert head["2024-11-18"].info == written == FrameInfo(1, 0.5, AT, written.content_hash)
    assert head["2024-11-18"].columns == (("day", "object"), ("n", "int64"))
    assert written.fetched_at.utcoffset() == timedelta(0)


def test_fetch_time_does_not_change_the_hash(local: FrameStore) -> None:
    """The hash is of the rows; when they were fetched is told beside it."""
    frame = pd.DataFrame({"n": [1]})
    later = local.write_day(KEY, DAY, frame, seconds=9, fetched_at=AT + timedelta(days=1))
    assert later.content_hash == put(local, frame).content_hash


def test_unfinished_files_are_passed_over(store: FrameStore) -> None:
    """What a killed process left under a temporary name is not a day."""
    put(store, pd.DataFrame({"n": [1]}))
    place = store.root / "weekly" / "signups" / KEY.fingerprint
    (place / ".2024-11-19.parquet.abc.tmp").write_bytes(b"half")
    (place / "notes.txt").write_text("mine")
    assert store.present_days(KEY) == {DAY}


DAMAGES = [
    pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
    pytest.param(lambda content: b"", id="empty"),
    pytest.param(lambda content: b"not parquet at all, but long enough", id="foreign"),
    pytest.param(lambda content: content[:10] + bytes([content[10] ^ 255]) + content[11:], id="bit-rot"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_counts_as_missing(
    store: FrameStore, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Unreadable rows are put aside with a warning, the other days are read, and the day can be written again."""
    frame = pd.DataFrame({"n": range(100)})
    put(store, frame)
    put(store, frame, date(2024, 11, 19))
    path = store.root / "weekly" / "signups" / KEY.fingerprint / "2024-11-18.parquet"
    path.write_bytes(damage(path.read_bytes()))
    assert list(store.read_days(KEY, WEEK)[1]) == [date(2024, 11, 19)]
    assert "2024-11-18.parquet cannot be read" in caplog.text
    assert store.present_days(KEY) == {date(2024, 11, 19)}
    assert_same(back(store, frame), frame)


def test_no_flipped_byte_gives_other_rows(local: FrameStore) -> None:
    """Wherever in pages or notes a byte is damaged, the day is missing or its rows are the ones that were written."""
    frame = pd.DataFrame(
        {"n": range(50), "x": np.linspace(0, 1, 50), "plan": [f"p{i * 7919}" for i in range(50)]}
    )
    info = put(local, frame)
    path = next(local.root.rglob("*.parquet"))
    content = path.read_bytes()
    pages = range(len(content) - 8 - int.from_bytes(content[-8:-4], "little"))
    note = content.index(b'"columns"')
    missing = 0
    for at in [*pages[::3], *range(note, note + 300, 3)]:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        found, infos = local.read_days(KEY, WEEK)
        missing += not infos
        if infos:
            assert_same(found, frame)
            assert infos == {DAY: info}
    assert missing > 100


@pytest.mark.parametrize("name", ["Wöchentlich 100%20", "a b", "file#1!x=2", "\U0001f600"])
def test_ids_of_any_language_name_folders(store: FrameStore, name: str) -> None:
    """What is not a path is kept as it is, also where it looks like an escaped URL."""
    key = FrameKey(name, name, "f")
    assert store.heads(key, ["2024-11-18"]) == {}
    store.write_day(key, DAY, pd.DataFrame({"n": [1]}), seconds=0, fetched_at=AT)
    assert store.read_days(key, WEEK)[0]["n"].tolist() == [1]
    assert store.present_days(key) == {DAY}


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b", "", ".", "..", ".hidden", "a\0b", "C:\\x", "x" * 300, "x.tmp"]
)
def test_ids_cannot_leave_the_store(local: FrameStore, name: str) -> None:
    """An id that is more than one plain level of a path is refused."""
    with pytest.raises(InputError):
        local.present_days(FrameKey("weekly", name, "f"))


def test_a_store_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    """The message names the folder and the setting that moves it."""
    (tmp_path / "frames").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"frames.*KPI_ASSETS_HOME"):
        put(FrameStore(tmp_path / "frames"), pd.DataFrame({"n": [1]}))


def write_to_full_disk(content: bytes) -> None:
    with Path("/dev/full").open("wb", buffering=0) as disk:
        disk.write(content)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_what_was_there(local: FrameStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the old rows stay, no half file is left, and the reason is told."""
    put(local, pd.DataFrame({"n": [1]}))
    monkeypatch.setattr(Path, "write_bytes", lambda self, content: write_to_full_disk(content))
    with pytest.raises(InputError, match="No space left"):
        local.write_day(KEY, DAY, pd.DataFrame({"n": range(100_000)}), seconds=0, fetched_at=AT)
    monkeypatch.undo()
    assert local.read_days(KEY, WEEK)[0]["n"].tolist() == [1]
    assert [path.name for path in local.root.rglob("*") if path.is_file()] == ["2024-11-18.parquet"]


def test_readers_never_see_halves(local: FrameStore) -> None:
    """While one thread rewrites a day again and again, every read finds one of the whole versions."""
    versions = [pd.DataFrame({"n": [i] * (1000 + i)}) for i in range(20)]
    put(local, versions[0])
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [put(local, version) for version in versions])
        seen = [local.read_days(KEY, WEEK)[0]["n"] for _ in range(40)]
        writing.result()
    assert all(len(column) == 1000 + column[0] and column.nunique() == 1 for column in seen)


# ---------------------------------------------------------------- joining days


def joined(store: FrameStore, *columns: pd.Series[Any] | list[Any]) -> pd.Series[Any]:
    """The column `x` over days that each hold one of the columns."""
    for place, column in enumerate(columns):
        put(store, pd.DataFrame({"x": column}), DAY + timedelta(days=place))
    return store.read_days(KEY, WEEK)[0]["x"]


def gaps(rows: int = 1, dtype: str = "object") -> pd.Series[Any]:
    return pd.Series([None] * rows, dtype=dtype)


def test_an_empty_day_has_no_say_in_types(local: FrameStore) -> None:
    """A day without rows, whose types a driver made up, leaves the others' integers integers."""
    assert joined(local, gaps(0), pd.Series([1, 2]), gaps(0, "float64")).dtype == "int64"


def test_a_day_of_gaps_takes_the_others_type(local: FrameStore) -> None:
    """Gaps become NaT among timestamps, None among texts and NaN among numbers."""
    moments = pd.Series(pd.to_datetime(["2024-11-18T00:00Z"])).dt.tz_convert(BERLIN)
    assert repr(joined(local, gaps(), moments).dtype) == repr(moments.dtype)
    assert joined(local, gaps(1, "float64"), pd.Series(["a"])).tolist() == [None, "a"]
    assert joined(local, gaps(), pd.Series([7])).dtype == "float64"
    assert joined(local, gaps(), pd.Series([1.5])).dtype == "float64"


def test_whole_numbers_that_floats_would_round_stay_whole(local: FrameStore) -> None:
    """Beyond 2**53 a gap makes the column Int64 rather than change a number."""
    column = joined(local, pd.Series([2**53 + 1]), gaps())
    assert str(column.dtype) == "Int64"
    assert column[0] == 2**53 + 1


def test_big_unsigned_beside_signed_keep_their_values(local: FrameStore) -> None:
    """Mixing uint64 and int64 over days does not round."""
    column = joined(local, pd.Series([2**63 + 1], dtype="uint64"), pd.Series([-1]))
    assert [int(value) for value in column] == [2**63 + 1, -1]


def test_booleans_with_gaps_are_objects(local: FrameStore) -> None:
    """True stays True, not 1.0."""
    assert joined(local, pd.Series([True]), gaps()).tolist() == [True, None]


def test_whole_and_broken_numbers_are_floats(local: FrameStore) -> None:
    """Integers of one day and floats of another are floats."""
    assert joined(local, pd.Series([1]), pd.Series([1.5])).tolist() == [1.0, 1.5]


def test_units_and_zones_of_timestamps_are_brought_together(local: FrameStore) -> None:
    """Days in other units or zones give one zone-aware column, each instant kept."""
    utc = pd.Series(pd.to_datetime(["2024-11-18T12:00Z"])).dt.as_unit("s")
    berlin = pd.Series(pd.to_datetime(["2024-11-19T12:00Z"])).dt.tz_convert(BERLIN)
    column = joined(local, utc, berlin)
    assert column.dt.tz == BERLIN
    assert column.tolist() == [*utc.tolist(), *berlin.tolist()]


def test_decimals_beside_nothing_are_decimals(local: FrameStore) -> None:
    """A day without an amount does not turn the others' Decimals into floats."""
    assert joined(local, pd.Series([Decimal("1.10")]), gaps(0)).tolist() == [Decimal("1.10")]


def test_days_without_any_value_still_have_a_type(local: FrameStore) -> None:
    """Of days that hold only gaps, the one that knows a type gives it."""
    assert str(joined(local, gaps(0), gaps(1, "datetime64[us]")).dtype) == "datetime64[us]"
    assert str(joined(local, gaps(0), gaps(0, "int64"), gaps(1)).dtype) == "float64"


def test_a_column_that_came_later_has_gaps_before(local: FrameStore) -> None:
    """Days from before a column existed hold gaps in it; the order of columns is that of first sight."""
    put(local, pd.DataFrame({"a": [1]}))
    put(local, pd.DataFrame({"b": [2], "a": [3]}), date(2024, 11, 19))
    frame = local.read_days(KEY, WEEK)[0]
    assert_same(frame, pd.DataFrame({"a": [1, 3], "b": [np.nan, 2]}))


def test_only_the_wanted_days_are_read_in_order(store: FrameStore) -> None:
    """The window's days come in order of days whatever order they were written in; others do not come."""
    for day in (date(2024, 11, 26), date(2024, 11, 20), date(2024, 11, 18), date(2024, 11, 17)):
        put(store, pd.DataFrame({"day": [day.isoformat()]}), day)
    frame, infos = store.read_days(KEY, WEEK)
    assert frame["day"].tolist() == ["2024-11-18", "2024-11-20"]
    assert isinstance(frame.index, pd.RangeIndex)
    assert list(infos) == [date(2024, 11, 18), date(2024, 11, 20)]


def test_nothing_stored_is_an_empty_frame(store: FrameStore) -> None:
    """A key that was never written has no days and no rows."""
    frame, infos = store.read_days(KEY, WEEK)
    assert frame.shape == (0, 0)
    assert infos == {}


@settings(max_examples=50)
@given(frame=frames(), cuts=st.lists(st.integers(0, 6), min_size=2, max_size=2))
def test_parts_joined_are_the_whole(frame: pd.DataFrame, cuts: list[int]) -> None:
    """A frame cut into days and read over those days has the same values, types included where each part kept them."""
    store = FrameStore(UPath("memory://parts"))
    low, high = sorted(cuts)
    for place, part in enumerate((frame.iloc[:low], frame.iloc[low:high], frame.iloc[high:])):
        put(store, part, DAY + timedelta(days=place))
    assert_same(
        store.read_days(KEY, Window(DAY, DAY + timedelta(days=3), "UTC"))[0], frame.reset_index(drop=True)
    )
