"""twitter.engagement: how posts did."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.contracts import Block, Picture, Prose, Table
from kpi_assets.errors import ViewError
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.engagement import EngagementArgs, EngagementView
from kpi_assets_tests.views.worlds import TEXTS, WEEK, context

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2024, 11, 18, tzinfo=BERLIN)


def rows(*posts: tuple[float, str, float, float, float]) -> pd.DataFrame:
    """Rows as the datasource gives them: hours after Monday's midnight, text, likes, replies, shares."""
    hours, texts, likes, replies, shares = (
        map(list, zip(*posts, strict=True)) if posts else ([], [], [], [], [])
    )
    times = pd.Series(pd.to_datetime([MONDAY + timedelta(hours=h) for h in hours], utc=True))
    return pd.DataFrame(
        {
            "time": times.astype("datetime64[ns, UTC]").dt.tz_convert(BERLIN),
            "text": pd.Series(texts, dtype=object),
            "url": pd.Series([f"https://x.com/q/status/{n}" for n in range(len(hours))], dtype=object),
            "like_count": pd.Series(likes, dtype="float64" if any(map(math.isnan, likes)) else "int64"),
            "reply_count": pd.Series(replies, dtype="int64"),
            "retweet_and_quote_count": pd.Series(shares, dtype="int64"),
        }
    )


def shown(frame: pd.DataFrame, args: Any = None, **more: Any) -> Block:
    before = frame.copy()
    view = EngagementView(EngagementArgs.model_validate(args or {}))
    block = view.render({"query": frame}, context("Posts", 6, **more))
    pd.testing.assert_frame_equal(frame, before)
    assert_honest_block(block)
    return block


def spec(block: Block) -> dict[str, Any]:
    return json.loads(next(element for element in block.elements if isinstance(element, Picture)).spec)


def words(block: Block) -> list[str]:
    return [row["text"] for row in spec(block)["datasets"].get("words", ())]


THREE = rows(
    (9, "Good morning", 3, 1, 0), (30, "The night bus runs until three", 120, 9, 30), (60, "Bye", 7, 2, 1)
)


def test_the_most_liked_post_is_the_finding_and_called_out() -> None:
    """Its share of all likes in the title, its words in the chart, its address under all of it."""
    block = shown(THREE)
    assert block.finding == "“The night bus runs until three” was liked most: 120 of 130 likes"
    assert " ".join(words(block)) == "“The night bus runs until three” 120 likes"
    picture, quote = block.elements[0], block.elements[1]
    assert isinstance(picture, Picture)
    assert isinstance(quote, Prose)
    assert picture.link_url == "https://x.com/q/status/1"
    assert quote.markdown == "“The night bus runs until three” [Tue, Nov 19, 06:00](https://x.com/q/status/1)"


def test_each_post_stands_at_its_likes_replies_and_shares() -> None:
    """Times are instants; the names of the series are those of the legend."""
    found = spec(shown(THREE))["datasets"]["values"]
    likes = [(row["x"], row["y"]) for row in found if row["series"] == "Likes"]
    assert likes == [("2024-11-18T08:00Z", 3), ("2024-11-19T05:00Z", 120), ("2024-11-20T11:00Z", 7)]
    assert [row["y"] for row in found if row["series"] == "Shares"] == [0, 30, 1]
    assert {row["series"] for row in found} == {"Likes", "Replies", "Shares"}


def test_the_table_holds_the_most_liked_first_with_links() -> None:
    """`top` says how many; the note says how many there are."""
    block = shown(THREE, {"top": 2})
    table = block.elements[2]
    assert isinstance(table, Table)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["The night bus runs until three", "Tue, Nov 19, 06:00", "120", "9", "30"],
        ["Bye", "Wed, Nov 20, 12:00", "7", "2", "1"],
    ]
    assert table.rows[1][0].link_url == "https://x.com/q/status/2"
    assert "2 of 3 posts" in block.note
    assert len(shown(THREE, {"top": 0}).elements) == 2


@pytest.mark.parametrize(
    ("posts", "finding"),
    [
        ([(1, "a", 5, 0, 0)], "The only post got 5 likes"),
        ([(1, "a", 1, 0, 0)], "The only post got 1 like"),
        ([(1, "a", 0, 4, 0)], "Nobody liked the only post"),
        ([(1, "a", 0, 4, 0), (2, "b", 0, 0, 0)], "Nobody liked a post"),
        (
            [(1, "a", 4, 0, 0), (2, "b", 4, 0, 0), (3, "c", 1, 0, 0)],
            "2 of 3 posts were liked most, 4 likes each",
        ),
        ([(1, "a", math.nan, 0, 0), (2, "b", 4, 0, 0)], "“b” was liked most: 4 of 4 likes"),
    ],
)
def test_nothing_is_said_that_is_not_so(posts: list[Any], finding: str) -> None:
    """Ties have no single best post, and nothing stands out where nobody liked anything."""
    block = shown(rows(*posts))
    assert block.finding == finding
    best = " was liked most" in finding or finding.startswith("The only")
    assert bool(words(block)) is best


def test_posts_outside_the_window_are_not_shown() -> None:
    """The first midnight is in it, the last is not."""
    block = shown(rows((-1, "before", 99, 0, 0), (0, "first", 1, 0, 0), (7 * 24, "after", 99, 0, 0)))
    assert block.finding == "The only post got 1 like"


def test_no_posts_are_no_error() -> None:
    """A quiet week gives a sentence."""
    block = shown(rows())
    assert (block.status, block.elements[0]) == ("empty", Prose(markdown="No posts."))


def test_markdown_in_a_post_is_shown_as_it_was_written() -> None:
    """A post cannot make a link or an emphasis of its own."""
    quote = shown(rows((1, "[x](javascript:1) *b* <i> `c` 5 < 6 & _d_", 2, 0, 0))).elements[1]
    assert isinstance(quote, Prose)
    from markdown_it import MarkdownIt

    html = MarkdownIt().render(quote.markdown)
    assert html.count("<a ") == 1
    assert "[x](javascript:1) *b* &lt;i&gt; `c` 5 &lt; 6 &amp; _d_" in html


def test_long_texts_and_links_are_cut_between_words() -> None:
    """Links say nothing in a title."""
    text = (
        "See https://t.co/abcdef for everything that we have planned for the coming summer months and beyond"
    )
    title = shown(rows((1, text, 2, 0, 0), (2, "b", 1, 0, 0))).title
    assert title == "“See for everything that we have planned for…” was liked most: 2 of 3 likes"


def test_thousands_of_points_on_the_same_spots_are_drawn_once() -> None:
    """A busy account's page stays small."""
    many = rows(*((n / 20, f"post {n}", n % 50, 0, 0) for n in range(3000)))
    block = shown(many)
    assert len(spec(block)["datasets"]["values"]) < 5000
    assert block.rows == 3000


def test_the_query_is_tweets_of_the_account() -> None:
    """KPI Reporter's query_args are understood, and its other keys told to mean nothing."""
    view = EngagementView(EngagementArgs(query_args={"username": "a"}, exclude=("replies",)))
    need = view.needs()["query"]
    assert (need.datasource, need.text) == ("twitter", "tweets")
    assert need.args == {"username": "a", "exclude": ["replies"]}
    assert EngagementView(EngagementArgs(username="b")).needs()["query"].args == {"username": "b"}


def test_rows_of_another_datasource_are_refused() -> None:
    """The message says which plugin the datasource must have."""
    with pytest.raises(ViewError, match="must have plugin twitter"):
        shown(pd.DataFrame({"time": [1]}))


POSTS = st.lists(
    st.tuples(
        st.floats(-1, 170, allow_nan=False),
        TEXTS,
        st.integers(0, 10**9),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    max_size=4,
)


@settings(max_examples=6, deadline=None)
@given(POSTS)
def test_any_posts_give_an_honest_block(posts: list[Any]) -> None:
    """Whatever people write and like: a drawn chart, a title, no word of the machine."""
    block = shown(rows(*posts), window=WEEK)
    assert block.status in {"ok", "empty"}
