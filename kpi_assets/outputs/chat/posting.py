"""Messages as a thread in a channel: posted, or put in the place of those that stand there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kpi_assets.errors import DeliveryError
from kpi_assets.outputs.chat.api import RefusedError, Slack
from kpi_assets.outputs.chat.message import Message, Post

PROCESSING = (1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while Slack still looks at pictures that were just uploaded."""
GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
"""What an earlier message answers that cannot be changed any more."""


@dataclass(frozen=True)
class Thread:
    """What stands in the channel: its id, the messages' time stamps, the first opening the thread, and remarks."""

    channel: str
    stamps: tuple[str, ...]
    details: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """For receipts."""
        return tuple(f"{self.channel}/{stamp}" for stamp in self.stamps)


@dataclass(frozen=True)
class Poster:
    """Posts to one channel; `channel` is its name in messages to people."""

    slack: Slack
    channel: str
    sleep: Callable[[float], None]

    def post(self, posts: Sequence[Post]) -> Thread:
        """The first message and its replies; once the first stands, nothing is an error any more.

        Raises RefusedError where nothing was posted, DeliveryError where nobody can know.
        """
        place, opened = self.channel, ""

        def open_(message: Message) -> None:
            nonlocal place, opened
            place, opened = self.slack.post(self.channel, message)

        details = [*self._shown(posts[0], open_)]
        stamps, more = self._replies(Thread(place, (opened,)), posts[1:])
        return Thread(place, (opened, *stamps), (*details, *more))

    def update(self, ids: Sequence[str], posts: Sequence[Post]) -> Thread:
        """Put the messages in the place of those with these ids; post anew where the first cannot be changed.

        Nothing is doubled however often this is done. Raises as `post` does.
        """
        place = ids[0].partition("/")[0]
        stamps = [id.partition("/")[2] for id in ids]
        try:
            details = [*self._shown(posts[0], lambda message: self.slack.update(place, stamps[0], message))]
        except RefusedError as error:
            if error.code not in GONE:
                raise
            thread = self.post(posts)
            reason = (
                f"{self.channel}: the earlier message could not be changed ({error.code}), a new one stands"
            )
            return Thread(thread.channel, thread.stamps, (*thread.details, reason))
        kept, more = self._replies(Thread(place, tuple(stamps)), posts[1:])
        return Thread(place, (stamps[0], *kept), (*details, *more))

    def _replies(self, thread: Thread, posts: Sequence[Post]) -> tuple[list[str], list[str]]:
        """Reply by reply: in the place of an earlier one, else a new one; what is left of the earlier is removed."""
        before, stamps, details = list(thread.stamps[1:]), list[str](), list[str]()
        for number, post in enumerate(posts, 1):
            earlier = before.pop(0) if before else None
            try:
                details += self._shown(
                    post, lambda message, at=earlier: stamps.append(self._reply(thread, message, at))
                )
            except (RefusedError, DeliveryError) as error:
                details.append(f"{self.channel}: reply {number} of {len(posts)} is missing: {error}")
                break
        else:
            details += self._removed(thread.channel, before)
        return stamps, details

    def _reply(self, thread: Thread, message: Message, earlier: str | None) -> str:
        if earlier:
            self.slack.update(thread.channel, earlier, message)
            return earlier
        return self.slack.post(thread.channel, message, thread.stamps[0])[1]

    def _removed(self, channel: str, stamps: Sequence[str]) -> Iterator[str]:
        for stamp in stamps:
            try:
                self.slack.delete(channel, stamp)
            except RefusedError as error:
                yield f"{self.channel}: an earlier reply is still there: {error.reason}"

    def _shown(self, post: Post, send: Callable[[Message], object]) -> list[str]:
        """Send one message. Pictures that Slack still works on are waited for, and left out in the end."""
        for pause in (*PROCESSING, None):
            try:
                send(post.message)
            except RefusedError as error:
                if not _about_pictures(error):
                    raise
                if pause is not None:
                    self.sleep(pause)
            else:
                return []
        if post.plain["blocks"]:
            send(post.plain)
        return ["without charts, Slack did not accept the uploaded files"]


def _about_pictures(error: RefusedError) -> bool:
    """Slack needs a moment before a file that was just uploaded can be shown."""
    return error.code == "invalid_blocks" and any(
        "slack file" in text or "slack_file" in text for text in error.details
    )
