"""Slack messages, against a strict workspace on loopback, through the real client."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Block
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.slack import SlackArgs, SlackOutput
from kpi_assets_tests.outputs.http_peers import TOKEN, Answer, SlackPeer, later, refused, served
from kpi_assets_tests.outputs.letters import edition
from kpi_assets_tests.reports.samples import block, every_kind, rank_table
from kpi_assets_tests.secrets import secret


@pytest.fixture
def peer() -> Iterator[SlackPeer]:
    workspace = SlackPeer()
    with served(workspace.answer) as url:
        workspace.url = url
        yield workspace


def output(peer: SlackPeer, **more: Any) -> SlackOutput:
    args: dict[str, Any] = {
        "channels": "#kpis",
        "api_token": TOKEN,
        "base_url": f"{peer.url}/api/",
        "timeout": 5,
    }
    made = SlackOutput("team", SlackArgs.model_validate(args | more))
    made.sleep = Pauses()
    return made


class Pauses(list[float]):
    """Sleeps for nobody, and remembers for how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_one_message_and_its_thread(peer: SlackPeer) -> None:
    """The excerpt is posted, what is left answers in its thread, and the receipt says where it is found."""
    receipt = output(peer).deliver(edition())
    first, *replies = peer.posts
    assert first["blocks"][0]["text"]["text"] == "Sign-ups reached 1,284, up 11.4\u00a0%"
    assert "thread_ts" not in first
    assert replies
    assert {reply["thread_ts"] for reply in replies} == {first["ts"]}
    assert receipt.location == f"https://quillmoor.slack.com/archives/C01/p{first['ts'].replace('.', '')}"
    assert (receipt.recipients, receipt.refused) == (("#kpis",), ())


def test_a_message_without_an_address_is_named_by_its_id(peer: SlackPeer) -> None:
    """Where Slack does not tell the address, channel and time stamp are the message's name."""
    peer.next["chat.getPermalink"] = [refused("missing_scope")]
    assert output(peer).deliver(edition()).location == f"C01/{peer.posts[0]['ts']}"


def test_charts_are_uploaded_files(peer: SlackPeer) -> None:
    """Each chart is uploaded once, with the bytes of the mail's picture, and shown by its id; no path is left."""
    document = edition()
    output(peer).deliver(document)
    shown = [block for post in peer.posts for block in post["blocks"] if block["type"] == "image"]
    contents = {file.content for file in document.files if file.path.startswith("mail/plot")}
    assert len(shown) == 2
    assert {peer.files[image["slack_file"]["id"]] for image in shown} == contents
    assert peer.calls.count("files.getUploadURLExternal") == len(contents)
    assert not any("image_url" in image for image in shown)


def test_charts_by_address(peer: SlackPeer) -> None:
    """With image_remote_base_url nothing is uploaded."""
    output(peer, image_remote_base_url="https://cdn.example.com/{id}").deliver(edition())
    shown = [block for post in peer.posts for block in post["blocks"] if block["type"] == "image"]
    base = "https://cdn.example.com/2024-11-18_2024-11-25_weekly-growth-report/mail/"
    assert all(image["image_url"].startswith(base) for image in shown)
    assert "files.getUploadURLExternal" not in peer.calls


def test_a_long_report_is_split_not_cut(peer: SlackPeer) -> None:
    """A report with far more than Slack's limits arrives whole, in messages that Slack takes."""
    tables = tuple(block(f"t{i}", rank_table(120), title=f"Table {i} & <more>") for i in range(30))
    output(peer).deliver(edition("", (*every_kind(), *tables)))
    texts = json.dumps(peer.posts, ensure_ascii=False)
    assert len(peer.posts) > 5
    assert all(f"*Table {i} &amp; &lt;more&gt;*" in texts for i in range(30))
    assert texts.count("Land | 119 ") == 30


@pytest.mark.parametrize("text", ["<!channel> & <b>", "*" * 200, "x" * 5000, "a\n" * 4000, "```", "🎉 שלום"])
def test_no_text_breaks_a_message(peer: SlackPeer, text: str) -> None:
    """Whatever a title, a note or a prose holds, Slack takes the message and nobody is paged by it."""
    hostile = block("v", rank_table(), title=text, subtitle=text, note=text)
    prose = Block(view="p", plugin="text", title=text, elements=every_kind()[-1].elements)
    output(peer).deliver(edition("", (hostile, prose)))
    assert "<!channel>" not in json.dumps(peer.posts)


# ---------------------------------------------------------------- several channels


def test_every_channel_is_a_delivery_of_its_own(peer: SlackPeer) -> None:
    """`split` gives one output per channel, duplicates counted once, each with its own receipt."""
    parts = output(peer, channels=["#kpis", "board", "kpis", "#board"]).split()
    receipts = [part.deliver(edition()) for part in parts]
    assert [part.recipients for part in parts] == [("#kpis",), ("board",)]
    assert [receipt.recipients for receipt in receipts] == [("#kpis",), ("board",)]
    assert {post["channel"] for post in peer.posts} == {"C01", "C02"}


def test_one_bad_channel_does_not_stop_the_others(peer: SlackPeer) -> None:
    """Delivered as a whole, the channels that exist get the message, and the receipt says who did not and why."""
    peer.members.remove("C02")
    receipt = output(peer, channels=["gone", "board", "kpis"]).deliver(edition())
    assert receipt.recipients == ("kpis",)
    assert receipt.refused[0].startswith("gone: there is no such channel, or the app does not see it")
    assert receipt.refused[1].startswith("board: the app is not a member; invite it there")


def test_another_channel_can_be_tried(peer: SlackPeer) -> None:
    """Readdressed, the message goes to the given channel alone."""
    made = output(peer, channels=["kpis"]).readdressed(["#board"])
    made.deliver(edition())
    assert made.recipients == ("#board",)
    assert {post["channel"] for post in peer.posts} == {"C02"}
    with pytest.raises(DeliveryError, match="'a b' is no channel"):
        made.readdressed(["a b"])


# ---------------------------------------------------------------- what Slack refuses


def test_come_back_later_is_obeyed(peer: SlackPeer) -> None:
    """Only a 429 is tried again, after as many seconds as Slack says, and the message stands once."""
    peer.next["chat.postMessage"] = [later(7), later(3)]
    made = output(peer)
    made.deliver(edition())
    assert list(made.sleep) == [7, 3]  # type: ignore[call-overload]
    assert sum("thread_ts" not in post for post in peer.posts) == 1


def test_patience_ends(peer: SlackPeer) -> None:
    """When Slack asks to wait longer than retry_for, the delivery fails, and certainly nothing was posted."""
    peer.next["chat.postMessage"] = [later(100)]
    with pytest.raises(DeliveryError, match="asks to wait 100 s, longer than `retry_for`") as caught:
        output(peer, retry_for=60).deliver(edition())
    assert not caught.value.ambiguous
    assert peer.posts == []


@pytest.mark.parametrize(
    "answer",
    [Answer(200, hang_up=True), Answer(503, "busy"), refused("internal_error"), Answer(200, "<html>")],
)
def test_a_post_without_a_clear_answer_is_a_doubt(
    peer: SlackPeer, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken line, a 5xx or no answer after a post is ambiguous; it is not repeated, and only we speak of it."""
    peer.next["chat.postMessage"] = [answer]
    with pytest.raises(DeliveryError, match="may stand in the channel") as caught:
        output(peer).deliver(edition())
    assert caught.value.ambiguous
    assert peer.calls.count("chat.postMessage") == 1
    assert [record for record in caplog.records if record.name.startswith("slack_sdk")] == []


def test_files_that_slack_still_looks_at_are_waited_for(peer: SlackPeer) -> None:
    """A fresh upload that Slack does not know yet is shown after a pause."""
    peer.looks = 2
    made = output(peer)
    made.deliver(edition())
    assert list(made.sleep) == [1, 2]  # type: ignore[call-overload]
    assert any("slack_file" in block for block in peer.posts[0]["blocks"])


def test_charts_that_slack_never_takes_are_left_out(peer: SlackPeer) -> None:
    """After the last pause the message goes without charts, never with broken frames, and the receipt says so."""
    peer.looks = 5
    receipt = output(peer).deliver(edition())
    assert not any("slack_file" in block for block in peer.posts[0]["blocks"])
    assert "without charts, Slack did not accept the uploaded files" in receipt.detail


def test_a_token_that_may_not_upload_still_posts(peer: SlackPeer) -> None:
    """Without files:write the message goes without charts, and the receipt says what permission is missing."""
    peer.next["files.getUploadURLExternal"] = [
        refused("missing_scope", needed="files:write", provided="chat:write")
    ]
    receipt = output(peer).deliver(edition())
    assert not any(block["type"] == "image" for post in peer.posts for block in post["blocks"])
    assert "missing_scope, needed: files:write" in receipt.detail


def test_a_reply_that_fails_is_told_not_repeated(peer: SlackPeer) -> None:
    """Once the message stands, a refused reply does not make the delivery fail; the receipt says which is missing."""
    document = edition()
    peer.next["chat.postMessage"] = []
    made = output(peer)
    original = peer._post

    def post(form: Any) -> Answer:
        return refused("msg_too_long") if form.get("thread_ts") else original(form)

    peer._post = post  # type: ignore[method-assign]
    receipt = made.deliver(document)
    assert receipt.recipients == ("#kpis",)
    assert "#kpis: reply 1 of 1 is missing: the message is too long" in receipt.detail


def test_a_wrong_token_is_said_without_it(peer: SlackPeer, caplog: pytest.LogCaptureFixture) -> None:
    """The error says what to check; the token stands neither in it, nor in logs at any level, nor in any repr."""
    wrong = secret("wrong", "xoxb-")
    made = output(peer, api_token=wrong, channels=["kpis", "board"])
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(DeliveryError, match="the token is not valid") as caught,
    ):
        made.deliver(edition())
    told = f"{caught.value!r} {made.args!r} {made._slack()!r} {vars(made)} {caplog.text}"
    assert wrong not in told
    assert peer.posts == []


def test_the_token_comes_from_the_environment(peer: SlackPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without api_token the variable SLACK_API_TOKEN is read when it is sent; with neither, both are named."""
    monkeypatch.delenv("SLACK_API_TOKEN", raising=False)
    made = output(peer, api_token=None)
    with pytest.raises(DeliveryError, match="export SLACK_API_TOKEN"):
        made.deliver(edition())
    monkeypatch.setenv("SLACK_API_TOKEN", TOKEN)
    made.deliver(edition())
    assert peer.posts


def test_check_asks_who_we_are(peer: SlackPeer) -> None:
    """`check` calls auth.test alone, and fails in plain words."""
    output(peer).check()
    assert peer.calls == ["auth.test"]
    with pytest.raises(DeliveryError, match="the token is not valid"):
        output(peer, api_token=secret("other", "xoxb-")).check()


def test_nobody_answers() -> None:
    """A workspace that cannot be reached is a clear failure."""
    with served(lambda asked: Answer(200)) as url:
        gone = url
    made = output(SlackPeer(url=gone), image_remote_base_url="https://x.example")
    with pytest.raises(DeliveryError, match="Slack cannot be reached") as caught:
        made.deliver(edition())
    assert not caught.value.ambiguous


@pytest.mark.parametrize(
    "args", [{"channels": []}, {"channels": "my team"}, {"base_url": "slack"}, {"channel": "x"}]
)
def test_wrong_arguments_are_told(args: dict[str, Any]) -> None:
    """No channel, a channel with a blank, an address that is none or an unknown key is refused."""
    with pytest.raises(ValidationError):
        SlackArgs.model_validate({"channels": "kpis"} | args)
