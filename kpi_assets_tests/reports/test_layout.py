from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.contracts import Panel, Panels, Prose, Stats
from kpi_assets.reports.layout import Strip, across, fill, pack, rows
from kpi_assets.style.theme import Theme
from kpi_assets_tests.reports.samples import block, picture, stat

TEXT = Prose(markdown="text")
KPI_REPORTER = Theme(column_width=86, padding_width=20)


@given(st.lists(st.integers(1, 12), max_size=30), st.integers(1, 12))
def test_rows_never_overflow(cols: list[int], columns: int) -> None:
    """Whatever the widths, every block stands in one row, in order, and no row is wider than the grid."""
    packed = pack(cols, columns)
    assert [i for row in packed for i in row] == list(range(len(cols)))
    assert all(sum(min(cols[i], columns) for i in row) <= columns for row in packed)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4).filter(lambda cols: sum(cols) <= 12))
def test_filling_a_row(cols: list[int]) -> None:
    """A filled row is full, nothing in it got narrower, and the narrowest gained first."""
    filled = fill(cols, 12)
    assert sum(filled) == 12
    assert all(after >= before for before, after in zip(cols, filled, strict=True))


def test_overflow_wraps_and_is_balanced() -> None:
    """KPI Reporter's 2+2+5 of 6, which broke its page, is 3+3 and 5."""
    placed = rows([block("a", TEXT, cols=2), block("b", TEXT, cols=2), block("c", TEXT, cols=5)], Theme())
    assert [[slot.cols for slot in row] for row in placed] == [[3, 3], [5]]


def test_charts_keep_their_width() -> None:
    """A row with a chart, which was drawn for its columns, is not stretched."""
    placed = rows(
        [block("a", picture(), cols=2), block("b", TEXT, cols=2), block("c", TEXT, cols=5)], Theme()
    )
    assert [[slot.cols for slot in row] for row in placed] == [[2, 2], [5]]


def test_small_multiples_keep_their_width() -> None:
    """Small multiples are drawn for their columns as well: stretched, their letters would grow."""
    panels = Panels(panels=(Panel(name="a", note="", series=0, picture=picture()),))
    placed = rows([block("a", panels, cols=3), block("b", TEXT, cols=5)], Theme())
    assert [[slot.cols for slot in row] for row in placed] == [[3], [5]]


def test_neighbouring_stats_form_a_strip() -> None:
    """Single stats side by side become one strip; one behind a chart starts another."""
    views = [block(name, stat(name)) for name in "abcd"]
    placed = rows([*views, block("chart", picture()), block("e", stat("e"))], Theme())
    strips = [slot.content for row in placed for slot in row if isinstance(slot.content, Strip)]
    assert [(len(strip.stats), strip.across) for strip in strips] == [(4, 4), (1, 1)]


def test_a_strip_shares_its_row() -> None:
    """Two stats of one column each leave room for a chart beside them."""
    views = [block("a", stat(), cols=1), block("b", stat(), cols=1), block("c", picture(), cols=4)]
    assert [[slot.cols for slot in row] for row in rows(views, Theme())] == [[2, 4]]


def test_stats_two_by_two_on_the_ancestors_page() -> None:
    """On KPI Reporter's page of 556 pixels four stats stand two by two."""
    placed = rows([block("k", Stats(stats=tuple(stat(str(i)) for i in range(4))))], KPI_REPORTER)
    assert isinstance(placed[0][0].content, Strip)
    assert placed[0][0].content.across == 2


@given(st.integers(1, 30), st.integers(100, 2000))
def test_strips_are_even(count: int, width: int) -> None:
    """Rows of a strip differ by less than one figure per row, and never hold more than five."""
    number = across(count, width, 24)
    needed = -(-count // number)
    assert 1 <= number <= 5
    assert needed * number - count < needed


def test_a_placeholder_is_no_figure() -> None:
    """A stat that could not be made keeps its own place and frame."""
    placed = rows([block("a", stat()), block("b", TEXT, status="placeholder")], Theme())
    assert isinstance(placed[0][0].content, Strip)
    assert not isinstance(placed[1][0].content, Strip)
