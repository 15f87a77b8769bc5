"""The demo company: the same rows everywhere, and the story that its report tells."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from kpi_assets.demo import facts, prepare, seed
from kpi_assets.demo.company import Company, days
from kpi_assets.demo.dice import Dice, Share

ROWS = "8d44932f6541d2c5850d21b23573b100626509c8703d54a25fc67bac08f8229f"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    seed(path)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def one(database: sqlite3.Connection, query: str, *values: object) -> float:
    return database.execute(query, values).fetchone()[0]


def test_rows_are_the_same_everywhere() -> None:
    """Every machine and every Python makes exactly the rows that were made when this was written."""
    company = Company()
    company.live()
    assert hashlib.sha256(json.dumps(company.rows).encode()).hexdigest() == ROWS


def test_two_whole_years() -> None:
    """The demo covers 104 whole weeks, from a Monday to Sunday, November 24, 2024."""
    first, *_, last = days()
    assert (first.weekday(), last, len(list(days()))) == (0, date(2024, 11, 24), 104 * 7)


def test_no_moment_that_the_clock_skips(database: sqlite3.Connection) -> None:
    """No moment lies in an hour that does not exist, or exists twice, in Europe/Berlin."""
    moments = "select created_at as at from accounts union all select started_at from subscriptions"
    query = f"select count(*) from ({moments}) where date(at) = ? and substr(at, 12, 2) = '02'"
    assert [one(database, query, day.isoformat()) for day in facts.CLOCK_CHANGES] == [0, 0, 0, 0]


def test_references_hold(database: sqlite3.Connection) -> None:
    """Every row that refers to another finds it."""
    assert database.execute("pragma foreign_key_check").fetchall() == []


def test_nothing_lies_after_the_last_day(database: sqlite3.Connection) -> None:
    """No table holds a moment after the last whole day."""
    for table, column in (("accounts", "created_at"), ("refunds", "refunded_at"), ("visits", "counted_at")):
        assert str(one(database, f"select max(date({column})) from {table}")) <= facts.LAST_DAY.isoformat()
    assert one(database, "select count(*) from subscriptions where ended_at > '2024-11-25'") == 0


def test_outage_shows(database: sqlite3.Connection) -> None:
    """On the day of the outage nobody signs up in the nine hours, and the day is far below the one before."""
    at_day = "select count(*) from accounts where date(created_at) = ?"
    down = at_day + " and cast(substr(created_at, 12, 2) as integer) between 8 and 16"
    assert one(database, down, "2024-10-29") == 0
    assert one(database, at_day, "2024-10-29") * 3 < one(database, at_day, "2024-10-28") * 2


def test_last_week_is_the_best(database: sqlite3.Connection) -> None:
    """The last week has more sign-ups than any week before it."""
    weeks = database.execute(
        "select date(created_at, 'weekday 0', '-6 days') as week, count(*) as n from accounts group by week order by n"
    ).fetchall()
    assert weeks[-1][0] == "2024-11-18"


def test_seed_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Seeding over an old file replaces it, and no unfinished file stays beside it."""
    target = tmp_path / "data" / "demo.db"
    target.parent.mkdir()
    target.write_text("old")
    seed(target)
    with closing(sqlite3.connect(target)) as connection:
        assert one(connection, "select count(*) from plans") == 4
    assert [path.name for path in target.parent.iterdir()] == ["demo.db"]


def test_prepare_seeds_once(tmp_path: Path) -> None:
    """A demo database of this version is used as it is, not made again."""
    there = Path(prepare(tmp_path)["KPI_ASSETS_DEMO_DB"])
    before = there.stat().st_mtime_ns
    prepare(tmp_path)
    assert there.stat().st_mtime_ns == before


@pytest.mark.parametrize("left", [b"no database", b""], ids=["broken", "empty"])
def test_prepare_replaces_what_is_not_this_version(tmp_path: Path, left: bytes) -> None:
    """A file that is no demo database of this version is replaced by one."""
    there = tmp_path / "demo" / "demo.db"
    there.parent.mkdir()
    there.write_bytes(left)
    prepare(tmp_path)
    with closing(sqlite3.connect(there)) as connection:
        assert one(connection, "select count(*) from plans") == 4


def test_dice_follow_the_published_sequence() -> None:
    """The dice are SplitMix64: seed 0 gives the sequence's known first number."""
    assert Dice(0).share() == (0xE220A8397B1DCDAF >> 11) / (1 << 53)


def test_share_is_exact_over_time() -> None:
    """A chance of 0.3 taken a hundred times falls due thirty times."""
    share = Share()
    assert sum(share.take(0.3) for _ in range(100)) == 30
