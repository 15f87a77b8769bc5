"""What was read lately is given from memory, and never in place of what the file holds now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from kpi_assets.frames import recent
from kpi_assets.frames.parquet import read_whole
from kpi_assets.frames.recent import Recent, Whole
from kpi_assets.frames.store import FrameKey, FrameStore

AT = datetime(2024, 11, 25, 6, tzinfo=UTC)
KEY = FrameKey("shop", "orders", "f1")
DAYS = [date(2024, 11, 1) + timedelta(days=n) for n in range(20)]


def stored(folder: Path, rows: int = 1) -> list[Path]:
    """Files of one frame a day."""
    store = FrameStore(folder)
    for day in DAYS:
        store.write_day(KEY, day, pd.DataFrame({"n": range(rows)}), seconds=0, fetched_at=AT)
    return sorted(folder.rglob("*.parquet"))


class Reader:
    """Reads files, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, path: Path) -> Whole:
        self.asked += 1
        return read_whole(path)


def test_a_file_that_stays_as_it_is_is_read_once(tmp_path: Path) -> None:
    """The second answer is the first, and the file is not opened for it."""
    path, read, memory = stored(tmp_path)[0], Reader(), Recent()
    assert memory.read(path, read) is memory.read(path, read)
    assert read.asked == 1


def test_what_another_process_writes_is_seen(tmp_path: Path) -> None:
    """A day that another store replaces is read again, also where its size stays; a lost one is missing."""
    ours, theirs = FrameStore(tmp_path), FrameStore(tmp_path)
    for number in (1, 2, 3):
        theirs.write_day(KEY, DAYS[0], pd.DataFrame({"n": [number]}), seconds=0, fetched_at=AT)
        frame, _ = ours.read(KEY, ["2024-11-01"])
        assert list(frame["n"]) == [number]
    for path in tmp_path.rglob("*.parquet"):
        path.unlink()
    assert ours.read(KEY, ["2024-11-01"])[1] == {}


def test_what_we_write_is_seen(tmp_path: Path) -> None:
    """Writing and reading in turns gives what was written last, however fast the clock of the files is."""
    store = FrameStore(tmp_path)
    for number in range(200):
        store.write_day(KEY, DAYS[0], pd.DataFrame({"n": [number]}), seconds=0, fetched_at=AT)
        assert list(store.read(KEY, ["2024-11-01"])[0]["n"]) == [number]


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path) -> None:
    """The least recently wanted go first."""
    paths, read = stored(tmp_path), Reader()
    memory = Recent(room=4 * recent.OVERHEAD - 1)  # three small frames
    for path in (*paths[:3], paths[0], paths[3], paths[0]):
        memory.read(path, read)
    assert read.asked == 4
    memory.read(paths[1], read)
    assert read.asked == 5


def test_large_frames_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would push out many others is read each time."""
    monkeypatch.setattr(recent, "LARGEST", recent.OVERHEAD + 100)
    path, read, memory = stored(tmp_path, rows=50)[0], Reader(), Recent()
    memory.read(path, read)
    memory.read(path, read)
    assert read.asked == 2
