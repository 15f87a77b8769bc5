"""One request to a webhook, and what each way of failing means."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from kpi_assets.errors import redact
from kpi_assets.retries import TransientError

if TYPE_CHECKING:
    import urllib3

COME_BACK = frozenset({429, 500, 502, 503})
"""The receiver says itself that it did not take it."""
UNCLEAR = frozenset({504})
"""Somebody between us and the receiver did not see its answer."""
ADVICE = {401: "; check `secret` and `headers`", 403: "; check `secret` and `headers`", 404: "; check `url`"}
MOST = 4096


class BusyError(TransientError):
    """Nothing was accepted. `after`: when the receiver wants to be asked again, in seconds, if it said so."""

    def __init__(self, reason: str, status: int | None = None, after: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.after = status, after


class RefusedError(Exception):
    """It was not taken, and trying again does not help; or, `ambiguous`, nobody knows whether it was."""

    def __init__(self, reason: str, status: int | None = None, *, ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.status, self.ambiguous = status, ambiguous


class Answer(NamedTuple):
    """What the receiver said. `place`: where it put it, if it told."""

    status: int
    place: str


@dataclass(frozen=True)
class Target:
    """A webhook. Its address may hold a token, so only `origin` is ever shown."""

    url: str = field(repr=False)
    timeout: float
    ca_file: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def origin(self) -> str:
        """`https://host[:port]`."""
        return origin_of(self.url)

    def send(self, method: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Ask once. Raises BusyError and RefusedError; never follows to another address."""
        from urllib3 import exceptions

        try:
            with self._pool() as pool:
                return self._asked(pool, method, headers, body)
        except (
            exceptions.NewConnectionError,
            exceptions.ConnectTimeoutError,
            exceptions.ProxyError,
        ) as error:
            raise BusyError(f"{self.origin} cannot be reached ({_kind(error)})") from None
        except exceptions.SSLError as error:
            raise self._untrusted(error) from None
        except (exceptions.HTTPError, OSError) as error:
            reason = f"{self.origin} took the request and did not answer ({_kind(error)})"
            raise RefusedError(f"{reason}; it may have arrived", ambiguous=True) from None

    def _asked(
        self, pool: urllib3.PoolManager, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        response = pool.request(
            method,
            self.url,
            body=body,
            headers=dict(headers),
            timeout=self.timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return self._judged(response, _words(response))
        finally:
            response.close()

    def _pool(self) -> urllib3.PoolManager:
        from urllib.request import getproxies, proxy_bypass

        # At DEBUG it prints the path, which is often the secret of a webhook.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        from urllib3 import PoolManager, ProxyManager

        parts = urlsplit(self.url)
        proxy = getproxies().get(parts.scheme)
        if proxy and not proxy_bypass(parts.hostname or ""):
            return ProxyManager(proxy, ca_certs=self.ca_file)
        return PoolManager(ca_certs=self.ca_file)

    def _untrusted(self, error: Exception) -> RefusedError:
        if unusable := next((cause for cause in error.args if _is_of_file(cause)), None):
            why = getattr(unusable, "strerror", None) if not isinstance(unusable, ssl.SSLError) else None
            return RefusedError(
                f"`ca_file` {self.ca_file} cannot be used: {why or 'it holds no certificate'}"
            )
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
            return RefusedError(
                f"the certificate of {self.origin} cannot be verified: set `ca_file` to its authority's PEM file"
            )
        broken = "EOF" in str(error)
        return RefusedError(f"{self.origin} does not speak TLS as we do; check `url`", ambiguous=broken)

    def _judged(self, response: urllib3.BaseHTTPResponse, words: str) -> Answer:
        status = response.status
        said = self._said(status, words)
        if status in COME_BACK:
            raise BusyError(said, status, _seconds(response.headers.get("Retry-After")))
        if 300 <= status < 400:
            raise RefusedError(f"{said}; it is at another address now, correct `url`", status)
        if status >= 400:
            unclear = status in UNCLEAR
            advice = "; it may have arrived" if unclear else ADVICE.get(status, "")
            raise RefusedError(said + advice, status, ambiguous=unclear)
        place = response.headers.get("Location", "")
        return Answer(status, redact(place, self.secrets) if place.startswith("https://") else "")

    def _said(self, status: int, words: str) -> str:
        told = " ".join(redact(words, self.secrets).split())[:200]
        return f"{self.origin} said {status}" + (f": {told}" if told else "")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; dates are for others."""
    return float(text) if text and text.strip().isdecimal() else None


def _words(response: urllib3.BaseHTTPResponse) -> str:
    """The answer's first words; the status counts, even where the line breaks after it."""
    from urllib3.exceptions import HTTPError

    try:
        return response.read(MOST).decode("utf-8", "replace")
    except (HTTPError, OSError):
        return ""


def _is_of_file(cause: object) -> bool:
    """Is it about the file of authorities, and not about the line?"""
    if isinstance(cause, ssl.SSLError):
        return cause.library in {"X509", "PEM"}
    return isinstance(cause, FileNotFoundError | IsADirectoryError | PermissionError)


def _kind(error: Exception) -> str:
    """What the system said, else the error's name: its words may hold the address."""
    return getattr(error.__cause__, "strerror", None) or type(error).__name__
