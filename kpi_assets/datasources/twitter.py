"""X, formerly Twitter: the posts of an account in the window, with what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, model_validator

from kpi_assets.contracts import Datasource, PluginArgs, Query, QueryAnalysis, Window
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import Address, RefusedError
from kpi_assets.datasources.x.client import Account, Login, Manner, XClient
from kpi_assets.datasources.x.posts import posts_frame, read_post, read_private
from kpi_assets.errors import QueryError, suggest

if TYPE_CHECKING:
    import pandas as pd

FIELDS = ["id", "text", "created_at", "public_metrics", "note_tweet"]
FIRST = datetime(2010, 11, 6, tzinfo=UTC)
"""X refuses earlier bounds."""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class TwitterArgs(PluginArgs):
    """X's API, asked as a user (four keys) or as an app (a bearer token)."""

    bearer_token: SecretStr | None = Field(None, description="Token of an app: write {env: NAME}.")
    api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("api_key", "consumer_key"),
        description="Key of the app; also `consumer_key`.",
    )
    api_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("api_secret", "consumer_secret"),
        description="Secret of the app; also `consumer_secret`.",
    )
    access_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("access_token", "access_token_key"),
        description="Token of the user whose own posts are asked for; also `access_token_key`.",
    )
    access_token_secret: SecretStr | None = Field(None, description="Secret of that token.")
    pagination_delay_s: float = Field(5, ge=0, le=600, description="Seconds between two pages of 100 posts.")
    timeout: float = Field(30, gt=0, le=3600, description="Seconds to wait for each answer.")
    retry_for: float = Field(60, ge=0, le=3600, description="Seconds to go on trying while X is away.")
    deadline: float = Field(
        1200,
        gt=0,
        le=86_400,
        description="Seconds for a query with its pages; a rate limit lasts 15 minutes.",
    )
    api_url: Address = Field("https://api.x.com", description="Address of the API.")

    @model_validator(mode="after")
    def _whole_login(self) -> TwitterArgs:
        four = [self.api_key, self.api_secret, self.access_token, self.access_token_secret]
        if any(four) and not all(four):
            raise ValueError(
                "`api_key`, `api_secret`, `access_token` and `access_token_secret` belong together: give all four"
            )
        if not any(four) and not self.bearer_token:
            raise ValueError(
                "a login is missing: give `bearer_token`, or `api_key`, `api_secret`, `access_token` and "
                "`access_token_secret`"
            )
        return self

    @property
    def login(self) -> Login:
        def text(secret: SecretStr | None) -> str:
            return secret.get_secret_value() if secret else ""

        return Login(
            text(self.bearer_token),
            text(self.api_key),
            text(self.api_secret),
            text(self.access_token),
            text(self.access_token_secret),
        )


class TweetsOptions(PluginArgs):
    """The options of the query `tweets`."""

    ignored_keys = {"fields": "all counts are fetched"}

    username: str | None = Field(None, pattern=r"^@?\w{1,15}$")
    exclude: Annotated[tuple[Literal["replies", "retweets"], ...], BeforeValidator(_as_list)] = ()
    non_public_metrics: bool = True


class TwitterDatasource(Datasource):
    """The query `tweets`: an account's posts, the oldest first, with their counts of the moment."""

    Args = TwitterArgs
    kinds = ("twitter",)
    libraries = ("tweepy",)
    language = "text"
    args: TwitterArgs

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        del args
        _options(query)
        return QueryAnalysis("day", "each post is of the day it was written on", "time")

    @property
    def concurrency(self) -> int:
        return 1

    @cached_property
    def client(self) -> XClient:
        args = self.args
        manner = Manner(args.api_url, args.timeout, args.retry_for, args.pagination_delay_s)
        return XClient(self.id, args.login, manner)

    def query(self, query: Query, window: Window) -> pd.DataFrame:
        options, deadline = _options(query), Deadline(self.args.deadline)
        try:
            account = self.client.account(options.username, deadline)
            params = _params(window, options)
            records = self.client.posts(account, deadline, tweet_fields=FIELDS, **params)
            posts = [read_post(record) for record in records]
            private = None
            if account.own and options.non_public_metrics:
                private = self._private(account, params, deadline) if posts else {}
            return posts_frame(posts, private, account.username, window)
        except RefusedError as error:
            raise QueryError(query.id, self.id, self.client.redacted(str(error))) from None

    def check(self) -> None:
        try:
            self.client.check(Deadline(self.args.deadline))
        except RefusedError as error:
            raise QueryError("login", self.id, self.client.redacted(str(error))) from None

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def _private(
        self, account: Account, params: Mapping[str, Any], deadline: Deadline
    ) -> dict[str, Mapping[str, int]]:
        """Counts that only the author sees, by id. A question of its own: its answer lacks posts older than 30 days."""
        records = self.client.posts(account, deadline, tweet_fields=["id", "non_public_metrics"], **params)
        return dict(read_private(record) for record in records)


def _params(window: Window, options: TweetsOptions) -> dict[str, Any]:
    """X's bounds are whole seconds, and it is not sure whether the last counts: the frame is cut afterwards."""
    start = max(window.starts_at.astimezone(UTC), FIRST)
    end = max(window.ends_at.astimezone(UTC), FIRST + timedelta(seconds=1))
    return {"start_time": start, "end_time": end, "exclude": list(options.exclude) or None}


def _options(query: Query) -> TweetsOptions:
    """The query's options. Raises QueryError."""
    if query.text.strip() not in ("", "tweets"):
        raise QueryError(query.id, query.datasource, f"'{query.text.strip()[:40]}' is no query: write tweets")
    args = {name: value for name, value in query.args.items() if name not in TweetsOptions.ignored_keys}
    for name in args:
        if name not in TweetsOptions.model_fields:
            raise QueryError(
                query.id,
                query.datasource,
                f"query_args: unknown key '{name}'; {suggest(name, TweetsOptions.model_fields)}",
            )
    try:
        return TweetsOptions.model_validate(args)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise QueryError(query.id, query.datasource, f"query_args: {where}: {first['msg']}") from None
