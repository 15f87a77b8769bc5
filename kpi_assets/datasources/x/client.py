"""Calls of X's API through tweepy: the address, timeouts and one deadline, rate limits waited for, plain words."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import AwayError, RefusedError
from kpi_assets.errors import PluginError, RetriableError, redact
from kpi_assets.logs import logger
from kpi_assets.registry import install_hint
from kpi_assets.retries import attempts

log = logger(__name__)

TWEEPYS_HOST = "https://api.twitter.com"
MOST_WORDS = 400
PAGE = 100
"""Posts that X gives at once."""
TIMELINE = 3200
"""Posts of an account that X gives at all, the newest."""


@dataclass(frozen=True)
class Login:
    """The keys as X calls them; "" where there is none."""

    bearer_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    access_token: str = ""
    access_token_secret: str = ""

    @property
    def as_user(self) -> bool:
        return bool(self.access_token)

    @property
    def secrets(self) -> tuple[str, ...]:
        keys = (self.bearer_token, self.api_key, self.api_secret, self.access_token, self.access_token_secret)
        return tuple({form for key in keys if key for form in (key, quote(key, safe=""))})


@dataclass(frozen=True)
class Manner:
    """Where X is, and how long may be waited."""

    url: str
    timeout: float
    retry_for: float
    pagination_delay_s: float


@dataclass(frozen=True)
class Account:
    """An account of X. `own`: the one that asks."""

    id: str
    username: str
    own: bool = False


class XClient:
    """Asks, one request at a time. Opened on first use."""

    def __init__(self, id: str, login: Login, manner: Manner) -> None:
        self.id, self.login, self.manner = id, login, manner
        self._lock = threading.Lock()

    def account(self, username: str | None, deadline: Deadline) -> Account:
        """The account of that name, or the one that asks. Raises RefusedError for one that is not there."""
        me = self._me(deadline) if self.login.as_user else None
        if username is None:
            if me is None:
                raise RefusedError(
                    "whose posts? Write query_args.username, or log in as a user (`access_token` and its secret)"
                )
            return me
        name = username.strip().removeprefix("@")
        if me and name.casefold() == me.username.casefold():
            return me
        found = self._ask(lambda: self._tweepy.get_user(username=name, user_auth=self._as_user), deadline)
        return _account(_data(found, f"X knows no account '{name}'"))

    def posts(self, account: Account, deadline: Deadline, **params: Any) -> Iterator[Mapping[str, Any]]:
        """The account's posts, newest first, page after page."""
        token, count = None, 0
        while True:
            page = self._ask(lambda token=token: self._page(account, token, params), deadline)
            records = page.get("data") or ()
            if not records and page.get("errors"):
                raise RefusedError(f"X shows no posts of '{account.username}': {_words(page)}")
            count += len(records)
            yield from records
            meta = page.get("meta") or {}
            if not isinstance(meta, dict) or (token and meta.get("next_token") == token):
                raise RefusedError(_STRANGE)
            token = meta.get("next_token")
            if not token:
                break
            self._pause(self.manner.pagination_delay_s, deadline)
        if count >= TIMELINE:
            log.warning("X gives the newest %d posts of an account: older ones may be missing", TIMELINE)

    def check(self, deadline: Deadline) -> None:
        """Ask for the own account, or, as an app, for one that is certainly there."""
        if self.login.as_user:
            self._me(deadline)
        else:
            self._ask(lambda: self._tweepy.get_user(username="X"), deadline)

    def close(self) -> None:
        if "_tweepy" in self.__dict__:
            self.__dict__.pop("_tweepy").session.close()

    def redacted(self, words: str) -> str:
        return redact(words, self.login.secrets)

    @property
    def _as_user(self) -> bool:
        """As the user where no app's token is given; both can read what is public."""
        return not self.login.bearer_token

    def _me(self, deadline: Deadline) -> Account:
        found = self._ask(lambda: self._tweepy.get_me(user_auth=True), deadline)
        return _account(_data(found, "X does not say whose access token it is"), own=True)

    def _page(self, account: Account, token: str | None, params: Mapping[str, Any]) -> Any:
        return self._tweepy.get_users_tweets(
            account.id,
            max_results=PAGE,
            pagination_token=token,
            user_auth=account.own or self._as_user,
            **params,
        )

    @cached_property
    def _tweepy(self) -> Any:
        import tweepy

        for name in ("tweepy", "requests_oauthlib", "oauthlib"):  # they print headers with the keys
            logging.getLogger(name).setLevel(logging.WARNING)
        login = self.login
        make: Any = tweepy.Client
        client = make(
            login.bearer_token or None,
            login.api_key or None,
            login.api_secret or None,
            login.access_token or None,
            login.access_token_secret or None,
            return_type=dict,
        )
        client.session = _session(self.manner)
        return client

    def _ask(self, call: Callable[[], Any], deadline: Deadline) -> Any:
        """The answer's JSON object. Raises RefusedError, RetriableError, PluginError."""
        _require()
        try:
            for attempt in attempts(
                AwayError, min(self.manner.retry_for, deadline.left), first=0.5, longest=20
            ):
                with attempt:
                    return self._within_limits(call, deadline)
        except AwayError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from None
        raise RetriableError(f"datasource '{self.id}': nothing was tried")  # pragma: no cover

    def _within_limits(self, call: Callable[[], Any], deadline: Deadline) -> Any:
        """The answer; a rate limit is waited for, if it ends before the deadline."""
        import tweepy

        patience = 1.0
        while True:
            if deadline.left <= 0:
                raise RetriableError(
                    f"datasource '{self.id}': not finished after {deadline.seconds:g} s (`deadline`)"
                )
            try:
                with self._lock:
                    return self._once(call)
            except tweepy.TooManyRequests as error:
                self._refuse_used_up(error)
                self._wait(error, deadline, patience)
                patience = min(2 * patience, 60)

    def _once(self, call: Callable[[], Any]) -> Any:
        import requests
        import tweepy

        try:
            answer = call()
        except tweepy.TooManyRequests:
            raise
        except (tweepy.HTTPException, requests.RequestException) as error:
            raise self._plain(error) from None  # its request holds the login: it is not chained
        except (
            AttributeError,
            TypeError,
            ValueError,
        ):  # tweepy reads an error's body and headers as they should be
            raise RefusedError(_STRANGE) from None
        if not isinstance(answer, dict):
            raise RefusedError(_STRANGE)
        return answer

    def _plain(self, error: Any) -> Exception:
        """The same in words, and whether it passes."""
        import requests
        import tweepy

        if isinstance(error, tweepy.TwitterServerError):
            return AwayError(self._said(f"X answers {error}"))
        if isinstance(error, tweepy.HTTPException):
            return self._refused(error)
        if isinstance(error, requests.JSONDecodeError):
            return RefusedError("an answer is not JSON: is `api_url` the address of X's API?")
        if isinstance(error, requests.Timeout):
            return AwayError(f"X did not answer within {self.manner.timeout:g} s (`timeout`)")
        return AwayError(self._said(f"X cannot be reached: {_root(error)}"))

    def _refused(self, error: Any) -> RefusedError:
        status = error.response.status_code
        advice = {401: f": check {_KEYS}", 403: f": {_ACCESS}", 402: ": the account has no credits left"}
        return RefusedError(self._said(f"X answers {error}") + advice.get(status, ""))

    def _said(self, words: str) -> str:
        return self.redacted(" ".join(words.split()))[:MOST_WORDS]

    def _refuse_used_up(self, error: Any) -> None:
        """Raise RetriableError for what the account may read in a month: it is a 429 too, and lasts for days."""
        if "usage cap" in str(error).casefold():
            raise RetriableError(
                f"datasource '{self.id}': {self._said(f'X answers {error}')}: run again when X's month begins anew"
            )

    def _wait(self, error: Any, deadline: Deadline, patience: float) -> None:
        """Until the limit ends, and `patience` at least: the clocks may differ. Raises RetriableError where that is
        too late."""
        seconds = error.reset_time - time.time() + 1 if error.reset_time else 60.0
        seconds = max(seconds, patience)
        if seconds > deadline.left:
            ends = datetime.fromtimestamp(error.reset_time, UTC) if error.reset_time else None
            when = f", which ends at {ends:%Y-%m-%d %H:%M} UTC" if ends else ""
            raise RetriableError(f"datasource '{self.id}': X's rate limit is reached{when}: run again later")
        log.warning("X's rate limit is reached: waiting %d s", seconds)
        time.sleep(seconds)

    def _pause(self, seconds: float, deadline: Deadline) -> None:
        time.sleep(min(seconds, deadline.left))


def _session(manner: Manner) -> Any:
    """tweepy knows neither another address nor a timeout; its session may be another."""
    import requests

    class Session(requests.Session):
        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:  # type: ignore[override]
            address = manner.url + url.removeprefix(TWEEPYS_HOST)
            # A redirect is not followed: a login must not travel to a place that nobody named.
            more |= {"timeout": manner.timeout, "allow_redirects": False}
            return super().request(method, address, *args, **more)

    return Session()


_STRANGE = "an answer is not as X documents it"
_KEYS = "the keys (`bearer_token`, or `api_key` with `access_token` and both secrets), and that the clock is right"
_ACCESS = "the app's access level does not cover this, or the keys are not of a project"


def _require() -> None:
    try:
        importlib.import_module("tweepy")
    except ImportError as error:
        raise PluginError(f"the datasource twitter needs tweepy; {install_hint('tweepy')}") from error


def _data(answer: Mapping[str, Any], otherwise: str) -> Any:
    if isinstance(answer.get("data"), dict):
        return answer["data"]
    words = _words(answer)
    raise RefusedError(f"{otherwise}: {words}" if words else otherwise)


def _words(answer: Mapping[str, Any]) -> str:
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return (
        str(first.get("detail") or first.get("title") or "")[:MOST_WORDS] if isinstance(first, dict) else ""
    )


def _account(data: Mapping[str, Any], *, own: bool = False) -> Account:
    try:
        return Account(str(data["id"]), str(data["username"]), own)
    except KeyError:
        raise RefusedError("an answer is not as X documents it: an account has no id or name") from None


def _root(error: BaseException) -> str:
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return str(seen) or type(seen).__name__
