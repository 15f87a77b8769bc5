"""The `webhook` output: the edition as JSON or as a form, to anything that takes a POST."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt, handing_over
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.hook.body import Content, write_body
from kpi_assets.outputs.hook.request import Answer, BusyError, RefusedError, Target, origin_of
from kpi_assets.outputs.hook.signature import delivery_id, key_of, signature_headers
from kpi_assets.outputs.mailing.addresses import as_list
from kpi_assets.retries import attempts

Included: TypeAlias = Literal["html", "md", "pdf", "png", "csv", "xlsx"]
TEXTS = frozenset({"html", "md"})
OURS = re.compile(r"(?i)host|content-(type|length)|transfer-encoding|idempotency-key|webhook-.*")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
SHORTEST = 16


class WebhookArgs(PluginArgs):
    """Where to, what, and how it is signed."""

    url: SecretStr = Field(
        description="Address; https, or http on this machine. Only its host is ever shown; write {env: NAME} where it "
        "holds a token."
    )
    content: Content = Field(
        "json", description="json: one JSON object. multipart: a form with it and a part per file."
    )
    include: Annotated[tuple[Included, ...], BeforeValidator(as_list)] = Field(
        (),
        description="html and md travel inside the JSON; html, md, pdf, png, csv and xlsx as files of a form.",
    )
    secret: SecretStr | None = Field(
        None,
        description="Signs what is sent: write {env: NAME}. At least 16 characters, or whsec_ and base64; default: no "
        "signature.",
    )
    headers: Mapping[str, SecretStr] = Field(
        default_factory=dict, description="More headers, e.g. {Authorization: {env: NAME}}; never shown."
    )
    ca_file: str | None = Field(
        None, description="PEM file of the authority that signed the server's certificate."
    )
    timeout: float = Field(30, gt=0, le=600, description="Seconds to wait for the answer.")
    retry_for: float = Field(
        120, ge=0, le=3600, description="Seconds in which a receiver that is away or busy is tried again."
    )

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address is wanted: https://host/path")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise ValueError("over http others can read it: write https (http is for this machine only)")
        if "@" in parts.netloc:
            raise ValueError("write the login as a header: {Authorization: {env: NAME}}")
        return url

    @field_validator("secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret and len(key_of(secret.get_secret_value())) < SHORTEST:
            raise ValueError(f"a secret that short can be guessed: use at least {SHORTEST} characters")
        return secret

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        for name, value in headers.items():
            if not NAME.fullmatch(name) or OURS.fullmatch(name):
                raise ValueError(f"'{name}' cannot be set here")
            if not value.get_secret_value().isprintable():
                raise ValueError(
                    f"the value of '{name}' has a line break or another sign that is not printed"
                )
        return headers

    @model_validator(mode="after")
    def _files_need_a_form(self) -> WebhookArgs:
        files = sorted(set(self.include) - TEXTS)
        if self.content == "json" and files:
            raise ValueError(f"include: {', '.join(files)} travels as a file: set `content: multipart`")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the secret, the headers' values, and the address beyond its host."""
        url = self.url.get_secret_value()
        parts = urlsplit(url)
        beyond = [part for part in (*parts.path.split("/"), parts.query) if len(part) >= 4]
        given = [value.get_secret_value() for value in self.headers.values()]
        return (url, *beyond, *given, *([self.secret.get_secret_value()] if self.secret else []))


class WebhookOutput(Output):
    """POSTs an edition once; what may have arrived is never sent again by itself.

    Signed as Standard Webhooks describes it: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    """

    Args = WebhookArgs
    effect = "notify"
    announces = True
    kinds = ("webhook",)
    personal: ClassVar = {"url": "place"}
    args: WebhookArgs
    clock: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))
    """When it is sent; part of what is signed."""

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset(self.args.include)

    @property
    def recipients(self) -> tuple[str, ...]:
        return (self._origin,)

    def deliver(self, document: Document) -> Receipt:
        id = delivery_id(document, self.id)
        body = write_body(document, id, self.args.content, self.args.include)
        handing_over()
        answer = self._often(lambda: self._post(id, body.media_type, body.content))
        return Receipt(
            output=self.id,
            plugin="webhook",
            effect="notify",
            location=answer.place or self._origin,
            content_hash=document.content_hash,
            recipients=self.recipients,
            files=body.files,
            detail=f"{self._origin} said {answer.status}; id {id}",
        )

    def check(self) -> None:
        """Whether somebody answers; HEAD changes nothing, so what is answered does not matter."""
        try:
            self._target.send("HEAD", self._more_headers())
        except (RefusedError, BusyError) as error:
            if error.status in {None, 502, 503}:
                raise DeliveryError(self.id, str(error)) from None

    def preview(self, document: Document) -> str:
        body = write_body(document, delivery_id(document, self.id), self.args.content, self.args.include)
        signed = "signed" if self.args.secret else "not signed"
        size = f"{len(body.content):,} bytes"
        return f"would POST {document.title}, {document.edition}, to {self._origin} ({size}, {signed})"

    @property
    def _origin(self) -> str:
        return origin_of(self.args.url.get_secret_value())

    @property
    def _target(self) -> Target:
        args = self.args
        return Target(args.url.get_secret_value(), args.timeout, args.ca_file, args.secrets)

    def _post(self, id: str, media_type: str, content: bytes) -> Answer:
        secret = self.args.secret.get_secret_value() if self.args.secret else None
        signed = signature_headers(secret, id, int(self.clock().timestamp()), content)
        return self._target.send(
            "POST", {**self._more_headers(), **signed, "Content-Type": media_type}, content
        )

    def _more_headers(self) -> dict[str, str]:
        from kpi_assets import __version__

        given = {name: value.get_secret_value() for name, value in self.args.headers.items()}
        return {"User-Agent": f"kpi_assets/{__version__}", **given}

    def _often(self, ask: Callable[[], Answer]) -> Answer:
        """Tried again only while the receiver has accepted nothing."""
        seconds = self.args.retry_for
        try:
            for attempt in attempts(partial(_pause, most=seconds), seconds, longest=30):
                with attempt:
                    return ask()
        except BusyError as error:
            raise DeliveryError(self.id, f"{error}. Nothing was accepted") from None
        except RefusedError as error:
            raise DeliveryError(self.id, str(error), ambiguous=error.ambiguous) from None
        raise DeliveryError(self.id, "nothing was tried")  # pragma: no cover


def _pause(error: Exception, most: float) -> bool | float:
    """Whether to try again, and after how many seconds where the receiver said so."""
    if not isinstance(error, BusyError):
        return False
    if error.after is None:
        return True
    return error.after if error.after <= most else False


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
