"""The `smtp` output: the edition as a mail, through any mail server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import Field, SecretStr, model_validator

from kpi_assets.contracts import Document, Format, Output, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.mailing.addresses import bare, is_address, normalised
from kpi_assets.outputs.mailing.args import PERSONAL, LetterArgs, filled
from kpi_assets.outputs.mailing.letter import write_letter
from kpi_assets.outputs.mailing.mime import message_id, write_message
from kpi_assets.outputs.mailing.note import write_note
from kpi_assets.outputs.mailing.session import Accepted, AwayError, Server, Tls, connected, send
from kpi_assets.retries import attempts

IMPLICIT_PORT = 465


class SmtpArgs(LetterArgs):
    """A mail server, and the letter's own arguments."""

    smtp_host: str = Field("localhost", min_length=1, description="Name or address of the mail server.")
    smtp_port: int = Field(
        25, ge=1, le=65535, description="Its port; 465 where `tls: implicit` and nothing is said."
    )
    tls: Tls | None = Field(
        None,
        description="starttls, implicit or none; default: STARTTLS whenever the server offers it. Certificates are "
        "verified, and no password is sent unencrypted, except to this machine itself.",
    )
    username: str | None = Field(None, description="Name for the login; default: none is needed.")
    password: SecretStr | None = Field(None, description="Password for the login: write {env: NAME}.")
    ca_file: str | None = Field(
        None, description="PEM file of the authority that signed the server's certificate."
    )
    timeout: float = Field(30, gt=0, le=600, description="Seconds to wait for each answer.")
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds in which a server that is away or busy is tried again."
    )

    @model_validator(mode="after")
    def _login_is_whole(self) -> SmtpArgs:
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together: give both or neither")
        return self


class SmtpOutput(Output):
    """Sends one message to all recipients: text, HTML with its charts inside, attachments."""

    Args = SmtpArgs
    effect = "notify"
    announces = True
    kinds = ("email",)
    personal = PERSONAL
    args: SmtpArgs
    clock: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))
    """When the message is written; its Date."""

    @property
    def formats(self) -> frozenset[Format]:
        return self.args.formats

    @property
    def publisher(self) -> str | None:
        return self.args.images_from

    @property
    def recipients(self) -> tuple[str, ...]:
        everybody = (*self.args.email_to, *self.args.cc, *self.args.bcc)
        return tuple(bare(text) for text in normalised(everybody))

    def readdressed(self, to: Sequence[str]) -> SmtpOutput:
        try:
            update = {"email_to": normalised(to), "cc": (), "bcc": ()}
        except ValueError as error:
            raise DeliveryError(self.id, str(error)) from None
        return type(self)(self.id, self.args.model_copy(update=update))

    def deliver(self, document: Document) -> Receipt:
        letter = write_letter(document, self.args)
        sender = self.args.email_from[0]
        id = message_id(document, self.id, self.recipients, sender)
        message = write_message(letter, self.args, id=id, sent_at=self.clock())
        accepted = self._sent(bare(sender), message.as_bytes())
        return Receipt(
            output=self.id,
            plugin="smtp",
            effect="notify",
            location=id,
            content_hash=document.content_hash,
            recipients=accepted.recipients,
            files=len(letter.pictures) + len(letter.attachments),
            detail=f"{letter.subject}: {letter.summary}; {self._server.address} said {accepted.answer}",
            refused=accepted.refused,
        )

    def check(self) -> None:
        try:
            with connected(self._server) as smtp:
                smtp.noop()
        except AwayError as error:
            raise DeliveryError(self.id, str(error)) from None

    @classmethod
    def tells(cls, to: str) -> bool:
        return is_address(to)

    def tell(self, to: str, subject: str, text: str) -> None:
        sender = self.args.email_from[0]
        note = write_note(sender, to, subject, text, sent_at=self.clock())
        self.readdressed([to])._sent(bare(sender), note.as_bytes())

    def preview(self, document: Document) -> str:
        to = ", ".join(self.recipients)
        return f"would mail '{filled(self.args.subject, document)}' to {to} through {self._server.address}"

    @property
    def _server(self) -> Server:
        args = self.args
        implicit = args.tls == "implicit" and "smtp_port" not in args.model_fields_set
        return Server(
            output=self.id,
            host=args.smtp_host,
            port=IMPLICIT_PORT if implicit else args.smtp_port,
            tls=args.tls,
            username=args.username,
            password=args.password.get_secret_value() if args.password else None,
            ca_file=args.ca_file,
            timeout=args.timeout,
        )

    def _sent(self, sender: str, content: bytes) -> Accepted:
        """Tried again only while nothing was handed over."""
        try:
            for attempt in attempts(AwayError, self.args.retry_for):
                with attempt, connected(self._server) as smtp:
                    return send(self._server, smtp, content, sender=sender, recipients=self.recipients)
        except AwayError as error:
            raise DeliveryError(self.id, f"{error}. Nothing was sent") from None
        raise DeliveryError(self.id, "nothing was tried")  # pragma: no cover
