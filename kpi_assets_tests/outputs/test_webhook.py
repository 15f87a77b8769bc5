"""The `webhook` output against a strict receiver on this machine."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Document
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.hook.signature import delivery_id
from kpi_assets.outputs.webhook import WebhookArgs, WebhookOutput
from kpi_assets_tests.outputs.hook_peer import Got, HookPeer, Say, hook_peer
from kpi_assets_tests.outputs.letters import edition as everything
from kpi_assets_tests.outputs.remote.pages import document
from kpi_assets_tests.secrets import secret

SECRET, TOKEN, PATH = secret("webhook"), secret("webhook", "Bearer "), f"/{secret('path')}/kpi"
DOCS = Path(__file__).parents[2] / "docs" / "outputs.md"


@pytest.fixture
def peer() -> Iterator[HookPeer]:
    with hook_peer() as made:
        yield made


def output(peer: HookPeer, **args: Any) -> WebhookOutput:
    given: dict[str, Any] = {"url": peer.url + PATH, "secret": SECRET, "timeout": 5, "retry_for": 0}
    return WebhookOutput("hook", WebhookArgs(**{**given, **args}))


def sent(peer: HookPeer, made: Document, **args: Any) -> dict[str, Any]:
    """The JSON that arrives."""
    output(peer, **args).deliver(made)
    return json.loads(peer.got[-1].body)


def refusal(made: WebhookOutput) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        made.deliver(document())
    return caught.value


def is_genuine() -> Callable[..., bool]:
    """The function that docs/outputs.md shows."""
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    found: dict[str, Any] = {}
    exec(snippet, found)
    return found["is_genuine"]


def test_the_edition_as_json(peer: HookPeer) -> None:
    """The object says which edition it is, what it found, and its figures as shown and as numbers."""
    said = sent(peer, replace(document(), page_url="https://reports.example.com/weekly/"))
    assert (said["type"], said["version"], said["report"], said["edition"]) == (
        "kpi_assets.edition",
        1,
        document().report,
        "2024-11-24",
    )
    assert said["window"] == {
        "start": "2024-11-18",
        "end": "2024-11-25",
        "last_day": "2024-11-24",
        "days": 7,
        "timezone": "Europe/Berlin",
    }
    assert said["lead"] == document().lead
    assert said["links"] == {"page": "https://reports.example.com/weekly/"}
    (figure,) = said["stats"]
    assert (figure["view"], figure["value"], figure["change"]["direction"]) == ("k", "1000", "up")
    assert peer.got[0].headers["Content-Type"] == "application/json"
    assert "html" not in said


def test_everything_an_edition_can_hold(peer: HookPeer) -> None:
    """Findings, figures and the state of every view of a full edition are told."""
    said = sent(peer, everything())
    blocks = everything().blocks
    assert [view["id"] for view in said["views"]] == [block.view for block in blocks]
    assert {finding["finding"] for finding in said["findings"]} == {b.finding for b in blocks if b.finding}
    assert "placeholder" in {view["status"] for view in said["views"]}
    assert len(said["stats"]) > 1


def test_what_docs_say_of_the_object(peer: HookPeer) -> None:
    """Every key of the object is in the table of docs/outputs.md, and no other."""
    said = sent(peer, replace(document(0, ("html", "md")), page_url="https://x/"), include=["html", "md"])
    table = (
        DOCS.read_text(encoding="utf-8").partition("POSTs one JSON object")[2].partition("With `content")[0]
    )
    keys = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `")]
    assert {key for row in keys for key in row} == set(said)


def test_texts_inside(peer: HookPeer) -> None:
    """`include` puts the page and Markdown into the object."""
    made = document(0, ("html", "md"))
    said = sent(peer, made, include=["html", "md"])
    assert said["html"].encode() == made.file("index.html").content
    assert said["markdown"].encode() == made.file("index.md").content


def test_a_form_with_files(peer: HookPeer) -> None:
    """A form holds the object and each file under its name, byte for byte; Markdown links figures by those names."""
    formats = ("html", "md", "csv")
    made = document(0, formats)
    receipt = output(peer, content="multipart", include=formats).deliver(made)
    parts = form(peer.got[0])
    assert json.loads(parts.pop("edition.json"))["edition"] == "2024-11-24"
    assert parts == {
        "index.html": made.file("index.html").content,
        "index.md": made.file("index.md").content.replace(b"](figures/", b"](figures-"),
        "figures-chart-plot.svg": made.file("figures/chart-plot.svg").content,
        "data-k.csv": made.file("data/k.csv").content,
    }
    assert b"](figures-chart-plot.svg)" in parts["index.md"]
    assert receipt.files == 4


def form(got: Got) -> dict[str, bytes]:
    head = f"Content-Type: {got.headers['Content-Type']}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + got.body).iter_parts()
    return {str(part.get_filename()): part.get_payload(decode=True) for part in parts}  # type: ignore[misc]


@pytest.mark.parametrize("secret", [SECRET, "whsec_c2VjcmV0LW9mLXRoZS13ZWVr"])
@pytest.mark.parametrize("content", ["json", "multipart"])
def test_the_signature_is_as_documented(peer: HookPeer, secret: str, content: str) -> None:
    """The receiver's check that docs/outputs.md shows takes what was sent, and nothing else."""
    output(peer, secret=secret, content=content).deliver(document())
    (got,) = peer.got
    check = is_genuine()
    assert check(got.headers, got.body, secret)
    assert not check(got.headers, got.body + b" ", secret)
    assert not check(got.headers, got.body, SECRET + "!")
    assert not check({**got.headers, "webhook-id": "kpi-other"}, got.body, secret)
    assert not check(got.headers, got.body, secret, tolerance=-1)


def test_no_secret_no_signature(peer: HookPeer) -> None:
    """Without a secret id and time are sent, and no signature."""
    output(peer, secret=None).deliver(document())
    assert "webhook-signature" not in peer.got[0].headers
    assert int(peer.got[0].headers["webhook-timestamp"]) > 0


def test_the_same_again_has_the_same_id(peer: HookPeer) -> None:
    """Id and body depend on the edition and its content alone; the time signed is that of the attempt."""
    for minute in (0, 1):
        made = output(peer)
        made.clock = lambda minute=minute: datetime(2024, 11, 25, 6, minute, tzinfo=UTC)  # type: ignore[misc]
        made.deliver(document())
    first, second = peer.got
    assert first.headers["webhook-id"] == first.headers["Idempotency-Key"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
    ids = {delivery_id(document(back), name) for back in (0, 1) for name in ("hook", "other")}
    assert len(ids) == 4


def test_more_headers(peer: HookPeer) -> None:
    """Headers of one's own are sent."""
    output(peer, headers={"Authorization": TOKEN}).deliver(document())
    assert peer.got[0].headers["Authorization"] == TOKEN
    assert peer.got[0].path == PATH


def test_the_receipt(peer: HookPeer) -> None:
    """The receipt says who got it, and where it is if the receiver told."""
    receipt = output(peer).deliver(document())
    assert (receipt.effect, receipt.location, receipt.recipients) == ("notify", peer.url, (peer.url,))
    assert receipt.detail == f"{peer.url} said 204; id {delivery_id(document(), 'hook')}"
    peer.answers = [Say(201, {"Location": "https://archive.example.com/42"})]
    assert output(peer).deliver(document()).location == "https://archive.example.com/42"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_who_is_busy_is_asked_again(peer: HookPeer, status: int) -> None:
    """An answer that says that nothing was taken is followed by another try, with the same id and body."""
    peer.answers = [Say(status, {"Retry-After": "0"})]
    output(peer, retry_for=5).deliver(document())
    one, other = peer.got
    assert one.body == other.body
    assert one.headers["webhook-id"] == other.headers["webhook-id"]


def test_a_pause_longer_than_we_wait(peer: HookPeer) -> None:
    """Who wants to be asked later than `retry_for` allows is not asked again; it is known that nothing was taken."""
    peer.answers = [Say(429, {"Retry-After": "3600"}, b"quota used up")]
    error = refusal(output(peer, retry_for=5))
    assert str(error) == f"output 'hook': {peer.url} said 429: quota used up. Nothing was accepted"
    assert not error.ambiguous
    assert len(peer.got) == 1


@pytest.mark.parametrize("answer", [Say(0), Say(-1), Say(504)])
def test_what_may_have_arrived_is_not_sent_again(peer: HookPeer, answer: Say) -> None:
    """A line that breaks, or stays silent, after the request was taken is told as such, and nothing is tried again."""
    peer.answers = [answer]
    error = refusal(output(peer, retry_for=5, timeout=0.5))
    assert error.ambiguous
    assert len(peer.got) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Say(400, body=b"no field 'text'"), "said 400: no field 'text'"),
        (Say(401), "said 401; check `secret` and `headers`"),
        (Say(404), "said 404"),
        (
            Say(307, {"Location": "https://elsewhere.example.com/"}),
            "it is at another address now, correct `url`",
        ),
    ],
)
def test_a_refusal_is_final(peer: HookPeer, answer: Say, words: str) -> None:
    """A refusal is told in the receiver's words; it is not tried again, and no redirect is followed."""
    peer.answers = [answer]
    error = refusal(output(peer, retry_for=5))
    assert words in str(error)
    assert not error.ambiguous
    assert len(peer.got) == 1


def test_nobody_answers() -> None:
    """A receiver that cannot be reached is named; it is known that nothing was sent."""
    made = WebhookOutput("hook", WebhookArgs(url="http://127.0.0.1:9/x", retry_for=0))
    error = refusal(made)
    assert (
        str(error)
        == "output 'hook': http://127.0.0.1:9 cannot be reached (Connection refused). Nothing was accepted"
    )
    assert not error.ambiguous


@pytest.mark.parametrize(
    ("name", "words"), [("none.pem", "No such file"), ("words.pem", "it holds no certificate")]
)
def test_a_useless_ca_file_is_the_culprit(peer: HookPeer, tmp_path: Path, name: str, words: str) -> None:
    """A `ca_file` that is missing or no certificate is what the error names, not the receiver."""
    (tmp_path / "words.pem").write_text("hello")
    file = tmp_path / name
    made = output(peer, url=peer.url.replace("http:", "https:"), ca_file=str(file))
    assert str(refusal(made)).startswith(f"output 'hook': `ca_file` {file} cannot be used: {words}")


def test_https_that_is_none(peer: HookPeer) -> None:
    """A receiver without TLS behind an https address gets nothing."""
    error = refusal(output(peer, url=peer.url.replace("http:", "https:")))
    assert "does not speak TLS" in str(error)
    assert not error.ambiguous
    assert peer.got == []


def test_check_sends_nothing(peer: HookPeer) -> None:
    """`check` asks with HEAD, and takes any answer but that of a gateway without a receiver."""
    peer.answers = [Say(405), Say(502)]
    output(peer).check()
    with pytest.raises(DeliveryError, match="said 502"):
        output(peer).check()
    assert {(got.method, got.body) for got in peer.got} == {("HEAD", b"")}


def test_the_dry_run_says_what_would_happen() -> None:
    """The preview names the host and the size, and needs no network."""
    made = WebhookOutput("hook", WebhookArgs(url="https://hooks.example.com" + PATH, secret=SECRET))
    told = made.preview(document())
    assert told.startswith(f"would POST {document().title}, 2024-11-24, to https://hooks.example.com (")
    assert told.endswith(" bytes, signed)")


def test_secrets_show_nowhere(peer: HookPeer, caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr, log (at its finest), receipt nor errors hold secret, token or the address's path."""
    caplog.set_level(logging.DEBUG, logger="kpi_assets")
    made = output(peer, headers={"Authorization": TOKEN})
    peer.answers = [Say(204), Say(403, body=f"{SECRET} {TOKEN} {PATH}".encode())]
    told = [repr(made.args), str(made.args), repr(made.deliver(document())), made.preview(document())]
    told += [str(refusal(made)), *made.recipients, caplog.text]
    assert not [secret for secret in (SECRET, TOKEN, PATH) for text in told if secret in text]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"url": "http://hooks.example.com/x"}, "over http others can read it: write https"),
        ({"url": "ftp://hooks.example.com/x"}, "https://host/path"),
        ({"url": "hooks.example.com"}, "https://host/path"),
        ({"url": "https://me:pw@hooks.example.com"}, "write the login as a header"),
        ({"secret": "short"}, "can be guessed"),
        ({"secret": "whsec_***"}, "is not base64"),
        ({"include": "pdf"}, "set `content: multipart`"),
        ({"headers": {"webhook-id": "1"}}, "cannot be set here"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "line break"),
        ({"headers": {"X A": "1"}}, "cannot be set here"),
    ],
)
def test_arguments_that_cannot_work(args: dict[str, Any], words: str) -> None:
    """Mistakes are found before a run, and told without the values."""
    with pytest.raises(ValidationError) as caught:
        WebhookArgs(**{"url": "https://hooks.example.com/x", **args})
    assert words in str(caught.value)
    assert "hooks.example.com/x" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost/x", "http://127.0.0.1:8080/x", "http://[::1]/x", "https://a.b/x"]
)
def test_http_is_for_this_machine(url: str) -> None:
    """Plain http is taken for loopback addresses."""
    assert WebhookArgs(url=url).url.get_secret_value() == url
