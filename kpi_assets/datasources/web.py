"""Backends that are asked over HTTP: address, login, TLS, one deadline, retries for what passes, plain words."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from kpi_assets.contracts import PluginArgs
from kpi_assets.datasources.answered import Answer, is_passing
from kpi_assets.datasources.args import login_as_sent
from kpi_assets.datasources.waiting import NOT_HTTP, Deadline, retry_after, speaks_not
from kpi_assets.errors import RetriableError, redact
from kpi_assets.retries import TransientError, attempts

if TYPE_CHECKING:
    import httpx

LONGEST_BODY = 1 << 30


def _address(value: str) -> str:
    """The address with `http://` where no scheme stands, without a slash at its end."""
    text = value.strip().rstrip("/")
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(sign in text for sign in " ?#"):
        raise ValueError("it is no address of a server: write host:port or https://host/path")
    return text


Address = Annotated[str, AfterValidator(_address)]


class WebArgs(PluginArgs):
    """What every datasource over HTTP takes."""

    host: Address = Field(
        description="Address: host:port, or a URL; http:// is added where no scheme stands."
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Further HTTP headers, such as X-Scope-OrgID."
    )
    verify: bool = Field(True, description="Check the server's certificate; `ca_file` is better than false.")
    ca_file: str | None = Field(None, description="PEM file of the authority that signed the certificate.")
    timeout: float = Field(30, gt=0, le=3600, description="Seconds to wait for each answer.")
    retry_for: float = Field(
        60, ge=0, le=3600, description="Seconds to go on trying while the server is away, busy or slow."
    )
    deadline: float = Field(
        600, gt=0, le=86400, description="Seconds for a query, all its requests and retries together."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Requests at once.")

    @property
    def shown_host(self) -> str:
        """The address without a login in it."""
        parts = urlsplit(self.host)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not show in a message."""
        password = urlsplit(self.host).password
        in_address = [password, unquote(password)] if password else []
        headers = [value.get_secret_value() for value in self.headers.values()]
        credentials = [value.rpartition(" ")[2] for value in headers]  # "Bearer abc" may come back as "abc"
        return (*in_address, *headers, *credentials)


class AwayError(TransientError):
    """A passing fault, already in words fit to be shown; tried again, after `wait` seconds where the server says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RefusedError(Exception):
    """No retry helps; the message is fit to be shown, and says what to do."""


@dataclass(frozen=True)
class Login:
    """Who asks: a user with a password, or a bearer token, or nobody."""

    user: str = ""
    password: str = ""
    token: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        sent = login_as_sent(self.user, self.password) if self.password else ""
        return tuple(value for value in (self.password, self.token, sent) if value)


class WebClient:
    """Sends GET requests, from several threads. Opened on first use.

    Redirects are not followed: a login must not travel to a place that nobody named.
    """

    def __init__(
        self, id: str, args: WebArgs, login: Login, passing: Callable[[Answer], bool] = is_passing
    ) -> None:
        self.id, self.args, self.login, self.passing = id, args, login, passing

    def deadline(self) -> Deadline:
        """The end of the time for a query that begins now."""
        return Deadline(self.args.deadline)

    def get(self, path: str, params: Mapping[str, str], deadline: Deadline) -> Answer:
        """The answer, whatever its status, passing faults tried again. Raises RefusedError and RetriableError."""
        return self._asked("GET", path, {"params": dict(params)}, deadline)

    def post(self, path: str, form: Mapping[str, str], deadline: Deadline) -> Answer:
        """The same for a question that is too long for an address."""
        return self._asked("POST", path, {"data": dict(form)}, deadline)

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()
            del self.__dict__["_client"]

    def redacted(self, words: str) -> str:
        return redact(words, [*self.args.secrets, *self.login.secrets])

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request would drown a run's log
        args, login = self.args, self.login
        headers = {name: value.get_secret_value() for name, value in args.headers.items()}
        if login.token:
            headers["Authorization"] = f"Bearer {login.token}"
        return httpx.Client(
            headers={"User-Agent": "kpi_assets", "Accept": "application/json", **headers},
            auth=(login.user, login.password) if login.user else None,
            verify=self._tls(),
            limits=httpx.Limits(max_connections=args.concurrency, max_keepalive_connections=args.concurrency),
        )

    def _tls(self) -> Any:
        if not self.args.host.startswith("https:"):
            return False
        if not self.args.verify:
            return False
        if self.args.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.args.ca_file)
        except OSError as error:
            raise RefusedError(f"`ca_file` {self.args.ca_file} cannot be read: {error}") from None

    def _asked(self, method: str, path: str, parts: Mapping[str, Any], deadline: Deadline) -> Answer:
        patience = min(self.args.retry_for, deadline.left)

        def worth(error: Exception) -> bool | float:
            if not isinstance(error, AwayError) or error.wait is None:
                return isinstance(error, AwayError)
            return error.wait if error.wait < patience else False

        try:
            for attempt in attempts(worth, patience, first=0.2, longest=10):
                with attempt:
                    return self._attempt(method, path, parts, deadline)
        except AwayError as error:
            raise RetriableError(f"datasource '{self.id}': {error}") from None
        raise RetriableError(f"datasource '{self.id}': nothing was tried")  # pragma: no cover

    def _attempt(self, method: str, path: str, parts: Mapping[str, Any], deadline: Deadline) -> Answer:
        import httpx

        patience = min(self.args.timeout, deadline.left)
        if not patience:
            raise AwayError(self._too_slow(patience))
        try:
            answer = self._read(method, path, parts, patience)
        except httpx.TimeoutException:
            raise AwayError(self._too_slow(patience)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # The exception may hold the request with its login: it is not chained.
            raise self._unreached(error) from None
        if self.passing(answer):
            words = f": {answer.words}" if answer.words else ""
            asks = f"; it asks to wait {answer.wait:g} s" if answer.wait else ""
            said = self.redacted(f"{self.args.shown_host} answers {answer.status}{words}{asks}")
            raise AwayError(said, answer.wait)
        return answer

    def _read(self, method: str, path: str, parts: Mapping[str, Any], patience: float) -> Answer:
        """The whole body within the time that one answer may take, however slowly it trickles."""
        import httpx

        until = time.monotonic() + patience
        limits = httpx.Timeout(patience, connect=min(patience, 10.0))
        with self._client.stream(method, self.args.host + path, timeout=limits, **parts) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > until:
                    raise AwayError(self._too_slow(patience))
                if len(body) > LONGEST_BODY:
                    raise RefusedError("the answer is longer than 1 GiB: ask for less")
            kind, location = (response.headers.get(name, "") for name in ("content-type", "location"))
            wait = retry_after(response.headers.get("retry-after", ""), response.headers.get("date", ""))
            return Answer(response.status_code, bytes(body), kind, location, wait)

    def _too_slow(self, patience: float) -> str:
        if patience < self.args.timeout:
            limit = f"{self.args.deadline:g} s (`deadline`)"
            return f"{self.args.shown_host} did not answer the whole query within {limit}"
        return f"{self.args.shown_host} did not answer within {self.args.timeout:g} s (`timeout`)"

    def _unreached(self, error: Exception) -> Exception:
        words = self.redacted(" ".join(str(error).split()) or type(error).__name__)
        if "CERTIFICATE_VERIFY_FAILED" in words:
            advice = "name the authority's PEM file in `ca_file`"
            return RefusedError(
                f"the certificate of {self.args.shown_host} is not trusted ({words}): {advice}"
            )
        if speaks_not(words):
            return AwayError(f"{self.args.shown_host} {NOT_HTTP}")
        return AwayError(f"{self.args.shown_host} cannot be reached: {words}")
