"""X's API on loopback, as strict as its documentation: OAuth 1.0a signatures, bearer tokens, parameters, pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kpi_assets_tests.outputs.http_peers import Answer, Asked, served

BEARER = "AAAA-secret-bearer-token"
KEYS = {
    "api_key": "app-key-1234",
    "api_secret": "app-secret-56/78",
    "access_token": "42-user-token-90",
    "access_token_secret": "user-secret+12==",
}
TIMELINE = {
    "start_time",
    "end_time",
    "max_results",
    "pagination_token",
    "tweet.fields",
    "exclude",
    "since_id",
    "until_id",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def post(id: int, at: datetime, text: str = "Hello", likes: int = 0, **counts: int) -> dict[str, Any]:
    """A post with all that X knows of it."""
    public = {
        "retweet_count": counts.get("retweets", 0),
        "reply_count": counts.get("replies", 0),
        "like_count": likes,
        "quote_count": counts.get("quotes", 0),
        "bookmark_count": 0,
        "impression_count": counts.get("seen", 100),
    }
    return {
        "id": str(id),
        "text": text,
        "edit_history_tweet_ids": [str(id)],
        "created_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "public_metrics": public,
        "non_public_metrics": {
            "impression_count": 100,
            "user_profile_clicks": id % 7,
            "engagements": likes + 1,
        },
        "author_id": "42",
    }


@dataclass
class X:
    """Accounts by name, their posts by id, and what was asked. `next`: answers that come first.

    `recent`: where private counts begin to be known, as X keeps them for 30 days.
    """

    posts: Mapping[str, Sequence[dict[str, Any]]]
    accounts: Mapping[str, str] = field(default_factory=lambda: {"quillmoor": "42", "Other": "7"})
    recent: str = ""
    page: int = 100
    next: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> Answer:  # noqa: PLR0911 - an answer per case
        parts = urlsplit(asked.path)
        form = dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else [])
        self.asked.append((parts.path, form))
        if self.next:
            return self.next.pop(0)
        who = self._who(asked, f"{self.url}{parts.path}", form)
        if asked.method != "GET" or who is None:
            return problem(401, "Unauthorized", "Unauthorized")
        if parts.path == "/2/users/me":
            if who != "user":
                return problem(
                    403, "Unsupported Authentication", "Authenticating with OAuth 2.0 Application-Only"
                )
            return Answer(200, {"data": {"id": "42", "name": "Quillmoor", "username": "quillmoor"}})
        if found := re.fullmatch(r"/2/users/by/username/(\w{1,15})", parts.path):
            return self._account(found[1])
        if found := re.fullmatch(r"/2/users/(\d+)/tweets", parts.path):
            return self._timeline(found[1], form, who)
        return problem(404, "Not Found", "Not Found")

    def _who(self, asked: Asked, url: str, form: Mapping[str, str]) -> str | None:
        given = asked.headers.get("Authorization", "")
        if given == f"Bearer {BEARER}":
            return "app"
        return "user" if given.startswith("OAuth ") and signed(given, asked.method, url, form) else None

    def _account(self, name: str) -> Answer:
        for known, id_ in self.accounts.items():
            if known.lower() == name.lower():
                return Answer(200, {"data": {"id": id_, "name": known, "username": known}})
        detail = f"Could not find user with username: [{name}]."
        return Answer(200, {"errors": [{"value": name, "detail": detail, "title": "Not Found Error"}]})

    def _timeline(self, id_: str, form: Mapping[str, str], who: str) -> Answer:
        fields = set(form.get("tweet.fields", "").split(","))
        private = "non_public_metrics" in fields
        if fault := _fault(form):
            return problem(400, "Invalid Request", fault)
        if private and (who != "user" or id_ != "42"):
            return Answer(
                200, {"errors": [{"title": "Field Authorization Error", "detail": "Sorry, private."}]}
            )
        first, last = form.get("start_time", ""), form.get("end_time", "9")
        if private:
            first = max(first, self.recent)
        own = sorted(self.posts.get(id_, ()), key=lambda item: int(item["id"]), reverse=True)
        fit = [item for item in own if first <= item["created_at"][:19] + "Z" <= last]
        at = int(form.get("pagination_token", "t0")[1:])
        size = min(int(form.get("max_results", "10")), self.page)
        shown = [
            {k: v for k, v in item.items() if k in fields | {"id", "text"}} for item in fit[at : at + size]
        ]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if at + size < len(fit):
            meta["next_token"] = f"t{at + size}"
        return Answer(200, {**({"data": shown} if shown else {}), "meta": meta})


def problem(status: int, title: str, detail: str, **headers: str) -> Answer:
    """X says no."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"title": title, "detail": detail, "type": "about:blank", "status": status}, named)


@contextmanager
def x(posts: Sequence[dict[str, Any]] = (), **more: Any) -> Iterator[tuple[str, X]]:
    """The address of an X on which the account 42 wrote these posts, and what it was asked."""
    held = X({"42": posts, **more.pop("others", {})}, **more)
    with served(held.answer) as address:
        held.url = address
        yield address, held


def _fault(form: Mapping[str, str]) -> str:
    if unknown := set(form) - TIMELINE:
        return f"The query parameter [{sorted(unknown)[0]}] is not one of [...]"
    for name in ("start_time", "end_time"):
        if name in form and not MOMENT.fullmatch(form[name]):
            return f"The `{name}` query parameter value [{form[name]}] is not valid"
    if form.get("start_time", "9") < "2010-11-06T00:00:00Z":
        return "'start_time' must be on or after 2010-11-06"
    if not 5 <= int(form.get("max_results", "10")) <= 100:
        return "The `max_results` query parameter value is not between 5 and 100"
    if set(filter(None, form.get("exclude", "").split(","))) - {"replies", "retweets"}:
        return "The `exclude` query parameter value is not one of [retweets,replies]"
    return ""


def signed(header: str, method: str, url: str, form: Mapping[str, str]) -> bool:
    """Is it RFC 5849's HMAC-SHA1 signature with the app's and the user's keys?"""
    given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
    if (given.get("oauth_consumer_key"), given.get("oauth_token")) != (KEYS["api_key"], KEYS["access_token"]):
        return False
    signature = given.pop("oauth_signature", "")
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in {**form, **given}.items())
    base = "&".join([method, _escaped(url), _escaped("&".join(f"{name}={value}" for name, value in pairs))])
    key = f"{_escaped(KEYS['api_secret'])}&{_escaped(KEYS['access_token_secret'])}"
    made = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    return hmac.compare_digest(base64.b64encode(made).decode(), signature)


def _escaped(text: str) -> str:
    return quote(text, safe="~-._")
