"""Words written by people."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import Prose
from kpi_assets.testing.blocks import assert_honest_block
from kpi_assets.views.text import TextView
from kpi_assets_tests.views.worlds import context


def prose(text: str, cols: int = 6, columns: int | None = None) -> Prose:
    view = TextView(TextView.Args.model_validate({"text": text, "columns": columns}))
    assert view.needs() == {}
    block = view.render({}, context("Note", cols, variables={"title": "Weekly", "end": "2024-11-24"}))
    assert_honest_block(block)
    assert (block.title, block.subtitle) == ("Note", "")
    element = block.elements[0]
    assert isinstance(element, Prose)
    return element


def test_report_variables_are_filled_in() -> None:
    """Known names in braces become words; other braces stay."""
    assert prose("**{title}** until {end}, {other} {}").markdown == "**Weekly** until 2024-11-24, {other} {}"


@pytest.mark.parametrize(
    ("length", "cols", "asked", "columns"),
    [(400, 6, None, 2), (400, 3, None, 1), (20, 6, None, 1), (20, 6, 2, 2)],
)
def test_long_texts_stand_in_two_columns_where_there_is_room(
    length: int, cols: int, asked: int | None, columns: int
) -> None:
    """Two columns when the whole row is taken and the text is long, or when asked for."""
    assert prose("x" * length, cols, asked).columns == columns


def test_an_empty_text_is_refused() -> None:
    """A view that says nothing is a mistake."""
    with pytest.raises(ValidationError, match="the text is empty"):
        TextView.Args.model_validate({"text": "  "})
