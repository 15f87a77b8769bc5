"""The stored messages with their pictures put in: as uploaded files, as addresses, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpi_assets.contracts import Document
from kpi_assets.outputs.chat.api import Upload

Message = dict[str, Any]
MOST_NOTE = 4000
"""Characters of a message without blocks; Slack advises no more."""


def note(subject: str, text: str) -> Message:
    """A short message of plain words: what means something to Slack in them is escaped."""
    words = f"{subject}\n{text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": words[:MOST_NOTE], "mrkdwn": False, "unfurl_links": False}


@dataclass(frozen=True)
class Post:
    """A message as it is sent; `plain` is the same without pictures, with words instead of those that have some."""

    message: Message
    plain: Message


def stored_messages(document: Document, name: str = "slack.json") -> list[Message]:
    """The messages of a stored file: the first is posted, the others answer it."""
    return json.loads(document.file(name).content)["messages"]


def uploads(document: Document, messages: Sequence[Message]) -> dict[str, Upload]:
    """The pictures that the messages show, by their path in the document, each once."""
    found: dict[str, Upload] = {}
    for block in (block for message in messages for block in message["blocks"] if block["type"] == "image"):
        path = block["image_url"]
        title = block.get("title", {}).get("text", "")
        name = path.rpartition("/")[2]
        content = document.file(path).content
        found[path] = Upload(name, content, title or name, block["alt_text"][:1000])
    return found


def posts_of(
    messages: Sequence[Message], sources: Mapping[str, Message], *, words_too: bool = False
) -> list[Post]:
    """The messages with their pictures put in: `sources` says how Slack gets each, by its path in the document.

    One without a source is left out, its words come instead; `words_too`: they always come.
    """
    found = (
        Post(_replaced(message, sources, words_too=words_too), _replaced(message, {}, words_too=True))
        for message in messages
    )
    return [post for post in found if post.message["blocks"]]


def file_sources(ids: Mapping[str, str]) -> dict[str, Message]:
    """Pictures by the ids of uploaded files."""
    return {path: {"slack_file": {"id": id}} for path, id in ids.items()}


def address_sources(addresses: Mapping[str, str]) -> dict[str, Message]:
    """Pictures by addresses that Slack can load."""
    return {path: {"image_url": url} for path, url in addresses.items()}


def _replaced(message: Message, sources: Mapping[str, Message], *, words_too: bool) -> Message:
    return {**message, "blocks": list(_blocks(message["blocks"], sources, words_too=words_too))}


def _blocks(
    blocks: Sequence[Message], sources: Mapping[str, Message], *, words_too: bool
) -> Iterator[Message]:
    for block in blocks:
        if block["type"] != "image":
            yield block
            continue
        source = sources.get(block["image_url"])
        if source:
            rest = {name: value for name, value in block.items() if name not in ("image_url", "instead")}
            yield {**rest, **source}
        if words_too or not source:
            yield from block.get("instead", ())
