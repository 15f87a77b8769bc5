"""The `sendgrid` output: the same mail as `smtp` sends, through SendGrid's API."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Mapping, Sequence
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import URLError

from pydantic import Field, SecretStr, model_validator

from kpi_assets.contracts import Document, Format, Output, Receipt, handing_over
from kpi_assets.errors import DeliveryError, redact
from kpi_assets.outputs.mailing.addresses import bare, header_address, is_address, normalised
from kpi_assets.outputs.mailing.args import PERSONAL, LetterArgs, filled
from kpi_assets.outputs.mailing.complaints import complaints
from kpi_assets.outputs.mailing.letter import Enclosure, Letter, write_letter
from kpi_assets.outputs.mailing.mime import extra_headers, message_id
from kpi_assets.outputs.mailing.note import AUTOMATIC, note_id
from kpi_assets.retries import TransientError, attempts

KEY, SANDBOX = "SENDGRID_API_KEY", "SENDGRID_SANDBOX_ENABLED"
BATCH = 1000
"""Most recipients of a request, copies included."""
TRIAL = f"sandbox mode ({SANDBOX}): SendGrid checked it and delivered nothing"
DOUBT = "; it may have been sent: ask a recipient before it is sent again"


class SendGridArgs(LetterArgs):
    """An account, and the letter's own arguments."""

    api_key: SecretStr | None = Field(
        None,
        description="API key: write {env: NAME}; default: the variable SENDGRID_API_KEY when the mail is sent.",
    )
    host: str = Field(
        "https://api.sendgrid.com",
        pattern=r"^https?://[^\s/]+$",
        description="The API's address; https://api.eu.sendgrid.com for accounts in the EU.",
    )
    timeout: float = Field(30, gt=0, le=600, description="Seconds to wait for the answer.")
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds in which a request that came too soon (429) is tried again."
    )

    @model_validator(mode="after")
    def _copies_fit(self) -> SendGridArgs:
        if len(self.cc) + len(self.bcc) >= BATCH:
            raise ValueError(f"cc and bcc go with the first {BATCH} recipients: give fewer than that")
        return self


class BusyError(TransientError):
    """SendGrid said 429: the request was not taken."""


class SendGridOutput(Output):
    """Sends one message to all recipients; more than 1,000 are sent to in batches, each a delivery of its own."""

    Args = SendGridArgs
    effect = "notify"
    announces = True
    kinds = ("email", "sendgrid")
    personal = PERSONAL
    args: SendGridArgs

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

    def split(self) -> tuple[SendGridOutput, ...]:
        copies = len(self.args.cc) + len(self.args.bcc)
        if len(self.args.email_to) + copies <= BATCH:
            return (self,)
        first, rest = self.args.email_to[: BATCH - copies], self.args.email_to[BATCH - copies :]
        batches = [rest[i : i + BATCH] for i in range(0, len(rest), BATCH)]
        alone = [self._with(email_to=batch, cc=(), bcc=()) for batch in batches]
        return (self._with(email_to=first), *alone)

    def readdressed(self, to: Sequence[str]) -> SendGridOutput:
        try:
            return self._with(email_to=normalised(to), cc=(), bcc=())
        except ValueError as error:
            raise DeliveryError(self.id, str(error)) from None

    def deliver(self, document: Document) -> Receipt:
        letter = write_letter(document, self.args)
        parts = [part._send(document, letter) for part in self.split()]
        return Receipt(
            output=self.id,
            plugin="sendgrid",
            effect="notify",
            location=", ".join(parts),
            content_hash=document.content_hash,
            recipients=self.recipients,
            files=len(letter.pictures) + len(letter.attachments),
            detail=f"{letter.subject}: {letter.summary}",
            trial=TRIAL if _sandbox() else "",
        )

    def check(self) -> None:
        self._request("get", lambda client, timeout: client.scopes.get(timeout=timeout))

    @classmethod
    def tells(cls, to: str) -> bool:
        return is_address(to)

    def tell(self, to: str, subject: str, text: str) -> None:
        sender = self.args.email_from[0]
        body: dict[str, Any] = {
            "from": _person(sender),
            "personalizations": [{"to": [_person(to)]}],
            "subject": subject,
            "content": [{"type": "text/plain", "value": text}],
            "headers": {"Message-ID": note_id(sender, to, subject, text), **AUTOMATIC},
        }
        if _sandbox():
            body["mail_settings"] = {"sandbox_mode": {"enable": True}}
        self._post(body)

    def preview(self, document: Document) -> str:
        to = ", ".join(self.recipients)
        return f"would mail '{filled(self.args.subject, document)}' to {to} through SendGrid"

    def _with(self, **update: object) -> SendGridOutput:
        return type(self)(self.id, self.args.model_copy(update=update))

    def _send(self, document: Document, letter: Letter) -> str:
        """Send to this output's recipients, at most 1,000; the message's id at SendGrid."""
        body = self._body(document, letter)
        return self._post(body)

    def _post(self, body: Mapping[str, Any]) -> str:
        handing_over()
        response = self._request(
            "post", lambda client, timeout: client.mail.send.post(request_body=body, timeout=timeout)
        )
        return str(response.headers.get("X-Message-Id") or body["headers"]["Message-ID"])

    def _body(self, document: Document, letter: Letter) -> dict[str, Any]:
        args = self.args
        id = message_id(document, self.id, self.recipients, args.email_from[0])
        body: dict[str, Any] = {
            "from": _person(args.email_from[0]),
            "personalizations": [self._people()],
            "subject": letter.subject,
            "content": [
                {"type": "text/plain", "value": letter.text},
                {"type": "text/html", "value": letter.html},
            ],
            "headers": {"Message-ID": id, **extra_headers(args)},
        }
        enclosures = [_enclosed(item) for item in (*letter.pictures, *letter.attachments)]
        if enclosures:
            body["attachments"] = enclosures
        if args.reply_to:
            body["reply_to_list"] = [_person(text) for text in args.reply_to]
        if _sandbox():
            body["mail_settings"] = {"sandbox_mode": {"enable": True}}
        return body

    def _people(self) -> dict[str, list[dict[str, str]]]:
        """Everybody once: SendGrid refuses an address that stands in two fields."""
        people: dict[str, list[dict[str, str]]] = {}
        seen: set[str] = set()
        for name, texts in (("to", self.args.email_to), ("cc", self.args.cc), ("bcc", self.args.bcc)):
            fresh = [text for text in texts if bare(text).casefold() not in seen]
            seen |= {bare(text).casefold() for text in fresh}
            if fresh:
                people[name] = [_person(text) for text in fresh]
        return people

    def _request(self, method: str, ask: Any) -> Any:
        key = _key(self)
        try:
            for attempt in attempts(BusyError, self.args.retry_for, longest=20):
                with attempt:
                    return self._asked(method, ask, key)
        except BusyError as error:
            raise DeliveryError(self.id, f"{error}. Nothing was sent") from None
        raise DeliveryError(self.id, "nothing was tried")  # pragma: no cover

    def _asked(self, method: str, ask: Any, key: str) -> Any:
        from python_http_client.exceptions import HTTPError
        from sendgrid import SendGridAPIClient

        # The client writes all headers, the key among them, to its log at level DEBUG.
        logging.getLogger("python_http_client").setLevel(logging.INFO)
        client = SendGridAPIClient(key, host=self.args.host).client
        try:
            return ask(client, self.args.timeout)
        except HTTPError as error:
            raise self._refused(error, key, posts=method == "post") from None
        except (URLError, InvalidURL) as error:
            # Raised before the request was whole, so SendGrid has not taken it.
            reason = f"{self.args.host} cannot be reached: {getattr(error, 'reason', error)}"
            raise DeliveryError(self.id, redact(reason, [key])) from None
        except (OSError, HTTPException) as error:
            reason = f"{self.args.host} took the request and did not answer ({type(error).__name__})"
            ambiguous = method == "post"
            raise DeliveryError(self.id, reason + (DOUBT if ambiguous else ""), ambiguous=ambiguous) from None

    def _refused(self, error: Any, key: str, *, posts: bool) -> Exception:
        status = int(error.status_code)
        words = redact(f"SendGrid said {status}: {complaints(error.body)}", [key])
        if status == 429:
            return BusyError(words)
        if status in {401, 403}:
            words += (
                f"; check `api_key` (or {KEY}): it needs the scope mail.send, and the sender must be verified"
            )
        doubtful = posts and status >= 500
        return DeliveryError(self.id, words + (DOUBT if doubtful else ""), ambiguous=doubtful)


def _key(output: SendGridOutput) -> str:
    """The key from the arguments, else from the environment at this moment."""
    given = output.args.api_key
    key = given.get_secret_value() if given else os.environ.get(KEY, "")
    if not key:
        raise DeliveryError(
            output.id, f"there is no API key: write `api_key: {{env: {KEY}}}`, or export {KEY}"
        )
    return key


def _sandbox() -> bool:
    return os.environ.get(SANDBOX, "").strip().casefold() in {"1", "y", "yes", "true"}


def _person(text: str) -> dict[str, str]:
    name = header_address(text).display_name
    return {"email": bare(text), "name": name} if name else {"email": bare(text)}


def _enclosed(enclosure: Enclosure) -> Mapping[str, str]:
    found = {
        "content": base64.b64encode(enclosure.content).decode(),
        "filename": enclosure.name,
        "type": enclosure.media_type,
        "disposition": "inline" if enclosure.cid else "attachment",
    }
    return {**found, "content_id": enclosure.cid} if enclosure.cid else found
