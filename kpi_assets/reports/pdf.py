"""HTML -> PDF by WeasyPrint, without browser or X server; the same input gives the same bytes."""

from __future__ import annotations

import importlib
import logging
from hashlib import sha256
from typing import Any

from kpi_assets.errors import PluginError
from kpi_assets.registry import install_hint


def render_pdf(html: str) -> bytes:
    """The PDF, its structure tagged for screen readers. Raises PluginError where WeasyPrint is not installed."""
    return write_pdf(lay_out(html), html, tagged=True)


def lay_out(html: str) -> Any:
    """WeasyPrint's document: pages laid out, not yet written."""
    weasyprint = _weasyprint()
    return weasyprint.HTML(string=html, url_fetcher=_embedded_only(weasyprint)).render()


def write_pdf(document: Any, html: str, *, tagged: bool = False) -> bytes:
    """The bytes of a laid-out document, its id taken from the source and not from a clock."""
    identifier = sha256(html.encode()).digest()[:16]
    tags = {"pdf_tags": tagged} if "pdf_tags" in _weasyprint().DEFAULT_OPTIONS else {}
    return document.write_pdf(pdf_identifier=identifier, **tags)


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        # OSError: the Python package is there, Pango's shared libraries are not.
        missing = (
            "WeasyPrint" if isinstance(error, ImportError) else f"a system library of WeasyPrint ({error})"
        )
        advice = install_hint("weasyprint")
        if isinstance(error, OSError):
            advice = (
                "install Pango, on Debian: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
            )
        raise PluginError(f"the formats pdf and png need {missing}; {advice}") from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    return weasyprint


def _embedded_only(weasyprint: Any) -> Any:
    """Pictures come from inside the page; nothing is read from the net or the disk."""
    urls = importlib.import_module("weasyprint.urls")
    if hasattr(urls, "URLFetcher"):
        return urls.URLFetcher(allowed_protocols={"data"})

    def fetch(url: str, *args: Any, **kwargs: Any) -> Any:  # before WeasyPrint 68
        if not url.startswith("data:"):
            raise ValueError(f"not embedded: {url}")
        return weasyprint.default_url_fetcher(url, *args, **kwargs)

    return fetch
