from __future__ import annotations

from xml.etree import ElementTree

from kpi_assets.reports.svg import harmless, inline, standalone
from kpi_assets_tests.reports.samples import svg


def test_inline_is_ready_for_a_page() -> None:
    """An inlined drawing has its own ids, one label, the page's fonts and no name spaces."""
    text = inline(svg(328), label='44 a "day"', prefix="c1", classes="chart at-wide")
    assert text.startswith(
        '<svg class="chart at-wide" role="img" aria-label="44 a &quot;day&quot;" width="328"'
    )
    assert 'id="c1-clip0"' in text
    assert "url(#c1-clip0)" in text
    assert not [word for word in ("xmlns", "font-family", "graphics-object", ".123456") if word in text]


def test_inline_keeps_the_digits_of_what_is_printed() -> None:
    """Coordinates are rounded, the texts of a chart are not: 2.013 € is two thousand in German."""
    drawing = '<svg width="9" height="9"><text x="1.23456">2.013 €</text><text>0.1234</text></svg>'
    assert '<text x="1.23">2.013 €</text><text>0.1234</text>' in inline(
        drawing, label="", prefix="a", classes="c"
    )


def test_standalone_is_a_file() -> None:
    """A drawing taken out of the page parses as XML and carries name space, fonts and label."""
    taken_out = inline(svg(328), label="x", prefix="c1", classes="chart")
    root = ElementTree.fromstring(standalone(taken_out, label="44 < 45"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["font-family"].endswith("sans-serif")
    assert root[0].text == "44 < 45"


def test_standalone_changes_colours() -> None:
    """Colours are replaced where they are attributes, not where they are text."""
    text = standalone(
        '<svg width="1" height="1"><text fill="#fbfaf7">#fbfaf7</text></svg>',
        label="",
        colors={"#fbfaf7": "#ffffff"},
    )
    assert '<text fill="#ffffff">#fbfaf7</text>' in text


def test_nothing_runs() -> None:
    """Scripts, handlers and links that run something do not survive."""
    evil = (
        '<svg onload="alert(1)"><script>alert(2)</script><a xlink:href="javascript:alert(3)">'
        "<rect onclick='x()'/></a>"
        '<a href="https://example.org"/></svg>'
    )
    text = harmless(evil)
    assert "alert" not in text
    assert "x()" not in text
    assert "https://example.org" in text
