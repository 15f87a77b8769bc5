"""A report file, from its YAML to the mailbox: every stage real, the server on loopback."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpi_assets import pipeline
from kpi_assets.config import load_report
from kpi_assets.delivery import Delivered, deliver_outputs
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.session import Session, open_session
from kpi_assets.wording import page_url
from kpi_assets_tests.outputs.mail_peer import PASSWORD, USER, MailPeer, mail_server
from kpi_assets_tests.shop import make_shop, write_report

CHART = """
  chart:
    plugin: plot
    title: Orders
    args: {query: {ref: orders_daily}, time_column: day}
"""
OUTPUTS = """
outputs:
  board:
    plugin: smtp
    args:
      email_from: Shop <shop@example.com>
      email_to: {{env: BOARD}}
      smtp_host: 127.0.0.1
      smtp_port: {port}
      username: {user}
      password: {{env: MAIL_PASSWORD}}
      ca_file: {ca_file}
"""
ENVIRON = {"BOARD": "ann@example.com, Bob <bob@example.com>", "MAIL_PASSWORD": PASSWORD}


def planned(folder: Path, peer: MailPeer, more: str = "") -> ReportPlan:
    make_shop(folder / "shop.db")
    file = write_report(folder)
    text = file.read_text(encoding="utf-8")
    outputs = CHART + OUTPUTS.format(port=peer.port, user=USER, ca_file=peer.ca_file)
    file.write_text(text[: text.index("\noutputs:")] + outputs + more, encoding="utf-8")
    return build_plan(load_report([file]), ENVIRON)


def made(session: Session) -> list[Delivered]:
    windows = [session.plan.window("2024-11-24")]
    assert all(fetched.error is None for fetched in pipeline.fetch_queries(session, windows))
    assert all(rendered.error is None for rendered in pipeline.render_views(session, windows))
    list(pipeline.compose_documents(session, windows))
    return list(deliver_outputs(session, windows))


def test_the_report_arrives_once(tmp_path: Path) -> None:
    """Two runs of one edition are one mail, to everybody of the audience, whose charts are all in it."""
    with mail_server(tmp_path, login=True) as peer:
        plan = planned(tmp_path, peer)
        with open_session(
            plan, tmp_path / "home", ENVIRON, lambda: datetime(2024, 11, 25, 6, tzinfo=UTC)
        ) as session:
            first, second = made(session), made(session)
    assert [delivered.error for delivered in (*first, *second)] == [None, None]
    assert (first[0].skipped, bool(second[0].skipped)) == ("", True)
    assert [post.recipients for post in peer.posts] == [["ann@example.com", "bob@example.com"]]
    html = peer.posts[0].message.get_body(("html",))
    assert html is not None
    shown = set(re.findall(r'src="cid:([^"]+)"', html.get_content()))
    ids = [part["Content-ID"].strip("<>") for part in peer.posts[0].message.walk() if part["Content-ID"]]
    assert shown
    assert shown == set(ids)


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """After a run neither password nor login stand in any file of the home or the report's folder."""
    with mail_server(tmp_path, login=True) as peer:
        plan = planned(tmp_path, peer)
        with open_session(
            plan, tmp_path / "home", ENVIRON, lambda: datetime(2024, 11, 25, 6, tzinfo=UTC)
        ) as session:
            made(session)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("", ""),
        ("public_url: https://r.example/e/", "https://r.example/e/orders/2024-11-24/document/index.html"),
        ("public_url: 'https://r.example/{id}/'", "https://r.example/2024-11-18_2024-11-25_orders/"),
        ("public_url: 'https://r.example/{report}?d={end}'", "https://r.example/orders?d=2024-11-24"),
    ],
)
def test_the_page_has_an_address(tmp_path: Path, line: str, address: str) -> None:
    """`public_url` alone is where stored editions are served; with variables it is the address itself."""
    plan = planned(tmp_path, MailPeer(port=25), f"\n{line}\n")
    found = page_url(plan, plan.window("2024-11-24"))
    assert re.sub(r"_orders[^/]*/", "_orders/", found) == address


def test_pictures_are_drawn_only_for_those_who_want_them(tmp_path: Path) -> None:
    """A report with a mail has bitmaps of its charts; without mail, chat and Markdown no bitmap is drawn."""
    plan = planned(tmp_path, MailPeer(port=25))
    window = plan.window("2024-11-24")
    wanted = [pipeline.render_context(plan, view, window).pictures for view in plan.views]
    assert set(wanted) == {frozenset({"svg", "png"})}
    pages = build_plan(load_report([write_report(tmp_path, name="pages")]), os.environ)
    assert {pipeline.render_context(pages, view, window).pictures for view in pages.views} == {
        frozenset({"svg"})
    }
