"""The stored messages with their pictures put in: as uploaded files, as addresses, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kpi_assets.contracts import Document
from kpi_assets.outputs.chat.api import Upload

Message = dict[str, Any]


def stored_messages(document: Document) -> list[Message]:
    """The messages of `slack.json`: the first is posted, the others answer it."""
    return json.loads(document.file("slack.json").content)["messages"]


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


def with_files(messages: Sequence[Message], ids: Mapping[str, str]) -> list[Message]:
    """Pictures by the ids of uploaded files; one without an id is left out."""
    return _replaced(messages, {path: {"slack_file": {"id": id}} for path, id in ids.items()})


def with_addresses(messages: Sequence[Message], addresses: Mapping[str, str]) -> list[Message]:
    """Pictures by addresses that Slack can load; one without is left out."""
    return _replaced(messages, {path: {"image_url": url} for path, url in addresses.items()})


def without_pictures(messages: Sequence[Message]) -> list[Message]:
    """No pictures at all: better than broken frames."""
    return _replaced(messages, {})


def without_uploads(message: Message) -> Message:
    """One message without the files that Slack did not accept."""
    return {**message, "blocks": [block for block in message["blocks"] if "slack_file" not in block]}


def _replaced(messages: Sequence[Message], sources: Mapping[str, Mapping[str, Any]]) -> list[Message]:
    changed = [{**message, "blocks": _blocks(message["blocks"], sources)} for message in messages]
    return [message for message in changed if message["blocks"]]


def _blocks(blocks: Sequence[Message], sources: Mapping[str, Mapping[str, Any]]) -> list[Message]:
    kept: list[Message] = []
    for block in blocks:
        if block["type"] != "image":
            kept.append(block)
        elif block["image_url"] in sources:
            rest = {name: value for name, value in block.items() if name != "image_url"}
            kept.append({**rest, **sources[block["image_url"]]})
    return kept
