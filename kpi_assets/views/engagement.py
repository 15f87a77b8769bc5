"""`twitter.engagement`: how an account's posts did, and which was liked most."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from kpi_assets.contracts import (
    Block,
    Cell,
    Column,
    Element,
    Need,
    PluginArgs,
    Prose,
    RenderContext,
    Table,
    View,
)
from kpi_assets.style.dates import weekday_text
from kpi_assets.views.composing import compose, days_of, measure_of, nothing
from kpi_assets.views.posts.reading import Post, most_liked, posts_of

if TYPE_CHECKING:
    import pandas as pd

PLUGIN = "twitter.engagement"
IN_TITLE, IN_TABLE = 44, 72
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")
"""All that Markdown may read as a mark."""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class EngagementArgs(PluginArgs):
    """Whose posts, and how they are shown."""

    ignored_keys: ClassVar[Mapping[str, str]] = {
        "query": "the view asks for tweets by itself",
        "kind": "it is always a scatter",
        "plot_rc": "theme the report instead",
        "legend": "there is always one",
        "label_map": "likes, replies and shares have these names",
        **dict.fromkeys(
            ("time_column", "groupby", "stacked", "bar_labels", "xtick_rotation", "link_url"),
            "its chart is always made of posts",
        ),
    }

    datasource: str = Field("twitter", description="Id of a datasource with plugin twitter.")
    username: str | None = Field(
        None, pattern=r"^@?\w{1,15}$", description="Whose posts; none: those of the account that asks."
    )
    exclude: Annotated[tuple[Literal["replies", "retweets"], ...], BeforeValidator(_as_list)] = Field(
        (), description="Posts that are left out: replies, retweets."
    )
    query_args: dict[str, Any] = Field(
        default_factory=dict, description="Options of the query, as in KPI Reporter: {username: quillmoor}."
    )
    top: int = Field(
        5, ge=0, le=50, description="Posts in the table beneath, the most liked first; 0 for none."
    )
    height: int | None = Field(None, ge=120, le=2000, description="Height of the chart in CSS pixels.")


class EngagementView(View):
    """A scatter of likes, replies and shares over time, the most liked post called out, over a table of the best."""

    Args = EngagementArgs
    kinds = ("altair", "table")
    args: EngagementArgs

    def needs(self) -> Mapping[str, Need]:
        args: dict[str, Any] = dict(self.args.query_args)
        if self.args.username:
            args["username"] = self.args.username
        if self.args.exclude:
            args["exclude"] = list(self.args.exclude)
        return {"query": Need(datasource=self.args.datasource, text="tweets", args=args)}

    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        frame = frames["query"]
        posts = posts_of(context.view, frame, context.window)
        if not posts:
            return nothing(context, PLUGIN, "No posts.").model_copy(update={"rows": len(frame)})
        best = most_liked(posts)
        finding = _finding(posts, best, context)
        elements: list[Element] = [self._picture(posts, best, context, finding)]
        if len(best) == 1:
            elements.append(_quote(best[0], context))
        if self.args.top:
            elements.append(_table(posts, self.args.top, context))
        return compose(
            context, PLUGIN, elements, rows=len(frame), finding=finding, note=self._note(len(posts), context)
        )

    def _picture(
        self, posts: Sequence[Post], best: Sequence[Post], context: RenderContext, finding: str
    ) -> Element:
        from kpi_assets.views.posts.drawing import picture

        alt = (
            f"Scatter plot of likes, replies and shares of {_posts(len(posts), context)}, {days_of(context)}."
        )
        alt = f"{finding}. {alt}" if finding else alt
        called = best[0] if len(best) == 1 else None
        return picture(posts, called, context, alt, height=self.args.height)

    def _note(self, count: int, context: RenderContext) -> str:
        sentences = ["Counts are those of the moment when X was asked. Shares are retweets and quotes."]
        if 0 < self.args.top < count:
            sentences.append(f"The table shows {self.args.top} of {_posts(count, context)}.")
        return " ".join(sentences)


def _finding(posts: Sequence[Post], best: Sequence[Post], context: RenderContext) -> str:
    """Which post was liked most, with its share of all likes where there are others."""
    if not best:
        return "Nobody liked a post" if len(posts) > 1 else "Nobody liked the only post"
    number = context.numbers.number
    likes = f"{number(best[0].likes)} {'like' if best[0].likes == 1 else 'likes'}"
    if len(posts) == 1:
        return f"The only post got {likes}"
    if len(best) > 1:
        return f"{number(len(best))} of {_posts(len(posts), context)} were liked most, {likes} each"
    total = sum(post.likes for post in posts)
    return f"“{best[0].excerpt(IN_TITLE)}” was liked most: {number(best[0].likes)} of {number(total)} likes"


def _posts(count: int, context: RenderContext) -> str:
    return f"{context.numbers.number(count)} {'post' if count == 1 else 'posts'}"


def _table(posts: Sequence[Post], top: int, context: RenderContext) -> Table:
    first = sorted(posts, key=lambda post: (-post.likes, -sum(post.counts), post.at))[:top]
    most = max(post.likes for post in posts)
    return Table(
        caption=f"{measure_of(context)}, the most liked, {days_of(context)}",
        columns=(
            Column(label="Post", header=True),
            Column(label="Written", low=True),
            Column(label="Likes"),
            Column(label="Replies", align="right"),
            Column(label="Shares", align="right"),
        ),
        rows=tuple(_row(post, most, context) for post in first),
    )


def _quote(post: Post, context: RenderContext) -> Prose:
    """The whole post that was liked most, with its address: chat has no links in pictures and tables."""
    text = _MARKS.sub(r"\\\1", " ".join(post.text.split()))
    return Prose(markdown=f"“{text}” [{_when(post, context)}]({post.url})")


def _when(post: Post, context: RenderContext) -> str:
    return f"{weekday_text(post.at.date(), context.numbers.locale)}, {post.at:%H:%M}"


def _row(post: Post, most: int, context: RenderContext) -> tuple[Cell, ...]:
    counts = [Cell(text=context.numbers.number(count), value=count) for count in post.counts]
    bar = {"bar": post.likes / most, "emphasis": post.likes == most} if most else {}
    return (
        Cell(text=post.excerpt(IN_TABLE), link_url=post.url),
        Cell(text=_when(post, context)),
        counts[0].model_copy(update=bar),
        *counts[1:],
    )
