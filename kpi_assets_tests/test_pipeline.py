"""The stages in order, on a real database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.contracts import Prose, Stat, Table
from kpi_assets.errors import DataError, SourceFailedError
from kpi_assets.plan import build_plan
from kpi_assets.session import Session, open_session
from kpi_assets_tests.shop import orders_on, write_report

AT = datetime(2024, 11, 25, 5, tzinfo=UTC)


def session_on(file: Path, home: Path) -> Session:
    return Session(build_plan(load_report([file]), {}), home, {}, clock=lambda: AT)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = session_on(write_report(tmp_path), tmp_path / "home")
    yield session
    session.close()


def make(session: Session, *keys: str) -> None:
    """All stages for the editions; every event must be without error."""
    windows = [session.plan.window(key) for key in keys]
    events = [*pipeline.fetch_queries(session, windows), *pipeline.render_views(session, windows)]
    assert [event.error for event in events] == [None] * len(events)
    assert len(list(pipeline.compose_documents(session, windows))) == len(windows)


def orders_in(first: date, days: int) -> int:
    return sum(orders_on(first + timedelta(days=n)) for n in range(days))


def test_one_run_on_an_empty_store_makes_an_edition(session: Session) -> None:
    """From nothing to a delivered page, with the numbers that the database holds."""
    make(session, "2024-11-24")
    delivered = list(pipeline.deliver_outputs(session, [session.plan.window("2024-11-24")]))
    assert [item.error for item in delivered] == [None]
    receipt = delivered[0].receipt
    assert receipt is not None
    page = Path(receipt.location).read_text(encoding="utf-8")
    assert f">{orders_in(date(2024, 11, 18), 7)}<" in page


def test_numbers_compare_with_the_window_before(session: Session) -> None:
    """The stat's change is against the seven days before the window."""
    make(session, "2024-11-24")
    block = session.editions.load_block("orders", "2024-11-24", "total")
    stat = next(element for element in block.elements if isinstance(element, Stat))
    assert stat.value == str(orders_in(date(2024, 11, 18), 7))
    assert stat.before == f"{orders_in(date(2024, 11, 11), 7)} the week before"


def test_an_edition_made_again_from_stored_frames_is_the_same_bytes(session: Session) -> None:
    """Rendering from the store gives the same bytes, also in another process's session."""
    make(session, "2024-11-24")
    first = session.editions.load_document("orders", "2024-11-24")
    windows = [session.plan.window("2024-11-24")]
    list(pipeline.render_views(session, windows))
    again = next(iter(pipeline.compose_documents(session, windows)))
    assert again.content_hash == first.content_hash


def test_a_backfill_asks_once_for_all_days(session: Session) -> None:
    """Thirty editions of a query by days are one question to the backend."""
    windows = [session.plan.window(date(2024, 10, 20) + timedelta(days=n)) for n in range(30)]
    fetched = {f.query.id: f for f in pipeline.fetch_queries(session, windows, ["orders_daily"])}
    frames = fetched["orders_daily"].frames
    assert len(frames) == 30
    assert {frame.fetched for frame in frames.values()} == {1}


def test_a_failed_query_is_a_failed_view_and_never_an_old_number(tmp_path: Path) -> None:
    """After a good edition the table goes away: the view says so and does not show what was stored."""
    file = write_report(tmp_path, policy="placeholder")
    session = session_on(file, tmp_path / "home")
    make(session, "2024-11-24")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("alter table orders rename to gone")
    windows = [session.plan.window("2024-11-24")]
    fetched = list(pipeline.fetch_queries(session, windows))
    assert all(item.error for item in fetched)
    rendered = list(pipeline.render_views(session, windows))
    assert all(isinstance(item.error, SourceFailedError) for item in rendered)
    assert {item.block.status for item in rendered} == {"placeholder"}
    session.close()


def test_a_placeholder_tells_the_last_good_value_and_no_secret(tmp_path: Path) -> None:
    """The block of a failed view names the value of the window before, not the query, table or file."""
    file = write_report(tmp_path, policy="placeholder")
    plan = build_plan(load_report([file]), {})
    with open_session(plan, tmp_path / "home", {}, lambda: AT) as session:
        make(session, "2024-11-17")
    (tmp_path / "shop.db").unlink()
    with open_session(plan, tmp_path / "home", {}, lambda: AT) as session:
        windows = [session.plan.window("2024-11-24")]
        list(pipeline.fetch_queries(session, windows))
        blocks = {item.view.id: item.block for item in pipeline.render_views(session, windows)}
    text = next(element.markdown for element in blocks["total"].elements if isinstance(element, Prose))
    assert f"**{orders_in(date(2024, 11, 11), 7)}**" in text
    assert not any(word in text for word in ("shop.db", "select", str(tmp_path), "sqlite"))


def test_one_broken_view_leaves_the_others(tmp_path: Path) -> None:
    """A query on a table that is not there fails its own view only."""
    session = session_on(write_report(tmp_path, policy="placeholder", table="nowhere"), tmp_path / "home")
    windows = [session.plan.window("2024-11-24")]
    errors = {f.query.id: f.error is not None for f in pipeline.fetch_queries(session, windows)}
    assert errors == {"orders_daily": False, "countries": True}
    statuses = {item.view.id: item.block.status for item in pipeline.render_views(session, windows)}
    assert statuses == {"total": "ok", "days": "ok", "countries": "placeholder"}
    session.close()


def test_a_view_without_its_rows_says_what_to_run(session: Session) -> None:
    """A view alone, before its query ever ran, fails with the name of the query."""
    rendered = list(pipeline.render_views(session, [session.plan.window("2024-11-24")], ["days"]))
    assert isinstance(rendered[0].error, DataError)
    assert "orders_daily" in str(rendered[0].error)


def test_a_table_has_a_row_a_day(session: Session) -> None:
    """The day-by-day frame arrives whole and in order at the view."""
    make(session, "2024-11-24")
    block = session.editions.load_block("orders", "2024-11-24", "days")
    table = next(element for element in block.elements if isinstance(element, Table))
    numbers = [int(row[1].text) for row in table.rows]
    assert numbers == [orders_on(date(2024, 11, 18) + timedelta(days=n)) for n in range(7)]


@pytest.mark.parametrize(
    ("key", "words"), [("2024-11-25", "is not over"), ("2024-09-30", "before partitions.start")]
)
def test_a_window_that_cannot_be_made_is_refused(session: Session, key: str, words: str) -> None:
    """An edition of the future, or before the first partition, is refused with the reason."""
    reason = session.plan.refusal(session.plan.window(key), date(2024, 11, 25))
    assert reason is not None
    assert words in reason


def test_a_day_that_the_source_lost_is_told_on_the_page(session: Session, tmp_path: Path) -> None:
    """Deleted rows are still shown by days, and the page says so; the window's own query counts anew."""
    make(session, "2024-11-24")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("delete from orders where placed_at >= '2024-11-20' and placed_at < '2024-11-21'")
    make(session, "2024-11-24")
    document = session.editions.load_document("orders", "2024-11-24")
    assert {note.id: note.remark for note in document.queries} == {
        "orders_daily": "a day came back empty, earlier rows are shown",
        "countries": "",
    }
    assert "a day came back empty, earlier rows are shown" in document.file("index.html").content.decode()
