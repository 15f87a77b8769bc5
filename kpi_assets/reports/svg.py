"""Standalone SVG drawings as parts of a page: unique ids, one label, the page's fonts, no namespaces, no scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from kpi_assets.style.theme import CHART_FONT

NAMESPACES = re.compile(r'\s+xmlns(?::\w+)?="[^"]*"|\s+version="[^"]*"')
NOISE = re.compile(r'\s+(?:role|class|aria-[\w-]+|font-family)="[^"]*"')
IDS = re.compile(r'(\sid="|url\(#|href="#)')
PROLOGUE = re.compile(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>|<!--.*?-->", re.DOTALL)
SCRIPTS = re.compile(r"<script\b.*?</script\s*>|<script\b[^>]*/>", re.DOTALL | re.IGNORECASE)
HANDLERS = re.compile(r"""\s+on\w+=(?:"[^"]*"|'[^']*')""", re.IGNORECASE)
JUMPS = re.compile(r'\s+(?:xlink:)?href="\s*(?:javascript|data):[^"]*"', re.IGNORECASE)
EMPTY_PATHS = re.compile(r'<path[^>]*\sd="M[-\d.]+,[-\d.]+h0v0h0Z?"[^>]*?(?:/>|></path>)')
DIGITS = re.compile(r"(\d\.\d{2})\d+")
TAG = re.compile(r"<[^>]*>")
"""What stands between tags is printed: there a number keeps all its digits."""
ROOT = re.compile(r"<svg\b([^>]*)>")
COLOR = re.compile(r'\b(fill|stroke)="(#[0-9a-f]{6})"')
GEOMETRY = re.compile(r'\b(width|height|viewBox|preserveAspectRatio)="([^"]*)"')


def inline(svg: str, *, label: str, prefix: str, classes: str) -> str:
    """The drawing for the middle of a page. `prefix` makes its ids unique there; `label` is its text alternative."""
    text = IDS.sub(rf"\g<1>{prefix}-", _clean(svg))
    return ROOT.sub(lambda match: _root(match.group(1), label, classes), text, count=1).strip()


def standalone(svg: str, *, label: str, colors: Mapping[str, str] | None = None) -> str:
    """The drawing as a file of its own: name spaces, fonts and label inside; `colors` are replaced by others."""
    text = _recolored(PROLOGUE.sub("", svg).strip(), colors or {})
    return ROOT.sub(lambda match: _file_root(match.group(1), label, text), text, count=1) + "\n"


def harmless(svg: str) -> str:
    """Without scripts, event handlers and links that run something."""
    return JUMPS.sub("", HANDLERS.sub("", SCRIPTS.sub("", PROLOGUE.sub("", svg))))


def _clean(svg: str) -> str:
    head, tail = _split_root(harmless(svg))
    return head + EMPTY_PATHS.sub("", TAG.sub(lambda tag: _short(tag[0]), tail))


def _short(tag: str) -> str:
    return DIGITS.sub(r"\1", NOISE.sub("", NAMESPACES.sub("", tag)))


def _split_root(svg: str) -> tuple[str, str]:
    match = ROOT.search(svg)
    return (svg[: match.end()], svg[match.end() :]) if match else ("", svg)


def _root(attributes: str, label: str, classes: str) -> str:
    kept = "".join(f' {name}="{value}"' for name, value in GEOMETRY.findall(attributes))
    return f'<svg class="{classes}" role="img" aria-label="{escape(label)}"{kept}>'


def _file_root(attributes: str, label: str, text: str) -> str:
    kept = "".join(f' {name}="{value}"' for name, value in GEOMETRY.findall(attributes))
    spaces = ' xmlns="http://www.w3.org/2000/svg"'
    if "xlink:" in text:
        spaces += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
    title = f"<title>{escape(label)}</title>" if label else ""
    return f'<svg{spaces}{kept} role="img" font-family="{escape(CHART_FONT)}">{title}'


def _recolored(svg: str, colors: Mapping[str, str]) -> str:
    return COLOR.sub(lambda match: f'{match[1]}="{colors.get(match[2], match[2])}"', svg)
