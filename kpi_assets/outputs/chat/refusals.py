"""Slack's error codes in plain words, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS: Mapping[str, str] = {
    "invalid_auth": "the token is not valid; copy it again (xoxb-...) and check `api_token`",
    "not_authed": "no token was given; write `api_token: {env: SLACK_API_TOKEN}`",
    "account_inactive": "the token belongs to a deleted user or an app that was removed; install the app again",
    "token_revoked": "the token was revoked; install the app again and use its new token",
    "token_expired": "the token has expired; give a new one",
    "missing_scope": "the app lacks a permission; add it under OAuth & Permissions and install the app again",
    "channel_not_found": "there is no such channel, or the app does not see it; use its id and invite the app",
    "not_in_channel": "the app is not a member; invite it there with /invite, or give it chat:write.public",
    "is_archived": "the channel is archived",
    "restricted_action": "the workspace does not let this app post there; ask an administrator",
    "msg_too_long": "the message is too long",
    "msg_blocks_too_long": "the message's blocks are too long in all",
    "invalid_blocks": "Slack does not accept a block of the message",
    "ratelimited": "too many requests; try later",
}
DOUBTFUL = {"internal_error", "fatal_error", "request_timeout", "service_unavailable"}
"""After these Slack may have done what was asked."""
TOKEN_WIDE = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
"""These are the same for every channel."""


def in_words(data: Mapping[str, Any]) -> str:
    """What an answer without `ok` says: the meaning, Slack's own code, and its details."""
    code = str(data.get("error") or "an answer that is not JSON")
    meaning = WORDS.get(code)
    needed = f", needed: {data['needed']}" if data.get("needed") else ""
    details = "; ".join(details_of(data))
    said = f"{code}{needed}" + (f": {details}" if details else "")
    return f"{meaning} (Slack said {said})" if meaning else f"Slack said {said}"


def details_of(data: Mapping[str, Any]) -> list[str]:
    """The sentences that come with an error."""
    metadata = data.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, Mapping) else None
    found = data.get("errors") or messages or []
    return [str(text) for text in found] if isinstance(found, list) else []
