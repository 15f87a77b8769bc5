"""The `slack` output: a message per channel, with charts, and the rest of it as replies in its thread."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from kpi_assets.contracts import Document, Format, Output, PluginArgs, Receipt
from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.chat import message as chat
from kpi_assets.outputs.chat.api import RefusedError, Slack, Upload
from kpi_assets.outputs.chat.message import Message, Post, note
from kpi_assets.outputs.chat.posting import Poster, Thread
from kpi_assets.outputs.chat.refusals import TOKEN_WIDE
from kpi_assets.outputs.mailing.addresses import as_list
from kpi_assets.outputs.mailing.args import Template, picture_base, under

TOKEN = "SLACK_API_TOKEN"  # noqa: S105 - the name of a variable
ID = re.compile(r"[CDGU][A-Z0-9]{7,}")
"""A channel or person as Slack itself names them."""
NO_CHANNEL = "is no channel: write #name, or the id that Slack shows in its details"


def _channels(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Every channel once: `#sales` and `sales` are the same."""
    found: dict[str, str] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        if not text.strip("#") or " " in text:
            raise ValueError(f"'{text}' {NO_CHANNEL}")
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
    images_from: str | None = Field(
        None,
        description="Id of an output of this report that publishes the page: Slack loads charts from where it put "
        "them. They are uploaded where that has no address, or failed.",
    )
    tables: Literal["text", "image", "both"] = Field(
        "text",
        description="text: tables in fixed width. image: as pictures, which the extra `pdf` draws; as text where Slack "
        "does not take them. both: the picture, then the text.",
    )
    again: Literal["post", "update"] = Field(
        "post",
        description="What `redeliver: on_change` and --force do in a channel that has the edition: post a new message, "
        "or update the one that stands there, for which nobody is notified.",
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

    @model_validator(mode="after")
    def _one_place(self) -> SlackArgs:
        if self.images_from and self.image_remote_base_url:
            raise ValueError("`images_from` and `image_remote_base_url` both say where charts are: keep one")
        return self


class SlackOutput(Output):
    """Posts to every channel, each a delivery of its own. A message that may have arrived is never posted again."""

    Args = SlackArgs
    effect = "notify"
    announces = True
    kinds = ("slack",)
    personal: ClassVar = {"channels": "address", "image_remote_base_url": "link"}
    args: SlackArgs
    sleep: Callable[[float], None] = staticmethod(time.sleep)

    @property
    def formats(self) -> frozenset[Format]:
        return frozenset[Format](("slack",) if self.args.tables == "text" else ("slack_tables",))

    @property
    def publisher(self) -> str | None:
        return self.args.images_from

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.args.channels

    def split(self) -> tuple[SlackOutput, ...]:
        return tuple(self._with((channel,)) for channel in self.args.channels)

    def readdressed(self, to: Sequence[str]) -> SlackOutput:
        mail = next((text for text in to if "@" in text[1:]), None)
        if mail is not None:
            raise DeliveryError(self.id, f"'{mail}' {NO_CHANNEL}")
        try:
            return self._with(_channels(tuple(to)))
        except ValueError as error:
            raise DeliveryError(self.id, str(error)) from None

    def deliver(self, document: Document) -> Receipt:
        return self._told(document, lambda poster, posts: poster.post(posts))

    def deliver_again(self, document: Document, earlier: Receipt) -> Receipt:
        if self.args.again == "post" or not earlier.messages or len(self.args.channels) > 1:
            return self.deliver(document)
        return self._told(document, lambda poster, posts: poster.update(earlier.messages, posts))

    def _told(self, document: Document, tell: Callable[[Poster, list[Post]], Thread]) -> Receipt:
        """Every channel told in its turn; one that refuses does not stop the others."""
        slack = self._slack()
        posts, details = self._posts(slack, document)
        threads: dict[str, Thread] = {}
        refused: list[str] = []
        for channel in self.args.channels:
            try:
                threads[channel] = tell(Poster(slack, channel, self.sleep), posts)
            except RefusedError as error:
                if error.code in TOKEN_WIDE:
                    raise DeliveryError(self.id, error.reason) from None
                refused.append(f"{channel}: {error.reason}")
            except DeliveryError as error:
                already = f"; posted to {', '.join(threads)} before that" if threads else ""
                raise DeliveryError(self.id, f"{channel}: {error.reason}{already}", ambiguous=True) from None
        if not threads:
            raise DeliveryError(self.id, "; ".join(refused))
        more = [detail for thread in threads.values() for detail in thread.details]
        return Receipt(
            output=self.id,
            plugin="slack",
            effect="notify",
            location=", ".join(_address(slack, thread) for thread in threads.values()),
            content_hash=document.content_hash,
            recipients=tuple(threads),
            files=len(chat.uploads(document, self._stored(document))),
            detail="; ".join(
                [f"1 message and {len(posts) - 1} in its thread", *dict.fromkeys([*details, *more])]
            ),
            refused=tuple(refused),
            messages=tuple(id for thread in threads.values() for id in thread.ids),
        )

    def check(self) -> None:
        try:
            self._slack().check()
        except RefusedError as error:
            raise DeliveryError(self.id, error.reason) from None

    @classmethod
    def tells(cls, to: str) -> bool:
        return bool(ID.fullmatch(to)) or (to.startswith("#") and len(to) > 1 and " " not in to)

    def tell(self, to: str, subject: str, text: str) -> None:
        try:
            self._slack().post(to, note(subject, text))
        except RefusedError as error:
            raise DeliveryError(self.id, f"{to}: {error.reason}") from None

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

    def _stored(self, document: Document) -> list[Message]:
        return chat.stored_messages(
            document, "slack.json" if self.args.tables == "text" else "slack-tables.json"
        )

    def _posts(self, slack: Slack, document: Document) -> tuple[list[Post], list[str]]:
        """The messages as they are sent, and what is to be said about their pictures."""
        stored = self._stored(document)
        sources, details = self._sources(slack, document, chat.uploads(document, stored))
        return chat.posts_of(stored, sources, words_too=self.args.tables == "both"), details

    def _sources(
        self, slack: Slack, document: Document, pictures: Mapping[str, Upload]
    ) -> tuple[dict[str, Message], list[str]]:
        """How Slack gets each picture, and what is to be said of that."""
        base, told = picture_base(document, self.args.image_remote_base_url, self.args.images_from)
        if base or not pictures:
            return chat.address_sources({path: under(base, document, path) for path in pictures}), []
        said = [f"charts were uploaded, since {told}"] if told else []
        try:
            ids = slack.upload(list(pictures.values()))
        except RefusedError as error:
            if error.code in TOKEN_WIDE:
                raise DeliveryError(self.id, error.reason) from None
            return {}, [f"without charts, they could not be uploaded: {error.reason}"]
        return chat.file_sources(dict(zip(pictures, ids, strict=False))), said


def _address(slack: Slack, thread: Thread) -> str:
    return slack.permalink(thread.channel, thread.stamps[0]) or thread.ids[0]
