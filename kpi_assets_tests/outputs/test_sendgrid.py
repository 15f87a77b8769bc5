"""Mail through SendGrid, against its documented API on loopback, through the real client."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import stamina
from pydantic import ValidationError

from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.sendgrid import SendGridArgs, SendGridOutput
from kpi_assets.outputs.smtp import SmtpArgs
from kpi_assets_tests.outputs.http_peers import KEY, Answer, SendGridPeer, served
from kpi_assets_tests.outputs.letters import edition
from kpi_assets_tests.secrets import secret

ANN, BOB, CLEO = "ann@example.com", "bob@example.com", "cleo@example.com"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridPeer]:
    monkeypatch.delenv("SENDGRID_API_KEY", raising=False)
    monkeypatch.delenv("SENDGRID_SANDBOX_ENABLED", raising=False)
    account = SendGridPeer()
    with served(account.answer) as url:
        account.url = url
        yield account


def output(peer: SendGridPeer, **more: Any) -> SendGridOutput:
    args: dict[str, Any] = {
        "email_from": "Growth team <reports@example.com>",
        "email_to": ANN,
        "api_key": KEY,
        "host": peer.url,
        "retry_for": 0,
        "timeout": 5,
    }
    return SendGridOutput("board", SendGridArgs.model_validate(args | more))


def test_the_mail_is_the_one_that_smtp_sends(peer: SendGridPeer) -> None:
    """Text, HTML and pictures are those of the document, every picture is shown by its content id."""
    document = edition()
    receipt = output(peer, email_to=["Ann <ann@example.com>", BOB]).deliver(document)
    mail = peer.sent[0]
    text, html = (content["value"] for content in mail["content"])
    assert text.encode() == document.file("mail.txt").content
    assert set(re.findall(r'src="cid:([^"]+)"', html)) == {item["content_id"] for item in mail["attachments"]}
    pictures = {base64.b64decode(item["content"]) for item in mail["attachments"]}
    assert pictures == {
        f.content for f in document.files if f.path.startswith("mail/") and f.path[5:] in html
    }
    assert mail["from"] == {"email": "reports@example.com", "name": "Growth team"}
    assert mail["personalizations"] == [{"to": [{"email": ANN, "name": "Ann"}, {"email": BOB}]}]
    assert mail["subject"] == document.subject
    assert (receipt.location, receipt.recipients) == ("id1", (ANN, BOB))


def test_a_second_attempt_has_the_same_message_id(peer: SendGridPeer) -> None:
    """The same edition for the same people is the same request."""
    output(peer, email_to=[ANN, BOB]).deliver(edition())
    output(peer, email_to=[ANN, BOB]).deliver(edition())
    first, second = peer.sent
    assert first == second
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", first["headers"]["Message-ID"])


def test_duplicates_stand_in_one_field(peer: SendGridPeer) -> None:
    """An address that is in several fields or cases is sent once, which the API insists on."""
    made = output(peer, email_to=[ANN, "ANN@example.com", BOB], cc=[BOB, CLEO], bcc=[ANN], reply_to=BOB)
    made.deliver(edition())
    mail = peer.sent[0]
    assert mail["personalizations"] == [{"to": [{"email": ANN}, {"email": BOB}], "cc": [{"email": CLEO}]}]
    assert mail["reply_to_list"] == [{"email": BOB}]
    assert made.recipients == (ANN, BOB, CLEO)


def test_more_than_a_thousand_are_batches(peer: SendGridPeer) -> None:
    """Each batch holds at most 1,000 people, copies included, is a delivery of its own, and nobody is in two."""
    people = [f"p{i}@example.com" for i in range(2500)]
    made = output(peer, email_to=people, cc=[ANN], bcc=[BOB])
    parts = made.split()
    assert [len(part.recipients) for part in parts] == [1000, 1000, 502]
    assert sorted(address for part in parts for address in part.recipients) == sorted([*people, ANN, BOB])
    receipt = made.deliver(edition())
    assert len(peer.sent) == 3
    assert receipt.location == "id1, id2, id3"
    assert len({mail["headers"]["Message-ID"] for mail in peer.sent}) == 3


def test_a_thousand_are_one_request(peer: SendGridPeer) -> None:
    """Exactly 1,000 people fit into one request."""
    made = output(peer, email_to=[f"p{i}@example.com" for i in range(999)], cc=[ANN])
    assert made.split() == (made,)


@pytest.mark.parametrize("word", ["1", "y", "yes", "TRUE"])
def test_the_sandbox_delivers_nothing(peer: SendGridPeer, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """With SENDGRID_SANDBOX_ENABLED the request is checked, nobody gets it, and the receipt calls it a trial."""
    monkeypatch.setenv("SENDGRID_SANDBOX_ENABLED", word)
    receipt = output(peer).deliver(edition())
    assert (peer.sent, peer.requests) == ([], 1)
    assert (
        receipt.trial == "sandbox mode (SENDGRID_SANDBOX_ENABLED): SendGrid checked it and delivered nothing"
    )


def test_the_key_comes_from_the_environment(peer: SendGridPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without api_key the variable SENDGRID_API_KEY is read when it is sent; with neither, both are named."""
    made = output(peer, api_key=None)
    with pytest.raises(DeliveryError, match="export SENDGRID_API_KEY"):
        made.deliver(edition())
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    made.deliver(edition())
    assert len(peer.sent) == 1


def test_errors_carry_field_and_help(peer: SendGridPeer) -> None:
    """Every error of the answer is told with its field and where help is; a 400 is no doubt."""
    body = {
        "errors": [
            {
                "message": "The from address is not verified",
                "field": "from",
                "help": "https://sendgrid.com/docs/x",
            },
            {"message": "Bad subject", "field": "subject", "help": None},
        ]
    }
    peer.next = [Answer(400, body)]
    with pytest.raises(DeliveryError) as caught:
        output(peer).deliver(edition())
    assert (
        "The from address is not verified (field from), see https://sendgrid.com/docs/x; Bad subject"
        in str(caught.value)
    )
    assert not caught.value.ambiguous


def test_a_wrong_key_is_said_without_it(peer: SendGridPeer, caplog: pytest.LogCaptureFixture) -> None:
    """The error names what to check; the key stands neither in it, nor in logs at any level, nor in any repr."""
    wrong = secret("wrong", "SG.")
    made = output(peer, api_key=wrong)
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError, match="check `api_key`") as caught:
        made.deliver(edition())
    told = f"{caught.value!r} {made.args!r} {vars(made)} {caplog.text} {made.args.model_dump_json()}"
    assert wrong not in told


def test_the_key_is_in_no_log_of_a_good_request(peer: SendGridPeer, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at level DEBUG does a request leave the key in a log."""
    with caplog.at_level(logging.DEBUG):
        output(peer).deliver(edition())
    assert KEY not in caplog.text


@pytest.mark.parametrize("answer", [Answer(500, "oops"), Answer(503, ""), Answer(200, hang_up=True)])
def test_no_clear_answer_is_a_doubt(peer: SendGridPeer, answer: Answer) -> None:
    """A 5xx or a broken line after the request is ambiguous, and not tried again."""
    peer.next = [answer]
    with pytest.raises(DeliveryError) as caught:
        output(peer, retry_for=30).deliver(edition())
    assert caught.value.ambiguous
    assert peer.requests == 1


def test_too_many_requests_are_tried_again(peer: SendGridPeer) -> None:
    """A 429 was not taken, so it is tried again until retry_for is over."""
    limited = Answer(429, {"errors": [{"message": "too many requests", "field": None, "help": None}]})
    peer.next = [limited]
    with stamina.set_testing(True, attempts=3):
        output(peer, retry_for=30).deliver(edition())
    assert (len(peer.sent), peer.requests) == (1, 2)
    peer.next = [limited]
    with pytest.raises(
        DeliveryError, match=r"SendGrid said 429: too many requests\. Nothing was sent"
    ) as caught:
        output(peer).deliver(edition())
    assert not caught.value.ambiguous


def test_nobody_answers(peer: SendGridPeer) -> None:
    """An API that cannot be reached is a clear failure."""
    with served(lambda asked: Answer(200)) as url:
        gone = url
    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        output(peer, host=gone).deliver(edition())
    assert not caught.value.ambiguous


def test_an_address_that_is_none(peer: SendGridPeer) -> None:
    """A host that cannot be one is a clear failure: nothing was sent."""
    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        output(peer, host="http://127.0.0.1:port").deliver(edition())
    assert not caught.value.ambiguous


def test_check_sends_nothing(peer: SendGridPeer) -> None:
    """`check` asks what the key may do."""
    output(peer).check()
    with pytest.raises(DeliveryError, match="401"):
        output(peer, api_key=secret("other", "SG.")).check()
    assert peer.sent == []


def test_only_the_given_people_get_a_test(peer: SendGridPeer) -> None:
    """Readdressed, the mail goes to the new address alone."""
    output(peer, cc=BOB, bcc=CLEO).readdressed(["me@example.com"]).deliver(edition())
    assert peer.sent[0]["personalizations"] == [{"to": [{"email": "me@example.com"}]}]


def test_letters_have_the_same_arguments_everywhere() -> None:
    """What a mail says is configured alike for smtp and sendgrid."""
    base = set(SendGridArgs.model_fields) & set(SmtpArgs.model_fields)
    letter = {"email_from", "email_to", "cc", "bcc", "reply_to", "subject", "attachments", "image_strategy"}
    assert letter | {"image_remote_base_url", "list_unsubscribe", "max_attachment_mb"} <= base


def test_too_many_copies_are_told() -> None:
    """Copies go with the first batch, so a thousand of them are refused when the file is read."""
    copies = [f"c{i}@example.com" for i in range(1000)]
    with pytest.raises(ValidationError, match="cc and bcc go with the first 1000"):
        SendGridArgs.model_validate({"email_from": ANN, "email_to": BOB, "bcc": copies})
