"""Drawings are the same each time, small, safe beside others, and fail in plain words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from kpi_assets.errors import ViewError
from kpi_assets.views.charts import render

BAR: dict[str, Any] = {
    "data": {"values": [{"a": "x", "b": 3}, {"a": "<b>&\"'", "b": 0.1 + 0.2}]},
    "mark": {"type": "bar", "clip": True},
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}
POINTS = {**BAR, "mark": {"type": "point", "filled": True}}


def drawn(spec: dict[str, Any], prefix: str = "p", alt: str = "Two bars") -> str:
    return render.tidy(render.svg("v", render.spec_text(spec)), prefix, alt, "Inter, sans-serif")


def test_the_same_spec_gives_the_same_bytes() -> None:
    """Two drawings of one spec are equal, also when the first is forgotten in between."""
    first = drawn(BAR)
    render.forget()
    assert drawn(BAR) == first


def test_keys_in_another_order_are_the_same_chart() -> None:
    """The order in which keys were set does not matter."""
    assert render.spec_text(BAR) == render.spec_text(dict(reversed(list(BAR.items()))))


def test_a_drawing_is_xml_with_one_label() -> None:
    """The root carries the alternative text as an image; nothing inside carries another."""
    root = ET.fromstring(drawn(BAR, alt='Rose from 3 to "4" & more'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Rose from 3 to "4" & more'
    assert not [
        node for node in root.iter() if node is not root and any("aria" in key for key in node.attrib)
    ]


def test_ids_do_not_meet_in_a_page() -> None:
    """Ids and their uses carry the prefix, so that one chart's clip does not cut another."""
    text = drawn(BAR, prefix="c1")
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    used = set(re.findall(r"url\(#([^)]+)\)", text))
    assert ids
    assert all(name.startswith("c1-") for name in ids | used)
    assert used <= ids


def test_printed_numbers_keep_their_digits() -> None:
    """Coordinates are rounded; what is printed stays: a German 12.345, decimals, and words that look like code."""
    printed = ["12.345 €", "0.0625", 'role="img"']
    spec = {
        "data": {"values": [{"t": text, "y": i / 7} for i, text in enumerate(printed)]},
        "mark": "text",
        "encoding": {
            "text": {"field": "t", "type": "nominal"},
            "y": {"field": "y", "type": "quantitative", "axis": None},
        },
    }
    root = ET.fromstring(drawn(spec))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == printed
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", drawn(spec)))


def test_fonts_stand_on_the_root_alone() -> None:
    """A page that drops the root's fonts has its own everywhere."""
    assert drawn(BAR).count("font-family") == 1


def test_coordinates_are_short() -> None:
    """No number has more than two decimals."""
    assert not re.search(r"\d\.\d{3}", drawn(BAR))


def test_points_are_circles() -> None:
    """Dots are written as circles, which is a third of the bytes of the paths that Vega writes."""
    assert drawn(POINTS).count("<circle") == 2


def test_a_broken_spec_names_the_view() -> None:
    """A spec that Vega-Lite cannot draw is a ViewError with one plain line."""
    with pytest.raises(ViewError) as caught:
        render.svg("signups", render.spec_text({"mark": "sausage", "data": {"values": []}}))
    assert caught.value.view == "signups"
    assert "\n" not in str(caught.value)
    assert "https://" not in str(caught.value)


def test_control_characters_do_not_end_the_process() -> None:
    """Data with signs that XML forbids are drawn without them; vl_convert would abort."""
    bad = {**BAR, "data": {"values": [{"a": "x\x10\x08\x0c\ufffe\\u0010", "b": 1}]}}
    assert "x\\u0010" in drawn(bad)


def test_nothing_is_fetched() -> None:
    """An address in a spec is refused by the renderer too."""
    remote = {**BAR, "data": {"url": "http://127.0.0.1:9/rows.json"}}
    with pytest.raises(ViewError):
        render.svg("v", render.spec_text(remote))


def test_a_bitmap_is_twice_as_large() -> None:
    """The bitmap has two pixels per CSS pixel; its height is read from its header."""
    spec = {**BAR, "width": 100, "height": 50, "autosize": {"type": "none"}, "padding": 0}
    assert render.png_height(render.png("v", render.spec_text(spec))) == 50
