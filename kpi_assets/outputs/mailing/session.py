"""One mail over SMTP: encrypted where it can be, every recipient told of one by one, no doubt about what arrived."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, TypeVar

from kpi_assets.contracts import handing_over
from kpi_assets.errors import DeliveryError, redact
from kpi_assets.outputs.mailing.faults import plain, reason_of, secrets_of
from kpi_assets.retries import TransientError

Tls = Literal["starttls", "implicit", "none"]
T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """How to reach a mail server. `tls` None: STARTTLS where the server offers it, login only then (or on loopback)."""

    output: str
    host: str
    port: int
    tls: Tls | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    timeout: float = 30

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.casefold() == "localhost"


@dataclass(frozen=True)
class Accepted:
    """Who got the mail and who did not (`a@b.example: 550 no such user`). `answer` is the server's last word."""

    recipients: tuple[str, ...]
    refused: tuple[str, ...]
    answer: str


class AwayError(TransientError):
    """The server could not be spoken to, and nothing was handed over: trying again is safe."""


@contextmanager
def connected(server: Server) -> Generator[smtplib.SMTP]:
    """A server that is greeted, encrypted and logged in to as far as `server` asks.

    Raises AwayError while trying again could help, DeliveryError where something must be changed first.
    """
    smtp = _open(server)
    try:
        _told(server, lambda: _prepare(server, smtp))
        yield smtp
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()


def send(
    server: Server, smtp: smtplib.SMTP, content: bytes, *, sender: str, recipients: Sequence[str]
) -> Accepted:
    """Hand one message over. Raises DeliveryError, `ambiguous` where it left us whole and no answer came back."""
    refused: list[str] = []
    taken: list[str] = []

    def envelope() -> None:
        _answered(smtp.mail(sender), f"the sender {sender} was refused")
        for recipient in recipients:
            code, text = smtp.rcpt(recipient)
            if code in {250, 251}:
                taken.append(recipient)
            else:
                refused.append(f"{recipient}: {code} {plain(text)}")
                if code == 421:
                    raise AwayError(f"{server.address} closed the connection: {plain(text)}")

    _told(server, envelope)
    if not taken:
        reasons = redact("; ".join(refused), secrets_of(server))
        raise DeliveryError(server.output, f"{server.address} refused every recipient: {reasons}")
    answer = _hand_over(server, smtp, content)
    return Accepted(tuple(taken), tuple(redact(text, secrets_of(server)) for text in refused), answer)


def _hand_over(server: Server, smtp: smtplib.SMTP, content: bytes) -> str:
    """DATA, by hand: only after the closing dot has left may the server have taken the message."""

    def announce() -> None:
        _answered(smtp.docmd("DATA"), "the message was refused", wanted=354)

    def body() -> None:
        smtp.send(_dotted(content))

    handing_over()
    _told(server, announce)
    _told(server, body)
    try:
        code, text = smtp.getreply()
    except (smtplib.SMTPException, OSError) as error:
        reason = (
            f"{server.address} took the whole message and then did not answer ({reason_of(error, server)})"
        )
        advice = "it may have been delivered: ask a recipient before it is sent again"
        raise DeliveryError(server.output, f"{reason}; {advice}", ambiguous=True) from None
    _told(server, lambda: _answered((code, text), "the message was refused"))
    return redact(plain(text), secrets_of(server))


def _open(server: Server) -> smtplib.SMTP:
    def connect() -> smtplib.SMTP:
        if server.tls == "implicit":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout, context=_context(server)
            )
        return smtplib.SMTP(server.host, server.port, timeout=server.timeout)

    return _told(server, connect)


def _prepare(server: Server, smtp: smtplib.SMTP) -> None:
    smtp.ehlo_or_helo_if_needed()
    if server.tls in {None, "starttls"}:
        _encrypt(server, smtp)
    if server.username is None:
        return
    if not isinstance(smtp.sock, ssl.SSLSocket) and not server.is_loopback:
        raise DeliveryError(
            server.output,
            f"{server.address} offers no encryption, so the password is not sent; use `tls: implicit` with its port, "
            "or a server that offers STARTTLS",
        )
    smtp.login(server.username, server.password or "")


def _encrypt(server: Server, smtp: smtplib.SMTP) -> None:
    if smtp.has_extn("starttls"):
        smtp.starttls(context=_context(server))
        smtp.ehlo()
    elif server.tls == "starttls":
        fix = "use `tls: implicit` where the port wants that, or leave `tls` out"
        raise DeliveryError(server.output, f"{server.address} does not offer STARTTLS; {fix}")


def _context(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


def _answered(reply: tuple[int, bytes], what: str, wanted: int = 250) -> None:
    """The wanted answer, or an error: a 4xx may be another one later."""
    code, text = reply
    if code == wanted:
        return
    words = f"{what}: {code} {plain(text)}"
    raise AwayError(words) if 400 <= code < 500 else smtplib.SMTPResponseException(code, words)


def _told(server: Server, act: Callable[[], T]) -> T:
    """Do something with the server; what goes wrong before the message is out is said in plain words."""
    try:
        return act()
    except AwayError as error:
        raise AwayError(redact(f"{server.address}: {error}", secrets_of(server))) from None
    except (smtplib.SMTPException, OSError) as error:
        reason = reason_of(error, server)
        if _passes(error):
            raise AwayError(reason) from None
        raise DeliveryError(server.output, reason) from None


def _passes(error: smtplib.SMTPException | OSError) -> bool:
    """Could it go away by itself? Refused logins, untrusted certificates and 5xx answers do not."""
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 500
    return not isinstance(
        error, ssl.SSLError | smtplib.SMTPNotSupportedError | FileNotFoundError | IsADirectoryError
    )


def _dotted(content: bytes) -> bytes:
    """The message as DATA wants it: lines that start with a dot get another, and a dot alone ends it."""
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"
