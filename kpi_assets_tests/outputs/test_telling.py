"""A few plain words to one person: by mail and in chat, through the same servers as editions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kpi_assets.contracts import Output
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.sendgrid import SendGridArgs, SendGridOutput
from kpi_assets.outputs.slack import SlackArgs, SlackOutput
from kpi_assets.outputs.smtp import SmtpArgs, SmtpOutput
from kpi_assets.outputs.static import StaticOutput
from kpi_assets_tests.outputs.http_peers import KEY, TOKEN, SendGridPeer, SlackPeer, served
from kpi_assets_tests.outputs.mail_peer import MailPeer, mail_server

OWNER, SUBJECT, TEXT = (
    "ops@example.com",
    "weekly failed",
    "query 'a <b>' & more\nRun: http://dagster/runs/1\n",
)


def smtp(peer: MailPeer) -> SmtpOutput:
    args: dict[str, Any] = {
        "email_from": "Reports <reports@example.com>",
        "email_to": ["board@example.com"],
        "cc": ["all@example.com"],
        "smtp_host": peer.host,
        "smtp_port": peer.port,
        "retry_for": 0,
    }
    return SmtpOutput("board", SmtpArgs.model_validate(args))


def test_a_note_by_mail(tmp_path: Path) -> None:
    """One plain part to the owner alone: neither the audience nor copies; twice the same note has the same id."""
    with mail_server(tmp_path, starttls=False) as peer:
        smtp(peer).tell(OWNER, SUBJECT, TEXT)
        smtp(peer).tell(OWNER, SUBJECT, TEXT)
    assert [post.recipients for post in peer.posts] == [[OWNER], [OWNER]]
    message = peer.posts[0].message
    assert (message["Subject"], message["To"], message["Cc"]) == (SUBJECT, OWNER, None)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == TEXT
    assert peer.posts[1].message["Message-ID"] == message["Message-ID"]


def test_a_note_that_is_refused(tmp_path: Path) -> None:
    """The server's words reach whoever tells."""
    with mail_server(tmp_path, starttls=False) as peer:
        peer.answers[OWNER] = "550 no such user"
        with pytest.raises(DeliveryError, match="550 no such user"):
            smtp(peer).tell(OWNER, SUBJECT, TEXT)


def test_a_note_through_sendgrid(monkeypatch: pytest.MonkeyPatch) -> None:
    """One plain content to the owner alone, which the API takes."""
    monkeypatch.delenv("SENDGRID_SANDBOX_ENABLED", raising=False)
    account = SendGridPeer()
    with served(account.answer) as url:
        args = {
            "email_from": "reports@example.com",
            "email_to": "board@example.com",
            "api_key": KEY,
            "host": url,
        }
        SendGridOutput("board", SendGridArgs.model_validate(args)).tell(OWNER, SUBJECT, TEXT)
    (mail,) = account.sent
    assert mail["personalizations"] == [{"to": [{"email": OWNER}]}]
    assert mail["content"] == [{"type": "text/plain", "value": TEXT}]
    assert mail["subject"] == SUBJECT


def test_a_note_in_slack() -> None:
    """A message of plain words in the owner's channel; what Slack would read as markup is escaped."""
    workspace = SlackPeer()
    with served(workspace.answer) as url:
        args = {"channels": "#board", "api_token": TOKEN, "base_url": f"{url}/api/", "timeout": 5}
        output = SlackOutput("team", SlackArgs.model_validate(args))
        output.tell("#kpis", SUBJECT, TEXT)
        with pytest.raises(DeliveryError, match="#nowhere"):
            output.tell("#nowhere", SUBJECT, TEXT)
    (post,) = workspace.posts
    assert post["channel"] == "C01"
    assert post["text"].startswith(f"{SUBJECT}\nquery 'a &lt;b&gt;' &amp; more")
    assert "blocks" not in post


@pytest.mark.parametrize(
    ("cls", "owner", "reaches"),
    [
        (SmtpOutput, "ops@example.com", True),
        (SmtpOutput, "Ops <ops@example.com>", True),
        (SmtpOutput, "a@example.com, b@example.com", False),
        (SmtpOutput, "#ops", False),
        (SendGridOutput, "ops@example.com", True),
        (SlackOutput, "#ops", True),
        (SlackOutput, "C0123456789", True),
        (SlackOutput, "ops@example.com", False),
        (SlackOutput, "team:data", False),
        (StaticOutput, "ops@example.com", False),
    ],
)
def test_who_can_be_told(cls: type[Output], owner: str, reaches: bool) -> None:
    """Mail reaches one address, Slack a channel by name or id, files nobody."""
    assert cls.tells(owner) is reaches
