"""The `slack` output: a message per channel, with charts, and the rest of it as replies in its thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.chat import message as chat
from kpi_assets.outputs.chat.api import RefusedError, Slack
from kpi_assets.outputs.chat.message import Message
from kpi_assets.outputs.chat.refusals import TOKEN_WIDE
from kpi_assets.outputs.mailing.addresses import as_list
from kpi_assets.outputs.mailing.args import Template, under

TOKEN = "SLACK_API_TOKEN"  # noqa: S105 - the name of a variable
PROCESSING = (1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while Slack still looks at pictures that were just uploaded."""


def _channels(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Every channel once: `#sales` and `sales` are the same."""
    found: dict[str, str] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        if not text.strip("#") or " " in text:
            raise ValueError(
                f"'{text}' is no channel: write #name, or the id that Slack shows in its details"
            )
        found.setdefault(text.removeprefix("#"), text)
    return tuple(found.values())


class SlackArgs(PluginArgs):
    """Which channels, with which token, and where pictures come from."""

    channels: Annotated[tuple[str, ...], BeforeValidator(as_list), AfterValidator(_channels)] = Field(
        min_length=1, description="Channels, as #name or id: one or a list. The app must be a member."
    )
    api_token: SecretStr | None = Field(
        None,
        description="Bot token (xoxb-...) with chat:write and files:write: write {env: NAME}; default: the variable "
        "SLACK_API_TOKEN when the message is sent.",
    )
    image_remote_base_url: Template | None = Field(
        None,
        description="Where the edition's files are served, e.g. https://host/{id}; default: charts are uploaded to "
        "Slack. {title_slug}, {report} and {edition} are filled in too.",
    )
    base_url: str = Field(
        "https://slack.com/api/",
        pattern=r"^https?://\S+/$",
        description="The API's address, with a slash at its end.",
    )
    timeout: int = Field(30, ge=1, le=600, description="Seconds to wait for each answer.")
    retry_for: float = Field(
        150,
        ge=0,
        le=3600,
        description="Seconds in all that are waited when Slack asks to come back later (429).",
    )


class SlackOutput(Output):
    """Posts to every channel, each a delivery of its own. A message that may have arrived is never posted again."""

    Args = SlackArgs
    effect = "notify"
    kinds = ("slack",)
    args: SlackArgs
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset[Format](("slack",))

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.args.channels

    def split(self) -> tuple[SlackOutput, ...]:
        return tuple(self._with((channel,)) for channel in self.args.channels)

    def readdressed(self, to: Sequence[str]) -> SlackOutput:
        try:
            return self._with(_channels(tuple(to)))
        except ValueError as error:
            raise DeliveryError(self.id, str(error)) from None

    def deliver(self, document: Document) -> Receipt:
        slack = self._slack()
        messages, details = self._messages(slack, document)
        places: list[str] = []
        reached: list[str] = []
        refused: list[str] = []
        for channel in self.args.channels:
            try:
                place, more = self._post(slack, channel, messages)
            except RefusedError as error:
                if error.code in TOKEN_WIDE:
                    raise DeliveryError(self.id, error.reason) from None
                refused.append(f"{channel}: {error.reason}")
                continue
            except DeliveryError as error:
                already = f"; posted to {', '.join(reached)} before that" if reached else ""
                raise DeliveryError(self.id, f"{channel}: {error.reason}{already}", ambiguous=True) from None
            places.append(place)
            reached.append(channel)
            details = [*details, *more]
        if not reached:
            raise DeliveryError(self.id, "; ".join(refused))
        return Receipt(
            output=self.id,
            plugin="slack",
            effect="notify",
            location=", ".join(places),
            content_hash=document.content_hash,
            recipients=tuple(reached),
            files=len(chat.uploads(document, chat.stored_messages(document))),
            detail="; ".join([f"1 message and {len(messages) - 1} in its thread", *dict.fromkeys(details)]),
            refused=tuple(refused),
        )

    def check(self) -> None:
        try:
            self._slack().check()
        except RefusedError as error:
            raise DeliveryError(self.id, error.reason) from None

    def preview(self, document: Document) -> str:
        return f"would post {document.title}, {document.edition}, to {', '.join(self.recipients)}"

    def _with(self, channels: tuple[str, ...]) -> SlackOutput:
        made = type(self)(self.id, self.args.model_copy(update={"channels": channels}))
        made.sleep = self.sleep
        return made

    def _slack(self) -> Slack:
        """Raises DeliveryError where there is no token."""
        given = self.args.api_token
        token = given.get_secret_value() if given else os.environ.get(TOKEN, "")
        if not token:
            raise DeliveryError(
                self.id, f"there is no token: write `api_token: {{env: {TOKEN}}}`, or export {TOKEN}"
            )
        args = self.args
        return Slack(self.id, token, args.base_url, args.timeout, args.retry_for, self.sleep)

    def _messages(self, slack: Slack, document: Document) -> tuple[list[Message], list[str]]:
        """The messages as they are sent, and what is to be said about their pictures."""
        stored = chat.stored_messages(document)
        pictures = chat.uploads(document, stored)
        if self.args.image_remote_base_url:
            base = self.args.image_remote_base_url
            return chat.with_addresses(stored, {path: under(base, document, path) for path in pictures}), []
        if not pictures:
            return stored, []
        try:
            ids = slack.upload(list(pictures.values()))
        except RefusedError as error:
            if error.code in TOKEN_WIDE:
                raise DeliveryError(self.id, error.reason) from None
            return chat.without_pictures(stored), [
                f"without charts, they could not be uploaded: {error.reason}"
            ]
        return chat.with_files(stored, dict(zip(pictures, ids, strict=False))), []

    def _post(self, slack: Slack, channel: str, messages: list[Message]) -> tuple[str, list[str]]:
        """Post the first message and its replies; once the first stands, nothing is an error any more."""
        first, details = self._opened(slack, channel, messages[0])
        place, thread = first
        for number, reply in enumerate(messages[1:], 1):
            try:
                self._opened(slack, place, reply, thread)
            except (RefusedError, DeliveryError) as error:
                details.append(f"{channel}: reply {number} of {len(messages) - 1} is missing: {error}")
                break
        return slack.permalink(place, thread) or f"{place}/{thread}", details

    def _opened(
        self, slack: Slack, channel: str, message: Message, thread: str | None = None
    ) -> tuple[tuple[str, str], list[str]]:
        """Post one message. Pictures that Slack still works on are waited for, and left out in the end."""
        for pause in (*PROCESSING, None):
            try:
                return slack.post(channel, message, thread), []
            except RefusedError as error:
                if not _about_pictures(error):
                    raise
                if pause is not None:
                    self.sleep(pause)
        plain = chat.without_uploads(message)
        return slack.post(channel, plain, thread), ["without charts, Slack did not accept the uploaded files"]


def _about_pictures(error: RefusedError) -> bool:
    """Slack needs a moment before a file that was just uploaded can be shown."""
    return error.code == "invalid_blocks" and any(
        "slack file" in text or "slack_file" in text for text in error.details
    )
