"""Sends one request until it is answered: to one origin only, the answer on disk, everything within one deadline."""

from __future__ import annotations

import re
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from kpi_assets.datasources.waiting import NOT_HTTP, Deadline, retry_after, speaks_not
from kpi_assets.errors import redact
from kpi_assets.retries import TransientError, attempts

if TYPE_CHECKING:
    import httpx

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_IN_MEMORY = 1 << 20
_MOST_WORDS = 200
_MOST_REDIRECTS = 5


class PassingError(TransientError):
    """The server is away or busy; `wait` is what it asks for in seconds, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(message)


class RefusedError(Exception):
    """No retry helps; the message says what to do."""


class StatusError(RefusedError):
    """The server is there, and answers that it will not do this."""


class LoginError(StatusError):
    """The server does not know who asks."""


class MissingError(StatusError):
    """There is nothing at the address."""


@dataclass(frozen=True)
class Ask:
    """One request. `params` are added to those in the address."""

    url: str
    method: str = "GET"
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def place(self) -> str:
        """The address without a login and without parameters, for messages."""
        return re.sub(r"//[^/@]*@", "//", self.url).partition("?")[0]


@dataclass(frozen=True)
class Answer:
    """A whole answer of 2xx: `body` at its start, headers by small name."""

    url: str
    headers: Mapping[str, str]
    body: IO[bytes]
    next_link: str = ""
    status: int = 200


@dataclass(frozen=True, repr=False)
class Manner:
    """How a server is asked. `secrets` never show in a message."""

    headers: Mapping[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    verify: bool = True
    ca_file: str | None = None
    timeout: float = 30
    retry_for: float = 60
    deadline: float = 300
    concurrency: int = 4
    max_bytes: int = 1 << 30
    secrets: tuple[str, ...] = ()


class RestClient:
    """Sends requests, from several threads. Close it."""

    def __init__(self, manner: Manner) -> None:
        import httpx

        self.manner = manner
        self._client = httpx.Client(
            headers={"User-Agent": "kpi_assets", **manner.headers},
            auth=manner.login,
            verify=_tls(manner),
            limits=httpx.Limits(max_connections=manner.concurrency),
        )

    def close(self) -> None:
        self._client.close()

    def send(self, ask: Ask, deadline: Deadline) -> Answer:
        """The answer, tried again while the server is away. Raises RefusedError, PassingError at the deadline."""

        def worth(error: Exception) -> bool | float:
            if not isinstance(error, PassingError):
                return False
            if error.wait is not None and error.wait >= deadline.left:
                return False
            return True if error.wait is None else error.wait

        seconds = min(deadline.left, self.manner.retry_for)
        for attempt in attempts(worth, seconds, first=0.2, longest=10):
            with attempt:
                return self._attempt(ask, deadline)
        raise PassingError(f"{ask.place}: nothing was tried")  # pragma: no cover

    def _attempt(self, ask: Ask, deadline: Deadline) -> Answer:
        import httpx

        try:
            for _ in range(_MOST_REDIRECTS):
                found = self._once(ask, deadline)
                if isinstance(found, Answer):
                    return found
                ask = found
        except httpx.TimeoutException:
            raise PassingError(f"{ask.place} did not answer within {self._patience(deadline):g} s") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise RefusedError(f"{ask.place} is no address that can be asked") from None
        except (httpx.HTTPError, OSError) as error:
            # The exception may hold the request with its login: it is not chained.
            raise self._unreached(ask, error) from None
        raise RefusedError(f"{ask.place} redirects again and again")

    def _once(self, ask: Ask, deadline: Deadline) -> Answer | Ask:
        with self._client.stream(
            ask.method,
            ask.url,
            params=None if not ask.params else _params(ask),
            headers=dict(ask.headers),
            json=ask.body,
            timeout=max(min(self.manner.timeout, deadline.left), 0.01),
        ) as response:
            if response.is_redirect:
                return _redirected(ask, str(response.url), response.headers.get("location", ""))
            if not response.is_success:
                raise self._complaint(ask, response, deadline)
            body = self._spooled(ask, response, deadline)
            link = response.links.get("next", {}).get("url", "")
            return Answer(str(response.url), dict(response.headers), body, link, response.status_code)

    def _spooled(self, ask: Ask, response: httpx.Response, deadline: Deadline) -> IO[bytes]:
        """The body, on disk where it is long."""
        body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
        try:
            self._copy(ask, response, body, deadline)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return body

    def _copy(self, ask: Ask, response: httpx.Response, body: IO[bytes], deadline: Deadline) -> None:
        for piece in response.iter_bytes(1 << 16):
            body.write(piece)
            if not deadline.left:
                raise PassingError(
                    f"{ask.place} was still sending after {deadline.seconds:g} s (`deadline`): ask for less"
                )
            if body.tell() > self.manner.max_bytes:
                raise RefusedError(
                    f"the answer is longer than {self.manner.max_bytes} bytes (`max_bytes`): ask for less"
                )

    def _patience(self, deadline: Deadline) -> float:
        return min(self.manner.timeout, deadline.seconds)

    def _unreached(self, ask: Ask, error: Exception) -> Exception:
        words = self.redacted(" ".join(str(error).split()) or type(error).__name__)
        if "CERTIFICATE_VERIFY_FAILED" in words:
            advice = "name the PEM file of its authority in `ca_file`"
            return RefusedError(f"the certificate of {ask.place} is not trusted ({words}): {advice}")
        return PassingError(f"{ask.place} {NOT_HTTP if speaks_not(words) else f'cannot be reached: {words}'}")

    def _complaint(self, ask: Ask, response: httpx.Response, deadline: Deadline) -> Exception:
        status = response.status_code
        said = self.redacted(_words(response))
        words = f"{ask.place} answers {status}{': ' if said else ''}{said}"
        if status in _PASSING:
            wait = retry_after(response.headers.get("retry-after", ""), response.headers.get("date", ""))
            if wait is not None and wait >= deadline.left:
                words += (
                    f"; it asks to wait {wait:g} s, longer than `deadline` ({deadline.seconds:g} s) allows"
                )
            return PassingError(words, wait)
        if status in (401, 403):
            words += "; check `basic_auth`, `bearer_token` or `headers` of the datasource"
        return {401: LoginError, 404: MissingError}.get(status, StatusError)(words)

    def redacted(self, words: str) -> str:
        return redact(words, self.manner.secrets)


def same_origin(one: str, other: str) -> bool:
    """Whether a login for one address may travel to the other: the same host and port, TLS or more of it."""
    a, b = urlsplit(one), urlsplit(other)
    if (a.scheme, a.hostname, a.port) == (b.scheme, b.hostname, b.port):
        return True
    safer = (a.scheme, b.scheme) == ("http", "https")
    return safer and a.hostname == b.hostname and a.port is None and b.port is None


def _redirected(ask: Ask, url: str, location: str) -> Ask:
    target = urljoin(url, location)
    if not location or not same_origin(url, target) or ask.method != "GET":
        shown = re.sub(r"//[^/@]*@", "//", target).partition("?")[0]
        raise RefusedError(f"{ask.place} redirects to {shown}: write that address, if it is to be trusted")
    return Ask(target, ask.method, (), ask.headers)


def _params(ask: Ask) -> httpx.QueryParams:
    """httpx drops an address's own parameters when it is given others."""
    import httpx

    sent = {name for name, _ in ask.params}
    own = [(name, value) for name, value in httpx.URL(ask.url).params.multi_items() if name not in sent]
    return httpx.QueryParams([*own, *ask.params])


def _words(response: httpx.Response) -> str:
    """The beginning of a text body on one line; nothing of a page."""
    if "html" in response.headers.get("content-type", ""):
        return response.reason_phrase
    piece = next(response.iter_bytes(4096), b"")
    return " ".join(piece.decode("utf-8", "replace").split())[:_MOST_WORDS] or response.reason_phrase


def _tls(manner: Manner) -> Any:
    if not manner.verify or manner.ca_file is None:
        return manner.verify
    try:
        return ssl.create_default_context(cafile=manner.ca_file)
    except OSError as error:
        raise RefusedError(f"`ca_file` {manner.ca_file} cannot be read: {error}") from None
