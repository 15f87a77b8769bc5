"""Labels keep apart, stay inside, and move as little as they can."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.views.charts.labels import spread
from kpi_assets.views.charts.place import Box, place
from kpi_assets.views.charts.text import printable, shorten, text_width, wrap

HEIGHTS = st.lists(st.floats(0, 300), max_size=12)


@given(HEIGHTS, st.floats(1, 40))
@settings(max_examples=200)
def test_labels_keep_their_distance(wanted: list[float], gap: float) -> None:
    """Where there is room for all, no two labels are nearer than the gap."""
    high = 300.0 + gap * len(wanted)
    placed = sorted(spread(wanted, gap, 0, high))
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(placed))


@given(HEIGHTS, st.floats(1, 200))
@settings(max_examples=200)
def test_labels_stay_inside_and_in_order(wanted: list[float], gap: float) -> None:
    """Labels never leave the bounds, not even where they do not fit, and never change their order."""
    placed = spread(wanted, gap, 0, 300)
    assert all(-1e-6 <= position <= 300 + 1e-6 for position in placed)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert all(placed[a] <= placed[b] + 1e-6 for a, b in itertools.pairwise(order))


def test_labels_with_room_stay_where_they_belong() -> None:
    """Labels that do not touch are not moved."""
    assert spread([10, 50, 90], 16, 0, 100) == [10, 50, 90]


def test_a_label_finds_the_free_side() -> None:
    """A label goes where nothing is covered."""
    bounds = Box(0, 0, 200, 200)
    above = Box(60, 60, 140, 95)
    box, covered = place(100, 100, 40, 14, obstacles=[above], bounds=bounds)
    assert covered == 0
    assert box.overlap(above) == 0


def test_a_label_stays_on_the_canvas() -> None:
    """A label of a mark in the corner does not leave the plot."""
    bounds = Box(0, 0, 200, 200)
    box, _ = place(2, 2, 60, 14, obstacles=[], bounds=bounds)
    assert box.outside(bounds) == 0


@given(st.text(max_size=40), st.integers(10, 300))
@settings(max_examples=100)
def test_a_shortened_text_fits(text: str, width: int) -> None:
    """What is shortened fits, or is a lone ellipsis."""
    short = shorten(text, width, 12)
    assert text_width(short, 12) <= width or short == "…"


def test_wrapping_loses_nothing_silently() -> None:
    """A text that needs more lines than allowed ends with an ellipsis."""
    assert wrap("one two three four five six", 60, 12, 2)[-1].endswith("…")


def test_control_characters_do_not_reach_a_drawing() -> None:
    """Signs that XML forbids are left out; tabs, umlauts and emoji stay."""
    assert printable("a\x00b\x10c\ud800d\tü🙂") == "abcd\tü🙂"
