"""Invariants of reading and merging, over generated files."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_assets.config.compose import compose
from kpi_assets.config.env import EnvRef
from kpi_assets.config.load import load_sources
from kpi_assets.config.nodes import Map, Node, merge, plain, walk
from kpi_assets.config.source import Source, source_of
from kpi_assets.config.source_map import SourceMap
from kpi_assets.errors import ConfigError

KEYS = st.sampled_from(["a", "b", "c", "views", "on", "é", "key with blanks"])
SCALARS = st.one_of(
    st.integers(-9, 99),
    st.booleans(),
    st.sampled_from(["text", "'", "yes", "${X}", "# no", "数", "a: b", "1:2"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(KEYS, st.integers(0, 9), min_size=1, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)
WORDS = """title views datasources theme args plugin plot a env x timezone start_date schedule cron
: - ? & * ! !! | > ' { } [ ] , # % @ ` ~ << &a *a --- ... 1 yes 2024-01-01 ${X}"""
FRAGMENTS = st.sampled_from(
    [*WORDS.split(), '"', "\n", "\t", "\n  ", "\n    ", ": ", "\x85", "\u2028", "\ufeff", "\\", "\U0001f600"]
)


def load(data: bytes) -> str:
    """What is wrong with a file, empty where nothing is."""
    try:
        load_sources([source_of("any.yaml", data)])
    except ConfigError as error:
        return str(error) or "an error without a message"
    return ""


def node_of(data: Any, name: str = "report.yaml") -> Map:
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    return compose(Source(name, text))[0]


@given(st.lists(FRAGMENTS, max_size=30).map(" ".join) | st.text(max_size=80))
@settings(max_examples=400)
def test_no_text_raises_anything_but_config_error(text: str) -> None:
    """Whatever a file holds, loading it gives a report or a ConfigError with a message."""
    assert load(text.encode("utf-8", "surrogatepass")) != "an error without a message"


@given(st.binary(max_size=60))
@settings(max_examples=150)
def test_no_bytes_raise_anything_but_config_error(data: bytes) -> None:
    """Whatever bytes a file holds, loading them gives a report or a ConfigError."""
    assert load(data) != "an error without a message"


@given(MAPPINGS)
@settings(max_examples=150)
def test_positions_always_point_at_the_value(data: dict[str, Any]) -> None:
    """At the position of every single value, the file reads as that value is written."""
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    root, _ = compose(Source("report.yaml", text))
    lines = text.split("\n")
    for path, node in walk(root):
        mark = node.mark
        here = lines[mark.line][mark.column :]
        if not isinstance(node, Map) and hasattr(node, "text"):
            assert here.lstrip("'\"").startswith(node.text[:1]), path
        assert SourceMap(root)[path].position == mark.position


@given(MAPPINGS)
@settings(max_examples=150)
def test_reading_is_the_inverse_of_writing(data: dict[str, Any]) -> None:
    """What PyYAML wrote comes back as it was, keys as text."""
    assert plain(node_of(data)) == _as_read(data)


@given(TREES, TREES, TREES)
@settings(max_examples=150)
def test_merging_is_associative(first: Any, second: Any, third: Any) -> None:
    """Where no mapping meets a single value, it does not matter which files are merged first."""
    a, b, c = node_of(first, "a"), node_of(second, "b"), node_of(third, "c")
    if _kinds_clash(a, b) or _kinds_clash(b, c) or _kinds_clash(a, c):
        return
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert plain(left) == plain(right)
    assert [node.mark.position for _, node in walk(left)] == [node.mark.position for _, node in walk(right)]


@given(TREES, TREES)
@settings(max_examples=100)
def test_the_last_file_wins_and_nothing_else_is_lost(first: Any, second: Any) -> None:
    """Every single value of the later file is in the merge, and every path of the earlier one still leads somewhere."""
    a, b = node_of(first, "a"), node_of(second, "b")
    merged = SourceMap(merge(a, b))
    for path, node in walk(b):
        if not isinstance(node, Map):
            assert merged.node(path) is node
    if not _kinds_clash(a, b):
        assert all(merged.node(path) is not None for path, _ in walk(a))


def _kinds_clash(a: Node, b: Node) -> bool:
    kinds = {path: isinstance(node, Map) for path, node in walk(a)}
    return any(kinds.get(path, isinstance(node, Map)) is not isinstance(node, Map) for path, node in walk(b))


def _as_read(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_read(item) for item in value]
    return EnvRef(value) if value == "${X}" else value
