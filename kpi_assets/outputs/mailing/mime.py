"""A letter as the bytes that mail servers pass on; the same letter to the same people gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import cast

from kpi_assets.contracts import Document
from kpi_assets.outputs.mailing.addresses import bare, header_address
from kpi_assets.outputs.mailing.args import LetterArgs
from kpi_assets.outputs.mailing.letter import Enclosure, Letter


def message_id(document: Document, output: str, recipients: Sequence[str], sender: str) -> str:
    """`<...@sender's domain>`: the same for every attempt to tell the same people of the same edition."""
    window = document.window
    people = sorted(recipient.casefold() for recipient in recipients)
    key = "\0".join([document.report, str(window.start), str(window.end), window.zone, output, *people])
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{bare(sender).rpartition('@')[2]}>"


def extra_headers(args: LetterArgs) -> dict[str, str]:
    """Headers beside addresses, subject and date."""
    headers = {"Auto-Submitted": "auto-generated"}
    if args.list_unsubscribe:
        headers["List-Unsubscribe"] = f"<{args.list_unsubscribe}>"
        if args.list_unsubscribe.startswith("https:"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def write_message(letter: Letter, args: LetterArgs, *, id: str, sent_at: datetime) -> EmailMessage:
    """multipart/alternative of text and HTML with its pictures; inside multipart/mixed where something is attached."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = header_address(args.email_from[0])
    message["To"] = [header_address(text) for text in args.email_to]
    if args.cc:
        message["Cc"] = [header_address(text) for text in args.cc]
    if args.reply_to:
        message["Reply-To"] = [header_address(text) for text in args.reply_to]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = id
    for name, value in extra_headers(args).items():
        message[name] = value
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    _enclose(message, letter)
    _mark_boundaries(message, id)
    return message


def _enclose(message: EmailMessage, letter: Letter) -> None:
    html = cast("EmailMessage", message.get_body(("html",)))
    for picture in letter.pictures:
        main, sub = _kind(picture)
        html.add_related(
            picture.content, main, sub, cid=f"<{picture.cid}>", filename=picture.name, disposition="inline"
        )
    for attachment in letter.attachments:
        main, sub = _kind(attachment)
        message.add_attachment(attachment.content, main, sub, filename=attachment.name)


def _kind(enclosure: Enclosure) -> tuple[str, str]:
    main, _, sub = enclosure.media_type.partition("/")
    return main, sub


def _mark_boundaries(message: EmailMessage, id: str) -> None:
    """Boundaries from the message's id, where the library would draw lots."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{sha256(f'{id} {number}'.encode()).hexdigest()[:24]}_=")
