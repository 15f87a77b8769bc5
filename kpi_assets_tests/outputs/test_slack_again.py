"""Slack again: tables as pictures, charts from where they were published, messages in place of older ones."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets import pipeline, registry
from kpi_assets.config import load_report
from kpi_assets.contracts import Block, Document, Format, Stat, Stats
from kpi_assets.delivery import Delivered, deliver_outputs
from kpi_assets.errors import ConfigError
from kpi_assets.outputs.slack import SlackArgs
from kpi_assets.plan import ReportPlan, build_plan
from kpi_assets.reports.compose import compose
from kpi_assets.session import Session, open_session
from kpi_assets.style.numbers import NumberStyle
from kpi_assets.style.theme import Theme
from kpi_assets_tests.outputs.http_peers import TOKEN, SlackPeer, later, refused, served
from kpi_assets_tests.outputs.test_slack import output
from kpi_assets_tests.reports.samples import block, every_kind, meta, rank_table
from kpi_assets_tests.shop import write_report


@pytest.fixture
def peer() -> Iterator[SlackPeer]:
    workspace = SlackPeer()
    with served(workspace.answer) as url:
        workspace.url = url
        yield workspace


def edition(*blocks: Block, format: Format = "slack") -> Document:
    return compose(meta(), blocks or every_kind(), {format}, Theme(), NumberStyle())


def drawn(*blocks: Block) -> Document:
    """An edition with its tables as pictures."""
    return edition(*blocks, format="slack_tables")


def images(peer: SlackPeer) -> list[dict[str, Any]]:
    return [found for post in peer.posts for found in post["blocks"] if found["type"] == "image"]


def said(peer: SlackPeer) -> str:
    return json.dumps([post["blocks"] for post in peer.posts], ensure_ascii=False)


# ---------------------------------------------------------------- tables as pictures


def test_tables_as_pictures(peer: SlackPeer) -> None:
    """`tables: image` uploads a picture of each table, its rows in the alternative text, and posts no table as text."""
    output(peer, tables="image").deliver(drawn(block("t", rank_table(3), title="Countries")))
    (image,) = images(peer)
    content = peer.files[image["slack_file"]["id"]]
    assert content is not None
    assert content.startswith(b"\x89PNG")
    assert "Land | 0 100 5.1" in image["alt_text"].replace("\u00a0", " ")
    assert "```" not in said(peer)


def test_tables_as_both(peer: SlackPeer) -> None:
    """`tables: both` posts the picture and then the same rows as text."""
    output(peer, tables="both").deliver(drawn(block("t", rank_table(3), title="Countries")))
    kinds = [found["type"] for post in peer.posts for found in post["blocks"] if "Land" in json.dumps(found)]
    assert kinds == ["image", "section"]


def test_a_long_table_is_several_pictures(peer: SlackPeer) -> None:
    """A table of 90 rows is three pictures, each numbered; together their words name every row."""
    output(peer, tables="both").deliver(drawn(block("t", rank_table(90), title="Countries")))
    assert [image["title"]["text"] for image in images(peer)] == [f"Part {n} of 3" for n in (1, 2, 3)]
    assert all(f"Land | {n} " in said(peer) for n in range(90))


def test_a_table_without_its_picture_is_text(peer: SlackPeer) -> None:
    """Where pictures cannot be uploaded, or Slack does not show them, the rows come as text: nothing is lost."""
    document = drawn(block("t", rank_table(3), title="Countries"))
    peer.next["files.getUploadURLExternal"] = [refused("missing_scope")]
    output(peer, tables="image").deliver(document)
    peer.looks = 99
    output(peer, tables="image").deliver(document)
    assert images(peer) == []
    assert said(peer).count("Land | 2 ") == 2


def test_many_figures_and_long_notes_are_not_cut(peer: SlackPeer) -> None:
    """More figures than a section holds, a figure with a long note, and a note beyond a text's limit arrive whole."""
    stats = tuple(
        Stat(label=f"Figure {n}", value=str(n), note=("word " * 500 if n == 3 else "")) for n in range(23)
    )
    long = block("t", rank_table(3), title="T", note=" ".join(f"n{i}" for i in range(1500)))
    mixed = Block(view="s", plugin="text", title="Mixed", elements=(Stats(stats=stats), rank_table(1)))
    output(peer).deliver(edition(long, mixed))
    text = said(peer)
    assert all(f"*Figure {n}*" in text for n in range(23))
    assert text.count("word ") >= 499
    assert "n0 n1 " in text
    assert "n1499" in text


# ---------------------------------------------------------------- charts from where they were published


def test_charts_from_a_publisher(peer: SlackPeer) -> None:
    """With `images_from` nothing is uploaded: Slack loads the charts from where the publisher's receipt says."""
    document = replace(edition(), published={"site": "https://kpi.example.com/w"})
    output(peer, images_from="site").deliver(document)
    paths = {file.path for file in document.files}
    addresses = {image["image_url"] for image in images(peer)}
    assert addresses
    assert {url.removeprefix("https://kpi.example.com/w/") for url in addresses} <= paths
    assert "files.getUploadURLExternal" not in peer.calls


def test_without_a_publishers_address_charts_are_uploaded(peer: SlackPeer) -> None:
    """Where the publisher failed or has no address the charts are uploaded, and the receipt says why."""
    receipt = output(peer, images_from="site").deliver(edition())
    assert all("slack_file" in image for image in images(peer))
    assert "charts were uploaded, since output 'site' did not publish them under an address" in receipt.detail


def test_two_places_for_charts_are_refused() -> None:
    """`images_from` and `image_remote_base_url` together are a mistake that is told."""
    with pytest.raises(ValidationError, match="keep one"):
        SlackArgs.model_validate({"channels": "x", "images_from": "a", "image_remote_base_url": "https://x"})


# ---------------------------------------------------------------- in place of the message before


def test_an_edition_is_updated_in_place(peer: SlackPeer) -> None:
    """`again: update` changes the message and its replies where they stand; nothing new is posted, the ids stay."""
    made = output(peer, again="update")
    first = made.deliver(edition(*every_kind()))
    count = len(peer.posts)
    second = made.deliver_again(edition(*every_kind(), block("new", title="Brand new")), first)
    assert second.messages[: len(first.messages)] == first.messages
    assert len(peer.posts) == count
    assert "Brand new" in said(peer)
    assert second.location == first.location


def test_replies_grow_and_shrink(peer: SlackPeer) -> None:
    """A longer thread gets new replies under the same message; a shorter one loses those that are too many."""
    made = output(peer, again="update")
    long = [block(f"t{i}", rank_table(60), title=f"Table {i}") for i in range(16)]
    short = made.deliver(edition(*long[:1]))
    grown = made.deliver_again(edition(*long), short)
    assert len(grown.messages) == len(peer.posts) > len(short.messages)
    assert {post.get("thread_ts") for post in peer.posts[1:]} == {peer.posts[0]["ts"]}
    shrunk = made.deliver_again(edition(*long[:1]), grown)
    assert shrunk.messages == short.messages
    assert len(peer.posts) == len(short.messages)
    assert "Table 15" not in said(peer)


def test_a_message_that_is_gone_is_posted_anew(peer: SlackPeer) -> None:
    """Where somebody deleted the earlier message a new one stands, and the receipt says so."""
    made = output(peer, again="update")
    first = made.deliver(edition())
    peer.posts.clear()
    second = made.deliver_again(edition(), first)
    assert second.messages != first.messages
    assert "the earlier message could not be changed (message_not_found), a new one stands" in second.detail


def test_an_update_without_an_answer_is_no_doubt(peer: SlackPeer) -> None:
    """Repeating an update does no harm, so an unclear answer fails the delivery without leaving it unknown."""
    made = output(peer, again="update")
    first = made.deliver(edition())
    peer.next["chat.update"] = [later(1), refused("internal_error")]
    with pytest.raises(Exception, match="did not answer the change") as caught:
        made.deliver_again(edition(), first)
    assert not getattr(caught.value, "ambiguous", True)
    assert peer.calls.count("chat.update") == 2


def test_by_default_a_new_message_is_posted(peer: SlackPeer) -> None:
    """Without `again: update` a second delivery is a second message, for which people are notified."""
    made = output(peer)
    first = made.deliver(edition())
    second = made.deliver_again(edition(), first)
    assert not set(first.messages) & set(second.messages)
    assert "chat.update" not in peer.calls


# ---------------------------------------------------------------- a whole report

REPORT = """
public_url: https://kpi.example.com/{{id}}/
outputs:
  site: {{plugin: static, args: {{output_dir: {folder}}}}}
  team:
    plugin: slack
    redeliver: on_change
    args: {{channels: kpis, api_token: {{env: SLACK}}, base_url: {url}/api/, images_from: {source}, again: update}}
"""


def planned(folder: Path, url: str, source: str = "site") -> ReportPlan:
    file = write_report(folder)
    text = file.read_text(encoding="utf-8")
    chart = "  chart: {plugin: plot, title: Orders, args: {query: {ref: orders_daily}, time_column: day}}\n"
    more = REPORT.format(folder=folder / "site", url=url, source=source)
    file.write_text(text[: text.index("\noutputs:")] + "\n" + chart + more, encoding="utf-8")
    return build_plan(load_report([file]), {"SLACK": TOKEN})


def told(session: Session) -> dict[str, Delivered]:
    """Fetch, draw and deliver the newest edition."""
    windows = [session.plan.window("2024-11-24")]
    for stage in (pipeline.fetch_queries, pipeline.render_views, pipeline.compose_documents):
        list(stage(session, windows))
    return {delivered.output: delivered for delivered in deliver_outputs(session, windows)}


def test_a_report_changes_its_message(peer: SlackPeer, tmp_path: Path) -> None:
    """The chart's address is a file that `static` wrote; late rows change the message, and it is still one thread."""
    with open_session(planned(tmp_path, peer.url), tmp_path / "home", {"SLACK": TOKEN}) as session:
        first = told(session)["team"]
        before = said(peer)
        with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
            shop.execute("insert into orders values ('2024-11-20 23:00:00', 'Norway', 10.0)")
        second = told(session)["team"]
    assert first.error is second.error is None
    (address,) = {image["image_url"] for image in images(peer)}
    assert (tmp_path / "site" / address.removeprefix("https://kpi.example.com/")).read_bytes()[
        :4
    ] == b"\x89PNG"
    assert first.receipt is not None
    assert second.receipt is not None
    assert second.receipt.messages == first.receipt.messages
    assert said(peer) != before
    assert sum("thread_ts" not in post for post in peer.posts) == 1


@pytest.mark.parametrize(
    ("source", "said"), [("sight", "did you mean 'site'?"), ("team", "publishes nothing")]
)
def test_a_wrong_publisher_is_told_before_a_run(source: str, said: str, tmp_path: Path) -> None:
    """`images_from` that names no output, or one that publishes nothing, is a mistake in the report."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        planned(tmp_path, "http://127.0.0.1:9", source)


def test_pictures_of_tables_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra `pdf` a report that wants tables as pictures is refused before a run, with what to install."""
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "weasyprint" else object())
    planned(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=re.escape("pip install 'kpi-assets[pdf]'")):
        planned(tmp_path, "http://127.0.0.1:9", "site, tables: image")
