"""Calls of Google's two APIs with a service account: one login, one deadline, retries for what passes, plain words."""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from kpi_assets.datasources.ga4.login import ADVICE, credentials_of
from kpi_assets.datasources.waiting import Deadline
from kpi_assets.datasources.web import AwayError, RefusedError
from kpi_assets.errors import PluginError, RetriableError, redact
from kpi_assets.logs import logger
from kpi_assets.registry import install_hint
from kpi_assets.retries import attempts

T = TypeVar("T")
log = logger(__name__)

PASSING = frozenset({429, 500, 502, 503, 504})
MOST_WORDS = 400
MOST_PAGES = 1000


@dataclass(frozen=True)
class Access:
    """Where Google is, who asks, and how long may be waited."""

    key_file: str
    data_url: str
    admin_url: str
    timeout: float
    retry_for: float


@dataclass(frozen=True)
class Property:
    """A GA4 property that the account may read."""

    number: str
    name: str
    account: str
    account_name: str


class GoogleClient:
    """Sends requests, from several threads. Opened on first use."""

    def __init__(self, id: str, access: Access) -> None:
        self.id, self.access = id, access
        self._lock = threading.Lock()

    def report(self, request: Any, deadline: Deadline) -> Any:
        """The raw answer to a RunReportRequest. Raises RefusedError, RetriableError."""

        def call(seconds: float) -> Any:
            return self._data.run_report(request, timeout=seconds, retry=None)

        answer = self._tried(call, deadline)
        return type(answer).pb(answer)

    def properties(self, deadline: Deadline) -> Iterator[Property]:
        """All properties that the account may read, account by account."""
        token = ""
        for _ in range(MOST_PAGES):
            page = self._tried(partial(self._summaries, token), deadline)
            yield from _read(page)
            token = page.get("nextPageToken") or ""
            if not token:
                return
        raise RefusedError(f"the list of properties has more than {MOST_PAGES} pages: write `property_id`")

    def close(self) -> None:
        for name in ("_data", "_admin"):
            if name in self.__dict__:
                _close(self.__dict__.pop(name))

    def login(self, deadline: Deadline) -> None:
        """Get a token. Raises RefusedError, RetriableError."""
        self._tried(lambda _: None, deadline)

    @cached_property
    def _credentials(self) -> Any:
        return credentials_of(self.access.key_file)

    @cached_property
    def _data(self) -> Any:
        from google.analytics.data_v1beta import BetaAnalyticsDataClient
        from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
            BetaAnalyticsDataRestTransport,
        )

        transport = BetaAnalyticsDataRestTransport(host=self.access.data_url, credentials=self._credentials)
        return BetaAnalyticsDataClient(transport=transport)

    @cached_property
    def _admin(self) -> Any:
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self._credentials)

    def _summaries(self, token: str, seconds: float) -> Any:
        from google.api_core.exceptions import from_http_response

        params = {"pageSize": "200", **({"pageToken": token} if token else {})}
        answer = self._admin.get(
            f"{self.access.admin_url}/v1beta/accountSummaries", params=params, timeout=seconds
        )
        if answer.status_code >= 400:
            raise from_http_response(answer)
        page = answer.json()
        if not isinstance(page, dict):
            raise RefusedError("the list of properties is not as Google documents it")
        return page

    def _tried(self, call: Callable[[float], T], deadline: Deadline) -> T:
        _require()
        seconds = min(self.access.retry_for, deadline.left)
        try:
            for attempt in attempts(AwayError, seconds, first=0.5, longest=20):
                with attempt:
                    return self._once(call, deadline)
        except AwayError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from None
        raise RetriableError(f"datasource '{self.id}': nothing was tried")  # pragma: no cover

    def _once(self, call: Callable[[float], T], deadline: Deadline) -> T:
        import requests
        from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from google.protobuf.json_format import ParseError

        seconds = min(self.access.timeout, deadline.left)
        if seconds <= 0:
            raise RetriableError(
                f"datasource '{self.id}': not finished after {deadline.seconds:g} s (`deadline`)"
            )
        try:
            self._log_in(seconds)
            return call(seconds)
        except GoogleAPICallError as error:
            raise self._refused(error.code or 0, error.message) from None
        except GoogleAuthError as error:
            raise self._not_in(error) from None
        except requests.JSONDecodeError:
            raise RefusedError(
                "an answer is not JSON: is the address Google's, without a proxy's page?"
            ) from None
        except requests.Timeout:
            raise AwayError(f"Google did not answer within {seconds:g} s (`timeout`)") from None
        except requests.RequestException as error:
            raise AwayError(f"Google cannot be reached: {_short(_root(error))}") from None
        except (ParseError, UnicodeDecodeError, GoogleAPIError) as error:
            raise RefusedError(f"an answer is not as Google documents it ({type(error).__name__})") from None

    def _log_in(self, seconds: float) -> None:
        """A token within the time that an answer may take: left to itself, Google's library waits two minutes."""
        from google.auth.transport.requests import Request

        request: Any = Request()
        with self._lock:
            if not self._credentials.valid:
                try:
                    self._credentials.refresh(partial(request, timeout=seconds))
                except (TypeError, KeyError, AttributeError):  # Google's library takes any 200 for a token
                    raise RefusedError(
                        "the login's answer is not as Google documents it: is `token_uri` of `key_file` Google's, "
                        "without a proxy's page?"
                    ) from None

    def _not_in(self, error: Any) -> Exception:
        """Of a login that did not work; its exception carries (sentence, answer)."""
        from google.auth.exceptions import TransportError

        words = _short(str(error.args[0] if error.args else error))
        if isinstance(error, TransportError) or error.retryable:
            return AwayError(f"Google's login cannot be reached: {_short(_root(error))}")
        return RefusedError(f"Google refused the login of `key_file` ({words}): {ADVICE}")

    def _refused(self, status: int, message: str) -> Exception:
        words = redact(_short(re.sub(r"^(GET|POST) \S+: ", "", message or "")), self._tokens)
        if status == 429 and re.search(r"(?i)per day|per hour|tokens", words):
            # Trying again within a minute would only use up more of it.
            return RetriableError(f"datasource '{self.id}': the property's quota is used up: {words}")
        if status in PASSING:
            return AwayError(f"Google answers {status}: {words}")
        if status == 401:
            return RefusedError(f"Google refused the login (401): {words}; {ADVICE}")
        if status == 403:
            return RefusedError(f"Google does not allow this (403): {words}; {_RIGHTS}")
        return RefusedError(f"Google answers {status}: {words}")

    @property
    def _tokens(self) -> tuple[str, ...]:
        return (self._credentials.token or "",)


_RIGHTS = (
    "add the service account's address to the property as Viewer (Admin > Property access management), and "
    "enable the Google Analytics Data API in its project (Admin API too, where `property_id` is not written)"
)


def _require() -> None:
    try:
        importlib.import_module("google.analytics.data_v1beta")
    except ImportError as error:
        hint = install_hint("google.analytics")
        raise PluginError(f"the datasource googleanalytics needs google-analytics-data; {hint}") from error


def _read(page: Any) -> Iterator[Property]:
    try:
        for account in page.get("accountSummaries", ()):
            for item in account.get("propertySummaries", ()):
                yield Property(
                    item["property"].removeprefix("properties/"),
                    item.get("displayName", ""),
                    account["account"].removeprefix("accounts/"),
                    account.get("displayName", ""),
                )
    except (KeyError, TypeError, AttributeError):
        raise RefusedError("the list of properties is not as Google documents it") from None


def _close(client: Any) -> None:
    client.close() if hasattr(client, "close") else client.transport.close()


def _short(words: str) -> str:
    return " ".join(words.split())[:MOST_WORDS]


def _root(error: BaseException) -> str:
    """The words of the fault under those that wrap it, without addresses of objects."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return re.sub(r"<[^<>]*object at 0x[0-9a-f]+>:?\s*", "", str(seen)) or type(seen).__name__
