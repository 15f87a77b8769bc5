"""Posts as X gives them -> a frame: time, id, text, url, and a column per count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_assets.contracts import Window
from kpi_assets.datasources.web import RefusedError

if TYPE_CHECKING:
    import pandas as pd

PUBLIC = ("like_count", "reply_count", "retweet_count", "quote_count", "bookmark_count", "impression_count")
PRIVATE = ("user_profile_clicks", "url_link_clicks", "engagements")
BOTH = "retweet_and_quote_count"
"""KPI Reporter's column: retweets and quotes together."""


@dataclass(frozen=True)
class Post:
    """A post. `counts` holds what X told; a count that it did not tell is missing."""

    id: str
    at: datetime
    text: str
    counts: Mapping[str, int]


def read_post(record: Any) -> Post:
    """Raises RefusedError for a record that is not as X documents it."""
    try:
        at = datetime.fromisoformat(record["created_at"])
        if at.tzinfo is None:
            raise ValueError("no offset")
        text = record.get("note_tweet", {}).get("text") or record["text"]
        text = unescape(str(text))  # X writes &amp; for &
        return Post(str(record["id"]), at, text, _counts(record, "public_metrics"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RefusedError(f"a post is not as X documents it ({type(error).__name__}: {error})") from None


def read_private(record: Any) -> tuple[str, Mapping[str, int]]:
    """A post's id and the counts that only its author sees."""
    try:
        return str(record["id"]), _counts(record, "non_public_metrics")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RefusedError(f"a post is not as X documents it ({type(error).__name__}: {error})") from None


def _counts(record: Any, kind: str) -> dict[str, int]:
    return {str(name): int(value) for name, value in record.get(kind, {}).items()}


def posts_frame(
    posts: Sequence[Post], private: Mapping[str, Mapping[str, int]] | None, username: str, window: Window
) -> pd.DataFrame:
    """The posts of `[start, end)` from the oldest to the newest; times in the window's zone.

    `private`: counts by id, or None where nobody asked for them. Public counts are whole numbers where X told all.
    """
    import pandas as pd

    inside = [post for post in posts if window.starts_at <= post.at < window.ends_at]
    inside = sorted({post.id: post for post in inside}.values(), key=lambda post: (post.at, int(post.id)))
    times = pd.Series(pd.to_datetime([post.at for post in inside], utc=True), dtype="datetime64[ns, UTC]")
    columns: dict[str, Any] = {
        "time": times.dt.tz_convert(ZoneInfo(window.zone)),
        "id": _texts([post.id for post in inside]),
        "text": _texts([post.text for post in inside]),
        "url": _texts([f"https://x.com/{username}/status/{post.id}" for post in inside]),
    }
    columns |= {name: _numbers([post.counts.get(name) for post in inside]) for name in PUBLIC}
    columns[BOTH] = columns["retweet_count"] + columns["quote_count"]
    if private is not None:
        for name in PRIVATE:
            known = [private.get(post.id, {}).get(name) for post in inside]
            columns[name] = pd.Series(known, dtype="float64")
    return pd.DataFrame(columns, index=pd.RangeIndex(len(inside)))


def _texts(values: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Series(values, dtype=object)


def _numbers(values: Any) -> Any:
    import pandas as pd

    return pd.Series(values, dtype="float64" if None in values else "int64")
