from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.style import palette as p

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
LIGHT_GROUNDS = st.builds(p.with_lightness, COLORS, st.floats(0.86, 1))
DARK_GROUNDS = st.builds(p.with_lightness, COLORS, st.floats(0, 0.25))


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        ("#767676", "#ffffff", 4.54),
        ("#2b62d9", "#fbfaf7", 5.2),
    ],
)
def test_contrast_is_the_webs(one: str, other: str, ratio: float) -> None:
    """Contrast is WCAG's, whichever colour is named first."""
    assert p.contrast(one, other) == pytest.approx(ratio, abs=0.05)
    assert p.contrast(other, one) == p.contrast(one, other)


@given(COLORS)
def test_oklab_and_back(color: str) -> None:
    """A colour survives the way through OKLab to the last bit."""
    assert p.from_lab(p.lab(color)) == color


@given(COLORS, st.floats(0.1, 1))
def test_lightness_is_met(color: str, lightness: float) -> None:
    """A hue at another lightness has that lightness, also where its full colour cannot be shown there."""
    assert p.lab(p.with_lightness(color, lightness))[0] == pytest.approx(lightness, abs=0.02)


@given(COLORS, st.one_of(LIGHT_GROUNDS, DARK_GROUNDS), st.sampled_from([3.0, 4.5]))
def test_legible_is_legible(color: str, ground: str, least: float) -> None:
    """A colour made legible reaches the contrast; one that had it is left alone."""
    made = p.legible(color, (ground,), least)
    assert p.contrast(made, ground) >= least
    assert made == color or p.contrast(color, ground) < least


@given(COLORS, LIGHT_GROUNDS)
def test_faded_keeps_its_contrast(color: str, ground: str) -> None:
    """A faded mark is still a mark."""
    if p.contrast(color, ground) >= 3.2:
        assert p.contrast(p.faded(color, ground, 3.0), ground) >= 3.0


@given(COLORS)
def test_text_on_anything(ground: str) -> None:
    """On every ground there is a text colour of 4.5:1."""
    assert p.contrast(p.text_on(ground), ground) >= 4.5


@given(COLORS, LIGHT_GROUNDS)
def test_a_ramp_goes_away_from_its_paper(accent: str, paper: str) -> None:
    """More is never nearer to the paper."""
    if p.contrast(accent, paper) >= 4.5:
        lightness = [p.lab(step)[0] for step in p.ramp(paper, accent)]
        assert all(a >= b - 0.01 for a, b in pairwise(lightness))


def test_mirrored_paper_is_the_dark_paper() -> None:
    """Paper mirrors to dark paper, ink to light ink, and grey stays in between."""
    paper, grey, ink = (p.mirrored(color, "#ffffff") for color in ("#ffffff", "#888888", "#222222"))
    assert p.lab(paper)[0] < p.lab(grey)[0] < p.lab(ink)[0]
    assert math.isclose(p.lab(paper)[0], p.DARK_PAPER_LIGHTNESS, abs_tol=0.01)


def test_short_and_upper_case_colours() -> None:
    """`#ABC` is `#aabbcc`."""
    assert [p.normalise(color) for color in ("#ABC", "#A1B2C3")] == ["#aabbcc", "#a1b2c3"]
