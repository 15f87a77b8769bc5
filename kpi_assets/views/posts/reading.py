"""Rows of the datasource twitter -> posts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kpi_assets.contracts import Window
from kpi_assets.errors import ViewError

if TYPE_CHECKING:
    import pandas as pd

COUNTS = {"like_count": "Likes", "reply_count": "Replies", "retweet_and_quote_count": "Shares"}
NEEDED = ("time", "text", "url", *COUNTS)
_LINKS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Post:
    """A post of the window; `at` is zone-aware in the report's zone. Shares are retweets and quotes together."""

    at: datetime
    text: str
    url: str
    likes: int
    replies: int
    shares: int

    @property
    def counts(self) -> tuple[int, int, int]:
        """In the order of COUNTS."""
        return (self.likes, self.replies, self.shares)

    def excerpt(self, most: int) -> str:
        """The text on one line without its links, cut between words with an ellipsis."""
        words = " ".join(_LINKS.sub("", self.text).split()).rstrip(" :–-") or " ".join(self.text.split())
        if len(words) <= most:
            return words
        cut = words[:most].rsplit(" ", 1)[0] if " " in words[:most] else words[: most - 1]
        return cut.rstrip(" ,.;:–-") + "…"


def posts_of(view: str, frame: pd.DataFrame, window: Window) -> list[Post]:
    """The window's posts in order of time. Raises ViewError for rows of another datasource."""
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise ViewError(
            view, f"the rows have no column '{missing[0]}': the datasource must have plugin twitter"
        )
    if frame.empty:
        return []
    zone = ZoneInfo(window.zone)
    columns = [frame[name].tolist() for name in NEEDED]
    found = [
        Post(
            at.to_pydatetime().astimezone(zone),
            str(text),
            str(url),
            _count(likes),
            _count(replies),
            _count(shares),
        )
        for at, text, url, likes, replies, shares in zip(*columns, strict=True)
    ]
    inside = [post for post in found if window.starts_at <= post.at < window.ends_at]
    return sorted(inside, key=lambda post: post.at)


def _count(value: float) -> int:
    return int(value) if value == value else 0  # noqa: PLR0124 - NaN, a count that X did not tell


def most_liked(posts: Sequence[Post]) -> list[Post]:
    """Those with the most likes, the oldest first; none where nobody liked any."""
    most = max((post.likes for post in posts), default=0)
    return [post for post in posts if post.likes == most] if most else []
