"""Standalone SVG drawings as parts of a page: unique ids, one label, the page's fonts, no namespaces, no scripts."""

from __future__ import annotations

import re
from html import escape

NAMESPACES = re.compile(r'\s+xmlns(?::\w+)?="[^"]*"|\s+version="[^"]*"')
NOISE = re.compile(r'\s+(?:role|class|aria-[\w-]+|font-family)="[^"]*"')
IDS = re.compile(r'(\sid="|url\(#|href="#)')
PROLOGUE = re.compile(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>|<!--.*?-->", re.DOTALL)
SCRIPTS = re.compile(r"<script\b.*?</script\s*>|<script\b[^>]*/>", re.DOTALL | re.IGNORECASE)
HANDLERS = re.compile(r"""\s+on\w+=(?:"[^"]*"|'[^']*')""", re.IGNORECASE)
JUMPS = re.compile(r'\s+(?:xlink:)?href="\s*(?:javascript|data):[^"]*"', re.IGNORECASE)
EMPTY_PATHS = re.compile(r'<path[^>]*\sd="M[-\d.]+,[-\d.]+h0v0h0Z?"[^>]*?(?:/>|></path>)')
DIGITS = re.compile(r"(\d\.\d{2})\d+")
ROOT = re.compile(r"<svg\b([^>]*)>")
GEOMETRY = re.compile(r'\b(width|height|viewBox|preserveAspectRatio)="([^"]*)"')


def inline(svg: str, *, label: str, prefix: str, classes: str) -> str:
    """The drawing for the middle of a page. `prefix` makes its ids unique there; `label` is its text alternative."""
    text = IDS.sub(rf"\g<1>{prefix}-", _clean(svg))
    return ROOT.sub(lambda match: _root(match.group(1), label, classes), text, count=1).strip()


def standalone(svg: str, *, label: str) -> str:
    """The drawing as a file of its own, with its text alternative inside."""
    text = PROLOGUE.sub("", svg).strip()
    if "xmlns=" not in text.partition(">")[0]:
        text = text.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    if "<title>" not in text and label:
        text = ROOT.sub(lambda match: f"{match.group(0)}<title>{escape(label)}</title>", text, count=1)
    return text + "\n"


def harmless(svg: str) -> str:
    """Without scripts, event handlers and links that run something."""
    return JUMPS.sub("", HANDLERS.sub("", SCRIPTS.sub("", PROLOGUE.sub("", svg))))


def _clean(svg: str) -> str:
    head, tail = _split_root(harmless(svg))
    tail = EMPTY_PATHS.sub("", DIGITS.sub(r"\1", NOISE.sub("", NAMESPACES.sub("", tail))))
    return head + tail


def _split_root(svg: str) -> tuple[str, str]:
    match = ROOT.search(svg)
    return (svg[: match.end()], svg[match.end() :]) if match else ("", svg)


def _root(attributes: str, label: str, classes: str) -> str:
    kept = "".join(f' {name}="{value}"' for name, value in GEOMETRY.findall(attributes))
    return f'<svg class="{classes}" role="img" aria-label="{escape(label)}"{kept}>'
