"""Mail over SMTP, against a real server on loopback."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError

from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.smtp import SmtpArgs, SmtpOutput
from kpi_assets_tests.outputs.letters import edition
from kpi_assets_tests.outputs.mail_peer import (
    PASSWORD,
    USER,
    MailPeer,
    free_port,
    mail_server,
    self_made_certificate,
)

ANN, BOB, CLEO = "ann@example.com", "bob@example.com", "cleo@example.com"
MONDAY = datetime(2024, 11, 25, 6, 2, tzinfo=UTC)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[MailPeer]:
    with mail_server(tmp_path, starttls=False) as running:
        yield running


def output(peer: MailPeer, **more: Any) -> SmtpOutput:
    args: dict[str, Any] = {
        "email_from": "Growth team <reports@example.com>",
        "email_to": [ANN],
        "smtp_host": peer.host,
        "smtp_port": peer.port,
        "retry_for": 0,
        "timeout": 5,
    }
    made = SmtpOutput("board", SmtpArgs.model_validate(args | more))
    made.clock = lambda: MONDAY
    return made


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


# ---------------------------------------------------------------- what arrives


def test_the_mail_has_text_and_html_with_its_pictures(peer: MailPeer) -> None:
    """The message is multipart/alternative: plain text, then HTML related to the pictures that it shows."""
    output(peer).deliver(edition())
    message = peer.posts[0].message
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.iter_parts()
    kinds = [part.get_content_type() for part in related.iter_parts()]
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert kinds == ["text/html", "image/png", "image/png", "image/png"]


def test_every_picture_of_the_html_is_in_the_mail(peer: MailPeer) -> None:
    """Each `cid:` in the HTML is the Content-ID of exactly one PNG, and no picture travels unused."""
    output(peer).deliver(edition())
    message = peer.posts[0].message
    shown = set(re.findall(r'src="cid:([^"]+)"', html_of(message)))
    parts = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert shown == {part["Content-ID"].strip("<>") for part in parts}
    assert all(part.get_content().startswith(b"\x89PNG") for part in parts)
    assert len(parts) == len(shown) == 3


def test_a_second_attempt_is_the_same_message(peer: MailPeer) -> None:
    """The same edition for the same people has the same bytes, Message-ID included, whoever comes first in the list."""
    output(peer, email_to=[ANN, BOB]).deliver(edition())
    output(peer, email_to=[ANN, BOB]).deliver(edition())
    output(peer, email_to=[BOB, ANN]).deliver(edition())
    output(peer, email_to=[BOB]).deliver(edition())
    first, second, turned, other = peer.posts
    assert first.content == second.content
    assert first.message["Message-ID"] == turned.message["Message-ID"] != other.message["Message-ID"]
    assert first.message["Message-ID"].endswith("@example.com>")


def test_the_text_reads_well(peer: MailPeer) -> None:
    """The plain text is the written one: finding, figures in columns, no markup, no line over 76 characters."""
    output(peer).deliver(edition())
    text = text_of(peer.posts[0].message)
    assert text.startswith(
        "WEEKLY GROWTH REPORT, week 47 of 2024\nMon, Nov 18 - Sun, Nov 24, 2024, Europe/Berlin (UTC+1)\n"
    )
    assert "Sign-ups    1,284   +11.4 % better, 1,153 the week before\n" in text
    assert "COULD NOT BE MADE: Title of reply\n" in text
    assert not re.search(r"</|&\w+;|\*\*|\u202f|\u00a0", text)
    assert max(map(len, text.splitlines())) <= 76


def test_headers_are_those_of_a_mail_that_a_machine_writes(peer: MailPeer) -> None:
    """Date is the clock's, copies stand in their header, blind ones nowhere, and machines are told not to answer."""
    made = output(
        peer,
        email_to="Ann <ann@example.com>",
        cc=BOB,
        bcc=CLEO,
        reply_to="growth@example.com",
        list_unsubscribe="https://lists.example.com/u/7",
    )
    receipt = made.deliver(edition())
    post = peer.posts[0]
    message = post.message
    assert (message["To"], message["Cc"], message["Reply-To"]) == (
        "Ann <ann@example.com>",
        BOB,
        "growth@example.com",
    )
    assert message["Date"] == "Mon, 25 Nov 2024 06:02:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://lists.example.com/u/7>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert CLEO.encode() not in post.content
    assert post.recipients == [ANN, BOB, CLEO] == list(receipt.recipients)


def test_duplicates_are_told_once(peer: MailPeer) -> None:
    """An address that stands in several fields, cases or lists gets one mail."""
    made = output(
        peer, email_to=["Ann <ann@example.com>, ANN@Example.com", BOB], cc=[BOB], bcc="ann@example.com"
    )
    made.deliver(edition())
    assert peer.posts[0].recipients == [ANN, BOB]


def test_the_subject_can_be_given(peer: MailPeer) -> None:
    """A template's variables are filled in, and a title with a line break cannot add a header."""
    made = output(peer, subject="{title}\r\nBcc: eve@example.com {end}: {subject}")
    made.deliver(edition())
    message = peer.posts[0].message
    assert message["Subject"] == (
        "Weekly growth report Bcc: eve@example.com 2024-11-24: Weekly growth report · week of Nov 18"
    )
    assert message["Bcc"] is None


def test_remote_pictures_are_links(peer: MailPeer) -> None:
    """With image_strategy remote nothing travels in the mail, and each address is under the given base."""
    made = output(peer, image_strategy="remote", image_remote_base_url="https://cdn.example.com/{id}/x y")
    made.deliver(edition())
    message = peer.posts[0].message
    sources = re.findall(r'<img[^>]* src="([^"]+)"', html_of(message))
    base = "https://cdn.example.com/2024-11-18_2024-11-25_weekly-growth-report/x%20y/mail/"
    assert len(set(sources)) == 3
    assert all(source.startswith(base) and source.endswith(".png") for source in sources)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_numbers_are_attached(peer: MailPeer) -> None:
    """With attachments: csv the numbers lie beside the mail, in one archive when they are many."""
    made = output(peer, attachments="csv")
    receipt = made.deliver(edition())
    made.deliver(edition())
    first, second = (post.message for post in peer.posts)
    attached = [part.get_filename() for part in first.iter_attachments()]
    assert first.get_content_type() == "multipart/mixed"
    assert attached == ["weekly-growth-report-2024-11-24-csv.zip"]
    assert receipt.files == 4
    assert peer.posts[0].content == peer.posts[1].content
    assert second.get_content_type() == "multipart/mixed"


def test_what_is_too_large_is_said(peer: MailPeer) -> None:
    """An attachment over the limit is left out, and text, HTML and receipt say so."""
    receipt = output(peer, attachments=["csv"], max_attachment_mb=0.0001).deliver(edition())
    message = peer.posts[0].message
    said = "Not attached: weekly-growth-report-2024-11-24-csv.zip (0.0 MB, over the limit of 0.0001 MB)."
    assert said in text_of(message)
    assert said in html_of(message)
    assert "not attached: weekly-growth-report-2024-11-24-csv.zip" in receipt.detail
    assert list(message.iter_attachments()) == []


def test_the_size_is_told(peer: MailPeer, caplog: pytest.LogCaptureFixture) -> None:
    """Log and receipt say how large the HTML is; a mail that Gmail would cut is a warning."""
    document = edition()
    with caplog.at_level(logging.INFO, "kpi_assets"):
        receipt = output(peer).deliver(document)
        size = len(html_of(peer.posts[0].message).replace("\r\n", "\n").encode())
        assert f"mail of weekly 2024-11-24: {size} bytes of HTML" in caplog.text
        assert f": {size / 1000:.0f} KB of HTML, 3 pictures" in receipt.detail
        assert caplog.records[-1].levelname == "INFO"
        files = tuple(
            replace(file, content=file.content + b"x" * 100_000) if file.path == "mail.html" else file
            for file in document.files
        )
        receipt = output(peer).deliver(replace(document, files=files))
    assert "KB of HTML, which Gmail cuts" in receipt.detail
    assert caplog.records[-1].levelname == "WARNING"


# ---------------------------------------------------------------- who got it


def test_a_partial_acceptance_says_who_got_it(peer: MailPeer) -> None:
    """Refused recipients are named with the server's reason, the others have the mail."""
    peer.answers[BOB] = "550 5.1.1 no such user"
    peer.answers[CLEO] = "452 4.2.2 mailbox full"
    receipt = output(peer, email_to=[ANN, BOB, CLEO]).deliver(edition())
    assert receipt.recipients == (ANN,)
    assert receipt.refused == (f"{BOB}: 550 5.1.1 no such user", f"{CLEO}: 452 4.2.2 mailbox full")
    assert [post.recipients for post in peer.posts] == [[ANN]]


def test_all_refused_is_an_error(peer: MailPeer) -> None:
    """Where nobody is accepted nothing is sent, and the error names each with its reason."""
    peer.answers |= {ANN: "550 5.1.1 no such user", BOB: "553 not here"}
    with pytest.raises(
        DeliveryError, match=r"ann@example.com: 550 5.1.1 no such user; bob@example.com: 553"
    ) as caught:
        output(peer, email_to=[ANN, BOB]).deliver(edition())
    assert not caught.value.ambiguous
    assert peer.posts == []


def test_a_refused_message_is_no_doubt(peer: MailPeer) -> None:
    """A clear no after DATA is a failure, not an unknown outcome."""
    peer.after_data = lambda server: "554 5.7.1 spam"
    with pytest.raises(DeliveryError, match=r"the message was refused: 554 5\.7\.1 spam") as caught:
        output(peer).deliver(edition())
    assert not caught.value.ambiguous


def test_silence_after_the_last_byte_is_a_doubt(peer: MailPeer) -> None:
    """A line that breaks after the message left and before the answer is ambiguous, and is not tried again."""

    def hang_up(server: Any) -> str:
        server.transport.abort()
        return "250 never heard"

    peer.after_data = hang_up
    with pytest.raises(DeliveryError, match="may have been delivered") as caught:
        output(peer, retry_for=30).deliver(edition())
    assert caught.value.ambiguous
    assert peer.sessions == 1


def test_a_server_that_is_busy_is_tried_again(peer: MailPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 4xx before the message is handed over is tried again until it is taken, and sent once."""
    import stamina

    said = iter(["421 4.3.2 too busy"])

    async def busy(
        self: MailPeer, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return next(said, "250 OK")

    monkeypatch.setattr(MailPeer, "handle_MAIL", busy, raising=False)
    with stamina.set_testing(True, attempts=3):
        output(peer, retry_for=30).deliver(edition())
    assert (peer.sessions, len(peer.posts)) == (2, 1)


def test_only_the_given_people_get_a_test(peer: MailPeer) -> None:
    """Readdressed, the mail goes to the new address alone: no copies, not the audience."""
    made = output(peer, email_to=[ANN], cc=BOB, bcc=CLEO).readdressed(["Me <me@example.com>"])
    receipt = made.deliver(edition())
    assert made.recipients == receipt.recipients == ("me@example.com",)
    assert peer.posts[0].recipients == ["me@example.com"]
    assert b"ann@example.com" not in peer.posts[0].content
    with pytest.raises(DeliveryError, match="'nobody' is no mail address"):
        made.readdressed(["nobody"])


# ---------------------------------------------------------------- encryption and logins


def test_starttls_is_used_where_offered(tmp_path: Path) -> None:
    """Without a word about TLS the mail and the login travel encrypted, to a server whose certificate is trusted."""
    with mail_server(tmp_path, login=True) as peer:
        output(peer, username=USER, password=PASSWORD, ca_file=peer.ca_file).deliver(edition())
    assert [(post.encrypted, post.user) for post in peer.posts] == [(True, USER)]


def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    """`tls: implicit` speaks TLS at once."""
    with mail_server(tmp_path, starttls=False, implicit=True) as peer:
        output(peer, tls="implicit", ca_file=peer.ca_file).deliver(edition())
    assert len(peer.posts) == 1


def test_implicit_tls_has_a_port_of_its_own() -> None:
    """`tls: implicit` alone means port 465; a port that was given stays."""
    base = {"email_from": ANN, "email_to": BOB, "tls": "implicit"}
    made = [SmtpOutput("board", SmtpArgs.model_validate(args)) for args in (base, base | {"smtp_port": "25"})]
    assert [output._server.port for output in made] == [465, 25]


def test_a_stranger_is_not_trusted(tmp_path: Path) -> None:
    """A certificate that nobody vouches for ends the delivery before anything is said; another authority's too."""
    other = tmp_path / "other"
    other.mkdir()
    with mail_server(tmp_path) as peer:
        stranger = str(self_made_certificate(other))
        for more, words in (
            ({}, "give `ca_file`"),
            ({"ca_file": stranger}, f"{stranger} is not of who signed it"),
        ):
            with pytest.raises(DeliveryError, match=f"is not trusted .*{words}"):
                output(peer, **more).deliver(edition())
    assert peer.posts == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.pem", "is not there"),
        ("words.pem", "holds no certificate"),
        ("broken.pem", "holds no certificate"),
        (".", "cannot be read: Is a directory"),
    ],
)
def test_a_useless_ca_file_is_the_culprit(tmp_path: Path, name: str, words: str) -> None:
    """A `ca_file` that is missing, a folder, or no certificate is what the error names, not the server."""
    (tmp_path / "words.pem").write_text("hello")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    file = tmp_path / name
    with mail_server(tmp_path) as peer, pytest.raises(DeliveryError) as caught:
        output(peer, ca_file=str(file), retry_for=30).deliver(edition())
    assert caught.value.reason.startswith(f"`ca_file` {file} {words}")


def test_a_server_that_wants_a_login_says_what_to_give(tmp_path: Path) -> None:
    """Without a login, where one is wanted, the error names the arguments."""
    words = "it wants a login, give `username` and `password`"
    with mail_server(tmp_path, login=True) as peer, pytest.raises(DeliveryError, match=words):
        output(peer, ca_file=peer.ca_file).deliver(edition())


def test_missing_encryption_is_refused_where_it_was_asked_for(peer: MailPeer) -> None:
    """`tls: starttls` does not fall back to plain text."""
    with pytest.raises(DeliveryError, match="does not offer STARTTLS"):
        output(peer, tls="starttls").deliver(edition())
    assert peer.posts == []


def test_no_password_in_plain_text(peer: MailPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Towards any other machine the login is refused where the line is not encrypted, and the password never leaves."""
    monkeypatch.setattr("kpi_assets.outputs.mailing.session.Server.is_loopback", False)
    for tls in (None, "none"):
        with pytest.raises(DeliveryError, match="offers no encryption, so the password is not sent"):
            output(peer, tls=tls, username=USER, password=PASSWORD).deliver(edition())
    assert peer.posts == []


def test_a_wrong_password_is_said_without_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The error names the user and what to check; the password stands neither in it, nor in logs, nor in any repr."""
    wrong = "hunter2-hunter2"
    with mail_server(tmp_path, login=True) as peer, caplog.at_level(logging.DEBUG):
        made = output(peer, username=USER, password=wrong, ca_file=peer.ca_file)
        with pytest.raises(DeliveryError, match="refused the login of 'reports'") as caught:
            made.deliver(edition())
    told = f"{caught.value!r} {caught.value} {made.args!r} {made._server!r} {vars(made)} {caplog.text}"
    assert wrong not in told
    assert wrong not in made.args.model_dump_json()


def test_check_logs_in_and_sends_nothing(tmp_path: Path) -> None:
    """`check` passes with the right password and fails with a wrong one; no mail leaves."""
    with mail_server(tmp_path, login=True) as peer:
        output(peer, username=USER, password=PASSWORD, ca_file=peer.ca_file).check()
        with pytest.raises(DeliveryError):
            output(peer, username=USER, password="wrong", ca_file=peer.ca_file).check()
    assert peer.posts == []


# ---------------------------------------------------------------- servers that are not there


def test_nobody_answers() -> None:
    """A closed port is told with address and what to check."""
    port = free_port()
    with pytest.raises(DeliveryError, match=rf"nothing answers at 127.0.0.1:{port}; .*Nothing was sent"):
        output(MailPeer(port=port)).deliver(edition())


def test_a_mute_server_ends_in_time() -> None:
    """A server that accepts and says nothing is given up after the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        made = output(MailPeer(port=mute.getsockname()[1]), timeout=0.2)
        with pytest.raises(DeliveryError, match=r"did not answer within 0.2 s"):
            made.deliver(edition())


def test_a_line_that_breaks_inside_the_message_is_no_doubt() -> None:
    """A server that goes away while the message is on its way cannot have taken it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Thread(target=_drops_in_data, args=(listener,))
        worker.start()
        made = output(MailPeer(port=listener.getsockname()[1]))
        big = edition()
        with pytest.raises(DeliveryError, match="Nothing was sent") as caught:
            made._sent("a@example.com", b"x" * 50_000_000 + big.report.encode())
        worker.join()
    assert not caught.value.ambiguous


def _drops_in_data(listener: socket.socket) -> None:
    """Speaks SMTP up to the first bytes of the message, then resets the connection."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line.upper().startswith(b"DATA"):
                connection.sendall(b"354 go on\r\n")
                connection.recv(1000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            connection.sendall(b"250 OK\r\n")


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"email_to": "nobody"}, "'nobody' is no mail address"),
        ({"email_to": []}, "at least 1 item"),
        ({"email_to": "a b@example.com"}, "is no mail address"),
        ({"email_from": [ANN, BOB]}, "one address is wanted here"),
        ({"username": "me"}, "give both or neither"),
        ({"image_strategy": "remote"}, "image_strategy: remote needs image_remote_base_url"),
        ({"subject": "{titel}"}, "did you mean 'title'"),
        ({"smtp_port": "0"}, "greater than or equal to 1"),
        ({"list_unsubscribe": "http://x"}, "should match pattern"),
    ],
)
def test_wrong_arguments_are_told(args: dict[str, Any], words: str) -> None:
    """Each wrong argument is refused when the file is read, with a sentence that says what is wanted."""
    with pytest.raises(ValidationError, match=re.escape(words)):
        SmtpArgs.model_validate({"email_from": ANN, "email_to": BOB} | args)


def test_kpi_reporters_arguments_are_understood() -> None:
    """One address or a list, a port as text, and its image arguments read as in KPI Reporter."""
    args = SmtpArgs.model_validate(
        {
            "email_from": "kpi@example.com",
            "email_to": "board@example.com",
            "smtp_host": "mail",
            "smtp_port": "25",
            "image_strategy": "remote",
            "image_remote_base_url": "https://host/{title_slug}",
        }
    )
    assert (args.email_to, args.smtp_port) == (("board@example.com",), 25)


def test_formats_are_known_before_the_environment_is() -> None:
    """While addresses wait for the environment, the document is already known to need mail and PDF."""
    waiting = SmtpArgs.model_construct(email_from=(), email_to=(), attachments="pdf")  # type: ignore[arg-type]
    assert SmtpOutput("board", waiting).formats == {"mail", "pdf"}


def test_names_and_foreign_domains_are_written_as_servers_want_them(peer: MailPeer) -> None:
    """A name with accents and a comma survives, a domain with umlauts is sent in ASCII."""
    output(peer, email_to=['"Müller, Änne" <a@bücher.example>']).deliver(edition())
    assert peer.posts[0].recipients == ["a@xn--bcher-kva.example"]
    assert peer.posts[0].message["To"].addresses[0].display_name == "Müller, Änne"


def test_preview_says_what_would_be_sent(peer: MailPeer) -> None:
    """The dry run names subject, recipients and server, and sends nothing."""
    text = output(peer, email_to=[ANN, BOB]).preview(edition())
    assert text == (
        f"would mail 'Weekly growth report · week of Nov 18' to {ANN}, {BOB} through 127.0.0.1:{peer.port}"
    )
    assert peer.sessions == 0
