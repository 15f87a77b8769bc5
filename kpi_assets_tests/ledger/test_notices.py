"""What owners were told, in the ledger: once, by whoever is first, and again where it did not work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kpi_assets.ledger.notices import LEASE, Notice, Notices
from kpi_assets.ledger.store import open_ledger

NOW = datetime(2024, 11, 25, 6, tzinfo=UTC)
FAILED = Notice("weekly", "run 1", "failed", date(2024, 11, 24), "ops@example.com", "board", "1")


@pytest.fixture
def notices(tmp_path: Path) -> Notices:
    hide: Callable[[str], str] = lambda text: text.replace("hunter2", "***")  # noqa: E731
    ledger = open_ledger(tmp_path, {}, hide=hide)
    return Notices(ledger.database, ledger.hide)


def test_one_of_many_may_tell(notices: Notices) -> None:
    """Eight threads that notice the same failure at the same moment: one of them tells."""
    with ThreadPoolExecutor(8) as pool:
        mine = list(pool.map(lambda _: notices.claim(FAILED, now=NOW), range(8)))
    assert mine.count(True) == 1


def test_told_is_told(notices: Notices) -> None:
    """After telling, and where nobody knows whether it arrived, nobody tells again; after a refusal somebody does."""
    for number, (state, again) in enumerate([("told", False), ("unknown", False), ("failed", True)]):
        notice = replace(FAILED, incident=f"run {number}")
        assert notices.claim(notice, now=NOW)
        notices.settle(notice, state, now=NOW)  # pyright: ignore[reportArgumentType]
        assert notices.claim(notice, now=NOW + timedelta(days=1)) is again


def test_a_dead_process_leaves_the_owner_to_the_next(notices: Notices) -> None:
    """Who claimed and died is waited for as long as the lease: rather told twice than never."""
    assert notices.claim(FAILED, now=NOW)
    assert not notices.claim(FAILED, now=NOW + LEASE / 2)
    assert notices.claim(FAILED, now=NOW + LEASE)


def test_trouble_lasts_until_recovery_is_told(notices: Notices) -> None:
    """The newest trouble that was heard of is open, until a recovery was told; other reports do not matter."""
    assert notices.trouble("weekly") is None
    for minute, kind in enumerate(("failed", "recovered", "incomplete")):
        notice = replace(FAILED, kind=kind, incident=f"run {minute // 2}")
        assert notices.claim(notice, now=NOW)
        notices.settle(notice, "told", now=NOW + timedelta(minutes=minute))
        open_ = notices.trouble("weekly")
        assert (open_ and open_.notice.kind) == (None if kind == "recovered" else kind)
    assert notices.trouble("daily") is None
    assert [told.notice.kind for told in notices.entries("weekly")] == ["incomplete", "recovered", "failed"]


def test_no_secret_is_kept(notices: Notices) -> None:
    """A secret in the reason why telling failed is not written down."""
    assert notices.claim(FAILED, now=NOW)
    notices.settle(FAILED, "failed", "login with hunter2 refused", now=NOW)
    assert [told.reason for told in notices.entries()] == ["login with *** refused"]
