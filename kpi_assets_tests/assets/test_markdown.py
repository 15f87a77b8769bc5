"""Errors and data as Markdown."""

from __future__ import annotations

from kpi_assets.assets.markdown import escaped, told

MESSAGE = """reports/a.yaml:4:11: view 'per_day' (plot): unknown key 'titel': did you mean 'title'?
  3 | views:
  4 |   per_day: {plugin: plot, titel: "A *b*"}
    |                           ^^^^^
reports/a.yaml:9:1: allowed: <a>, [b]"""


def test_sentences_wrap_and_excerpts_keep_their_lines() -> None:
    """What says what is wrong is text, which wraps; what is quoted of the file is code, caret included."""
    assert (
        told(MESSAGE)
        == """reports/a.yaml:4:11: view 'per_day' (plot): unknown key 'titel': did you mean 'title'?

```text
  3 | views:
  4 |   per_day: {plugin: plot, titel: "A *b*"}
    |                           ^^^^^
```

reports/a.yaml:9:1: allowed: \\<a>, \\[b]"""
    )


def test_data_stays_data() -> None:
    """No sign of Markdown in data is left to mean something, and no line ends."""
    assert escaped("a_b|c\n# d") == "a\\_b\\|c \\# d"
