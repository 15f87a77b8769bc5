"""What can go wrong with a mail server, in words: the culprit and the fix, and never the password."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING

from kpi_assets.errors import redact

if TYPE_CHECKING:
    from kpi_assets.outputs.mailing.session import Server


def reason_of(error: smtplib.SMTPException | OSError, server: Server) -> str:
    """What went wrong, without the password."""
    words = _refusal(error, server) if isinstance(error, smtplib.SMTPException) else _fault(error, server)
    return redact(words, secrets_of(server))


def _refusal(error: smtplib.SMTPException, server: Server) -> str:
    where = server.address
    match error:
        case smtplib.SMTPAuthenticationError():
            answer = f"{error.smtp_code} {plain(error.smtp_error)}"
            return f"{where} refused the login of '{server.username}' ({answer}); check `username` and `password`"
        case smtplib.SMTPResponseException(smtp_code=530) if server.username is None:
            return f"{where}: {plain(error.smtp_error)}; it wants a login, give `username` and `password`"
        case smtplib.SMTPResponseException():
            return f"{where}: {plain(error.smtp_error)}"
        case smtplib.SMTPNotSupportedError():
            return (
                f"{where} offers no login; leave `username` out, or use the port for submission (587 or 465)"
            )
        case smtplib.SMTPServerDisconnected() if "timed out" in str(error):
            return f"{where} did not answer within {server.timeout:g} s"
        case _:
            return f"{where} closed the connection"


def _fault(error: OSError, server: Server) -> str:
    where = server.address
    match error:
        case ssl.SSLError():
            return _tls_fault(error, server)
        case TimeoutError():
            return f"{where} did not answer within {server.timeout:g} s"
        case ConnectionRefusedError():
            return f"nothing answers at {where}; check `smtp_host` and `smtp_port`"
        case FileNotFoundError():
            return f"`ca_file` {server.ca_file} is not there"
        case IsADirectoryError() | PermissionError() if server.ca_file:
            return f"`ca_file` {server.ca_file} cannot be read: {error.strerror}"
        case _:
            return f"{where} cannot be reached: {error.strerror or error}"


def _tls_fault(error: ssl.SSLError, server: Server) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, server)
    if error.library in {"X509", "PEM"}:
        return f"`ca_file` {server.ca_file} holds no certificate: give the authority's PEM file"
    advice = "`tls: implicit` is for port 465, `starttls` for 587 and 25"
    return f"{server.address} does not speak TLS as asked; {advice}"


def _untrusted(error: ssl.SSLCertVerificationError, server: Server) -> str:
    advice = f"; `ca_file` {server.ca_file} is not of who signed it" if server.ca_file else "; give `ca_file`"
    local = ", or `tls: none` for a server on this machine" if server.is_loopback else ""
    return f"the certificate of {server.address} is not trusted ({error.verify_message}){advice}{local}"


def plain(answer: bytes | str) -> str:
    """A server's words on one line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())


def secrets_of(server: Server) -> tuple[str, ...]:
    """What must not show in any text about the server."""
    return (server.password,) if server.password else ()
