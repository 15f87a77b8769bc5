"""A real mail server on loopback (aiosmtpd), with a certificate of its own, logins, and people it does not know."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kpi_assets_tests.secrets import secret

USER, PASSWORD = "reports", secret("correct horse battery staple")


@dataclass
class Post:
    """What arrived: the envelope and the message in it."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailPeer:
    """Where the server is, and what it got. `answers` replace what it says to a recipient; `after_data` to a mail."""

    host: str = "127.0.0.1"
    port: int = 0
    ca_file: str = ""
    posts: list[Post] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    after_data: Callable[[SMTP], str] = lambda server: "250 queued as 4711"
    sessions: int = 0

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        user = session.auth_data.login.decode() if session.auth_data else None
        post = Post(
            str(envelope.mail_from), envelope.rcpt_tos, envelope.content, session.ssl is not None, user
        )
        answer = self.after_data(server)
        if answer.startswith("250"):
            self.posts.append(post)
        return answer


def _login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=False, auth_data=data)


@contextmanager
def mail_server(
    folder: Path, *, starttls: bool = True, login: bool = False, implicit: bool = False
) -> Iterator[MailPeer]:
    """A running server. With `login` nobody posts without one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = self_made_certificate(folder)
    context.load_cert_chain(certificate)
    peer = MailPeer(ca_file=str(certificate))
    options: dict[str, Any] = {
        "tls_context": context if starttls else None,
        "ssl_context": context if implicit else None,
    }
    if login:
        options |= {"authenticator": _login, "auth_required": True, "auth_require_tls": starttls}
    peer.port = free_port()
    controller = Controller(peer, hostname=peer.host, port=peer.port, **options)
    controller.start()
    try:
        yield peer
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def self_made_certificate(folder: Path) -> Path:
    """Certificate and key for 127.0.0.1 and localhost in one PEM file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "mail.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path
