"""Slack's API through slack_sdk: only what was explicitly not done is tried again."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from kpi_assets.contracts import handing_over
from kpi_assets.errors import DeliveryError, redact
from kpi_assets.outputs.chat.refusals import DOUBTFUL, details_of, in_words

CODE = re.compile(r"[a-z0-9_]+")
"""An error of Slack's own; the client puts other texts in its place where the answer is not JSON."""


@dataclass(frozen=True)
class Upload:
    """A picture to upload; `alt` says what it shows."""

    name: str
    content: bytes
    title: str
    alt: str


class RefusedError(Exception):
    """Slack did not do it, for sure. `code` is its error, `details` what it said with it."""

    def __init__(self, code: str, reason: str, details: Sequence[str] = ()) -> None:
        self.code, self.reason, self.details = code, reason, tuple(details)
        super().__init__(reason)


@dataclass(frozen=True)
class Slack:
    """One workspace, by its token. `patience`: seconds in all that we wait when told to come back later (429)."""

    output: str
    token: str = field(repr=False)
    base_url: str = "https://slack.com/api/"
    timeout: int = 30
    patience: float = 150
    sleep: Callable[[float], None] = time.sleep

    def check(self) -> str:
        """Who we are, `app in team`."""
        answer = self._call(lambda client: client.auth_test(), what="auth.test")
        return f"{answer.get('user')} in {answer.get('team')}"

    def upload(self, uploads: Sequence[Upload]) -> list[str]:
        """Upload pictures that nobody sees yet; their ids, in order."""
        files = [
            {"filename": u.name, "content": u.content, "title": u.title, "alt_txt": u.alt} for u in uploads
        ]
        answer = self._call(lambda client: client.files_upload_v2(file_uploads=files), what="the upload")
        return [str(found["id"]) for found in answer.get("files") or []]

    def post(self, channel: str, message: Mapping[str, Any], thread: str | None = None) -> tuple[str, str]:
        """Post a message, or a reply in a thread; the channel's id and the message's time stamp, which is its id."""
        arguments = {**message, "channel": channel}
        if thread:
            arguments["thread_ts"] = thread
        handing_over()
        answer = self._call(
            lambda client: client.chat_postMessage(**arguments), what="the message", posts=True
        )
        return str(answer.get("channel") or channel), str(answer.get("ts") or "")

    def update(self, channel: str, stamp: str, message: Mapping[str, Any]) -> None:
        """Put other content into a message of ours. Doing it twice changes nothing."""
        content = {name: message[name] for name in ("text", "blocks")}
        handing_over()
        self._call(lambda client: client.chat_update(channel=channel, ts=stamp, **content), what="the change")

    def delete(self, channel: str, stamp: str) -> None:
        """Remove a message of ours."""
        self._call(lambda client: client.chat_delete(channel=channel, ts=stamp), what="the removal")

    def permalink(self, channel: str, message: str) -> str | None:
        """The address under which a message is found, where Slack tells."""
        try:
            answer = self._call(
                lambda client: client.chat_getPermalink(channel=channel, message_ts=message),
                what="the address",
            )
        except RefusedError:
            return None
        return str(answer.get("permalink") or "") or None

    def _call(self, ask: Callable[[Any], Any], *, what: str, posts: bool = False) -> Any:
        """Ask until the answer is not 429. Raises RefusedError, or DeliveryError where the answer is missing."""
        waited = 0.0
        while True:
            try:
                return self._once(ask, what, posts)
            except _LaterError as later:
                waited += later.seconds
                if waited > self.patience:
                    reason = f"Slack asks to wait {later.seconds:g} s, longer than `retry_for` allows"
                    raise RefusedError("ratelimited", reason) from None
                self.sleep(later.seconds)

    def _once(self, ask: Callable[[Any], Any], what: str, posts: bool) -> Any:
        from slack_sdk import WebClient
        from slack_sdk.errors import SlackApiError, SlackClientError

        # It writes answers, and errors that we word ourselves, to its own log, without a word on whose they are.
        logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
        # Without its own handlers the client would repeat a post after a broken line.
        client = WebClient(self.token, base_url=self.base_url, timeout=self.timeout, retry_handlers=[])
        try:
            return ask(client)
        except SlackApiError as error:
            raise self._refused(error.response, what, posts) from None
        except URLError as error:
            # Raised before the request was whole: nothing was done.
            raise RefusedError(
                "unreachable", self._safe(f"Slack cannot be reached: {error.reason}")
            ) from None
        except (SlackClientError, OSError, HTTPException) as error:
            raise self._unanswered(what, posts, type(error).__name__) from None

    def _refused(self, response: Any, what: str, posts: bool) -> Exception:
        status = int(getattr(response, "status_code", 0) or 0)
        data = response.data if isinstance(getattr(response, "data", None), Mapping) else {}
        if status == 429:
            return _LaterError(_seconds(response.headers))
        code = str(data.get("error") or "")
        if status >= 500 or code in DOUBTFUL or not CODE.fullmatch(code):
            return self._unanswered(what, posts, code if CODE.fullmatch(code) else f"status {status}")
        return RefusedError(code, self._safe(in_words(data)), details_of(data))

    def _unanswered(self, what: str, posts: bool, how: str) -> Exception:
        if not posts:
            return RefusedError("unanswered", self._safe(f"Slack did not answer {what} as it should ({how})"))
        reason = f"Slack took the message and did not answer as it should ({how}); it may stand in the channel: look"
        return DeliveryError(self.output, self._safe(f"{reason} before it is sent again"), ambiguous=True)

    def _safe(self, text: str) -> str:
        return redact(text, [self.token])


class _LaterError(Exception):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__()


def _seconds(headers: Mapping[str, Any]) -> float:
    """What Retry-After says; a second where it says nothing."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    text = found[0] if isinstance(found, list) else found
    try:
        return max(0.0, float(str(text)))
    except ValueError:
        return 1.0
