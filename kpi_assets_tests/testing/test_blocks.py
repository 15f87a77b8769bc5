"""The check of honesty finds what it is there to find."""

from __future__ import annotations

from typing import Any

import pytest

from kpi_assets.contracts import Block, Cell, Column, Element, Picture, Prose, Raw, Stat, Stats, Table
from kpi_assets.testing.blocks import assert_honest_block, block_problems, dishonest_words

COLUMNS = (Column(label="Name", header=True), Column(label="n"))


def block(*elements: Element, **more: Any) -> Block:
    return Block(**{"view": "v", "plugin": "p", "title": "Sign-ups", "elements": elements, **more})


def table(**more: Any) -> Table:
    rows = ((Cell(text="a"), Cell(text="1")), (Cell(text="b"), Cell(text="2")))
    return Table(**{"caption": "Sign-ups", "columns": COLUMNS, "rows": rows, **more})


def test_an_honest_block_passes() -> None:
    """Figures, tables, texts and words that only look like the machine's are fine."""
    words = "Finance in Nantes, infant nan-free, user@nan.example, n/a, none of it."
    assert_honest_block(block(Stat(label="n", value="1"), table(rule_before=(1,)), Prose(markdown=words)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (block(Prose(markdown="Revenue: nan")), "elements[0].markdown says nan"),
        (block(Prose(markdown="x"), subtitle="None of EUR"), "subtitle says None"),
        (block(Stat(label="n", value=" ")), "a key figure has no value"),
        (block(Stats(stats=())), "a strip has no key figures"),
        (block(table(rows=((Cell(text="a"),),))), "a row has 1 cells for 2 columns"),
        (block(table(caption="")), "a table has no caption"),
        (block(table(footer=((Cell(text="a"), Cell(text="1", bar=1.2)),))), "a bar of 1.2 leaves its cell"),
        (block(table(footer=((Cell(text="a"), Cell(text="1", heat=7)),))), "heat step 7 is not in 0 to 6"),
        (block(table(rule_before=(2,))), "a dividing line stands outside the table"),
        (block(Raw(slack="inf users")), "elements[0].slack says inf"),
        (block(Picture(name="chart", alt="", drawings=())), "picture 'chart' has no alt text"),
        (block(Prose(markdown="x"), title=" "), "it has no title"),
        (block(), "it shows nothing"),
        (block(Stat(label="n", value="1", number=float("inf"))), "a key figure's number is not finite"),
    ],
)
def test_what_is_wrong_is_told(wrong: Block, says: str) -> None:
    """Each fault is told in a sentence, with the view's name when it is raised."""
    assert any(says in problem for problem in block_problems(wrong))
    with pytest.raises(AssertionError, match="block 'v'"):
        assert_honest_block(wrong)


@pytest.mark.parametrize("text", ["NaN", "−inf", "a None b", "(<NA>)", "NaT,", "NULL"])
def test_words_of_the_machine_are_found(text: str) -> None:
    """Whole words only, with or without sign and brackets."""
    assert dishonest_words(text)
