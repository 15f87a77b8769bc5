from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.assets.thumbnails import LIMIT, spec_without_data, thumbnail
from kpi_assets.contracts import Block, Cell, Change, Column, Drawing, Element, Picture, Stat, Table

DRAWING = Drawing(width_class="wide", width=10, height=10, svg="<svg/>")


def chart(values: list[Any], mark: str = "line", **more: Any) -> Picture:
    encoding = {"x": {"field": "day"}, "y": {"field": "n", "type": "quantitative"}, **more}
    rows = [{"day": str(i), "n": value, "plan": "abc"[i % 3]} for i, value in enumerate(values)]
    spec = {
        "layer": [{"mark": {"type": mark}, "encoding": encoding}],
        "data": {"name": "d"},
        "datasets": {"d": rows},
    }
    return Picture(name="c", alt="", drawings=(DRAWING,), spec=json.dumps(spec))


def block(*elements: Element) -> Block:
    return Block(view="v", plugin="p", title="t", elements=elements)


def svg_of(markdown: str) -> ElementTree.Element:
    head, _, data = markdown.partition("base64,")
    assert head == "![chart](data:image/svg+xml;"
    return ElementTree.fromstring(base64.b64decode(data.removesuffix(")")))


@given(
    values=st.lists(
        st.none() | st.floats(-1e12, 1e12) | st.integers(-(10**9), 10**9), min_size=2, max_size=400
    ),
    mark=st.sampled_from(["line", "bar", "area"]),
    grouped=st.booleans(),
)
def test_a_thumbnail_is_small_or_absent(values: list[Any], mark: str, grouped: bool) -> None:
    """Whatever a chart shows, its thumbnail is well-formed and below the size that Dagster's UI hides."""
    more = {"color": {"field": "plan"}} if grouped else {}
    text = thumbnail(block(chart(values, mark, **more)))
    assert len(text) < LIMIT
    if text:
        assert svg_of(text).tag.endswith("svg")


def test_the_last_value_is_drawn() -> None:
    """A long line is thinned, and still ends where the data end."""
    path = svg_of(thumbnail(block(chart([*([0] * 200), 100]))))[0]
    assert path.attrib["d"].endswith(" 2")
    assert path.attrib["d"].count("L") == 23


def test_the_data_are_drawn_not_the_frame() -> None:
    """Of a chart's layers the line that tells most is drawn, not a mark that only spans the axes."""
    encoding = {"x": {"field": "x"}, "y": {"field": "y", "type": "quantitative"}}
    names = {"ends": [0, 100], "values": [3, 1, 2, 5], "words": [7, 8, 9, 10, 11, 12]}
    marks = {"ends": "point", "values": "line", "words": "text"}
    layers = [{"mark": {"type": marks[name]}, "data": {"name": name}, "encoding": encoding} for name in names]
    datasets = {name: [{"x": i, "y": y} for i, y in enumerate(values)] for name, values in names.items()}
    spec = json.dumps({"layer": layers, "datasets": datasets})
    path = svg_of(thumbnail(block(Picture(name="c", alt="", drawings=(DRAWING,), spec=spec))))[0]
    assert path.attrib["d"].count("L") == 3


@pytest.mark.parametrize("count", [2, 7, 24])
def test_no_bar_is_cut_off(count: int) -> None:
    """The first and the last bar are as wide as the others, within the picture."""
    picture = svg_of(thumbnail(block(chart([*range(1, count + 1)], "bar"))))
    half = int(picture.attrib["stroke-width"]) / 2
    places = [int(bar.split()[0]) for bar in picture[0].attrib["d"].split("M")[1:]]
    assert len(places) == count
    assert places[0] - half >= 0
    assert places[-1] + half <= int(picture.attrib["width"])


def test_lying_bars_are_drawn_too() -> None:
    """A chart whose numbers lie on the x axis has a thumbnail."""
    encoding: dict[str, Any] = {"y": {"field": "day"}, "x": {"field": "n", "type": "quantitative"}}
    assert thumbnail(block(chart([1, 2, 3], "bar", **encoding)))


def test_key_figures_are_text() -> None:
    """A stat is worth more as text than as a picture, and its text is no Markdown."""
    stat = Stat(
        label="New *users*", value="44", change=Change(text="+4.2 %", direction="up", verdict="better")
    )
    assert thumbnail(block(stat)) == "- New \\*users\\*: 44 (+4.2 %)"


def test_a_table_shows_its_first_rows() -> None:
    """A table's thumbnail is a Markdown table in which data stay data."""
    rows = tuple((Cell(text=f"| {i}"),) for i in range(9))
    text = thumbnail(block(Table(caption="", columns=(Column(label="Name"),), rows=rows)))
    assert text.splitlines() == ["| Name |", "| --- |", *(f"| \\| {i} |" for i in range(5))]


@pytest.mark.parametrize(
    "spec", ["", "{}", '{"mark": "line"}', '{"mark": "line", "encoding": {"y": {"value": 3}}}']
)
def test_a_chart_without_numbers_has_no_thumbnail(spec: str) -> None:
    """Specs that say nothing of data are no error."""
    assert thumbnail(block(Picture(name="c", alt="", drawings=(DRAWING,), spec=spec))) == ""


def test_a_spec_is_shown_without_its_data() -> None:
    """Inline data are taken out at every level; addresses and the drawing stay."""
    inner = {"mark": "bar", "data": {"values": [{"n": 1}]}, "encoding": {"y": {"field": "n"}}}
    spec = {"layer": [inner], "data": {"url": "https://example.com/a.json"}, "datasets": {"d": [1]}}
    picture = Picture(name="c", alt="", drawings=(DRAWING,), spec=json.dumps(spec))
    stripped = {key: value for key, value in inner.items() if key != "data"}
    assert spec_without_data(picture) == {"layer": [stripped], "data": {"url": "https://example.com/a.json"}}
