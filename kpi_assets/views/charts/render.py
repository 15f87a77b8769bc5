"""Vega-Lite spec -> SVG and PNG by vl_convert, in this process and with the network shut.

vl_convert is imported late: a process that forks after the import hangs in its first drawing. Identical specs are
drawn once.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from kpi_assets.errors import ViewError
from kpi_assets.views.charts.text import printable

CACHE_SIZE = 512
PNG_SCALE = 2
MEASURED = "Roboto, sans-serif"

_ROOT = re.compile(r"<svg[^>]*>")
_TAG = re.compile(r"<[^>]*>")
"""What stands between tags is printed, and stays as it is: a German 1.284 is no number of three decimals."""
_NOISE = re.compile(
    r' (?:(?:role|class|aria-[a-z]+|pointer-events|xmlns(?::xlink)?|version|font-family)="[^"]*"'
    r'|opacity="1"|stroke-miterlimit="10")'
)
_NOTHING = re.compile(r'<path(?: [a-z-]+="[a-z]*")* d="(?:M[-\d.]+,[-\d.]+h0v0h0Z?)?"[^>]*/>')
_CONTROL = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])|[bf])")
"""JSON's escapes of control characters; an even number of backslashes before one belongs to the text."""
_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_ID = re.compile(r'(\bid="|url\(#|href="#)([^")]+)')
_DOT = re.compile(
    r'<path transform="translate\(([-\d.]+),([-\d.]+)\)" d="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"'
)

_cache: OrderedDict[tuple[str, str], Any] = OrderedDict()
_lock = Lock()


def spec_text(spec: Mapping[str, Any]) -> str:
    """The spec as JSON: one text per chart, whatever the order of its keys, and nothing in it that XML forbids."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return printable(_CONTROL.sub(r"\1", text))


def svg(view: str, spec: str, font: str = MEASURED) -> str:
    """The raw SVG of a Vega-Lite spec given as JSON. Raises ViewError, naming the view, where it cannot be drawn.

    `font` is the spec's own. A page drops it from the marks, so texts are measured in one that vl_convert brings along:
    the same on every machine, and a third cheaper than looking for each of a list of families.
    """
    measured = spec.replace(_quoted(font), _quoted(MEASURED))
    return _once("svg", measured, lambda: _convert(view, "vegalite_to_svg", measured))


def png(view: str, spec: str) -> bytes:
    """The 2x bitmap of a spec. Its colours are the spec's: give it an opaque `background`."""
    return _once("png", spec, lambda: _convert(view, "vegalite_to_png", spec, scale=PNG_SCALE))


def tidy(raw: str, prefix: str, alt: str, font: str) -> str:
    """A raw SVG made small and safe beside others: ids unique by `prefix`, one label on the root, marks without theirs.

    The fonts stand on the root alone, so that a page which drops them there has its own stack everywhere.
    """
    return _clean(raw, prefix, _attributes(raw, alt, font))


def forget() -> None:
    """Empty the cache of drawings."""
    with _lock:
        _cache.clear()


def _attributes(raw: str, alt: str, font: str) -> str:
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', raw)
    width, height = (round(float(n)) for n in found.groups()) if found else (0, 0)
    label = html.escape(printable(alt), quote=True)
    return (
        f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{html.escape(font, quote=True)}" role="img" aria-label="{label}"'
    )


def _clean(raw: str, prefix: str, attributes: str) -> str:
    body = _TAG.sub(lambda tag: _NUMBER.sub(r"\1", _NOISE.sub("", tag[0])), _ROOT.sub("", raw, count=1))
    body = _NOTHING.sub("", body)
    body = _DOT.sub(r'<circle cx="\1" cy="\2" r="\3"', body)
    return f"<svg {attributes}>{_renamed(body, prefix).strip()}"


def _renamed(body: str, prefix: str) -> str:
    """Ids counted anew: Vega counts through all drawings of a process, so that the second run would differ."""
    names: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name = names.setdefault(match[2], f"{prefix}-{len(names) + 1}")
        return f"{match[1]}{name}"

    return _ID.sub(rename, body)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _once(form: str, spec: str, make: Any) -> Any:
    key = (form, hashlib.sha256(spec.encode()).hexdigest())
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    made = make()
    with _lock:
        _cache[key] = made
        while len(_cache) > CACHE_SIZE:
            _cache.popitem(last=False)
    return made


def _convert(view: str, function: str, spec: str, **options: Any) -> Any:
    import vl_convert

    try:
        return getattr(vl_convert, function)(spec, allowed_base_urls=[], **options)
    except (ValueError, TypeError) as error:
        raise ViewError(view, f"Vega-Lite could not draw the chart: {_plain(str(error))}") from error


def _plain(message: str) -> str:
    """The first telling line of vl_convert's message, without its stack of script positions."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("at ") and "conversion failed" not in line]
    return re.sub(r"\s+at https?://\S+.*", "", (telling or lines or ["unknown reason"])[0])[:300]


def height_of(raw: str) -> int:
    """The height in CSS pixels that an SVG says it has."""
    found = re.search(r'<svg[^>]* height="([\d.]+)"', raw)
    return round(float(found.group(1))) if found else 0


def png_height(png: bytes) -> int:
    """A 2x bitmap's height in CSS pixels, from its header."""
    return round(int.from_bytes(png[20:24], "big") / PNG_SCALE)
