"""A note: a few lines of plain text to one person, such as the owner of a report that failed."""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from kpi_assets.outputs.mailing.addresses import bare, header_address

AUTOMATIC = {"Auto-Submitted": "auto-generated"}


def note_id(sender: str, to: str, subject: str, text: str) -> str:
    """`<...@sender's domain>`: the same for every attempt to send the same note."""
    key = "\0".join([bare(to).casefold(), subject, text])
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{bare(sender).rpartition('@')[2]}>"


def write_note(sender: str, to: str, subject: str, text: str, *, sent_at: datetime) -> EmailMessage:
    """The note as a message of one part."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = header_address(sender)
    message["To"] = header_address(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = note_id(sender, to, subject, text)
    for name, value in AUTOMATIC.items():
        message[name] = value
    message.set_content(text, cte="quoted-printable")
    return message
