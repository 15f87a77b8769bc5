from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_assets.datasources.dialects import DUCKDB, GENERIC, MYSQL, POSTGRESQL, SQLITE, Dialect
from kpi_assets.datasources.lexer import code_of, pieces

DIALECTS = [MYSQL, POSTGRESQL, SQLITE, DUCKDB, GENERIC]
SNIPPETS = [
    "'",
    '"',
    "`",
    "[",
    "]",
    "--",
    "#",
    "/*",
    "*/",
    "\n",
    "\\",
    "$$",
    "$a$",
    "e'",
    "select",
    " ",
    ";",
    "x",
]


@given(st.lists(st.sampled_from(SNIPPETS)).map("".join), st.sampled_from(DIALECTS))
def test_pieces_join_to_the_text(text: str, dialect: Dialect) -> None:
    """No character of a text is lost or changed, however its quotes are broken."""
    assert "".join(piece.text for piece in pieces(text, dialect)) == text


@pytest.mark.parametrize(
    ("dialect", "text", "code"),
    [
        (SQLITE, "select 'a''b', [a b], \"c\" -- d\n", 'select \'\', "", ""  \n'),
        (MYSQL, "select 'a\\'b', \"c\" # d\n, `e`", "select '', ''  \n, \"\""),
        (MYSQL, "select 5--3", "select 5--3"),
        (SQLITE, "select 5--3", "select 5 "),
        (POSTGRESQL, "select 'a\\', b # c", "select '', b # c"),
        (POSTGRESQL, "select E'a\\'b', $x$ ' $x$, a", "select '', '', a"),
        (POSTGRESQL, "a /* b /* c */ d */ e", "a   e"),
        (SQLITE, "a /* b /* c */ d", "a   d"),
        (DUCKDB, "select [1, 2][1]", "select [1, 2][1]"),
    ],
)
def test_code(dialect: Dialect, text: str, code: str) -> None:
    """Strings, names and comments are told from code by the rules of the dialect."""
    assert code_of(text, dialect) == code
