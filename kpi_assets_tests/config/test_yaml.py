from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from kpi_assets.config.compose import compose
from kpi_assets.config.env import EnvRef
from kpi_assets.config.nodes import merge, plain
from kpi_assets.config.source import MAX_BYTES, Source, read_source, source_of
from kpi_assets.config.source_map import SourceMap
from kpi_assets.errors import ConfigError, Problem


def read(text: str) -> Any:
    root, problems = compose(Source("report.yaml", text))
    assert problems == []
    return plain(root)


def problems_of(text: str) -> list[Problem]:
    try:
        return compose(Source("report.yaml", text))[1]
    except ConfigError as error:
        return list(error.problems)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", True),
        ("No", False),
        ("true", True),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("12:30:00", "12:30:00"),
        ("0755", "0755"),
        ("0", 0),
        ("-12", -12),
        ("1_000", 1000),
        ("0x1F", 31),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("2024-11-18", date(2024, 11, 18)),
        ("2024-11-18 06:30:00", datetime(2024, 11, 18, 6, 30)),
        ("2024-11-18T06:30:00Z", datetime(2024, 11, 18, 6, 30, tzinfo=UTC)),
        ("2024-13-45", "2024-13-45"),
        ("2024-11-18 25:99", "2024-11-18 25:99"),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("${NAME}", EnvRef("${NAME}")),
        ("https://${HOST}/x", EnvRef("https://${HOST}/x")),
        ("'${NAME}'", "${NAME}"),
        ("|-\n  ${NAME}", "${NAME}"),
        ("{env: NAME}", EnvRef("${NAME}")),
        ("{env: NAME, more: 1}", {"env": "NAME", "more": 1}),
        ("{env: no name}", {"env": "no name"}),
    ],
)
def test_values_mean_what_a_person_expects(written: str, value: object) -> None:
    """Each way of writing a value gives the value that a reader expects."""
    found = read(f"key: {written}\n")["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_written() -> None:
    """A key never turns into a boolean, number or date."""
    assert list(read("on: 1\nno: 2\n007: 3\n2024-11-18: 4\n")) == ["on", "no", "007", "2024-11-18"]


def test_anchors_and_merge_keys_work() -> None:
    """What `<<` brings is there, and what is written beside it wins."""
    text = "base: &b {x: 1, y: 2}\nall: {<<: *b, y: 3}\nmany:\n  <<: [*b, {z: 9}]\n"
    data = read(text)
    assert data["all"] == {"x": 1, "y": 3}
    assert data["many"] == {"x": 1, "y": 2, "z": 9}


def test_every_duplicate_key_is_told_with_its_first_line() -> None:
    """All keys that stand twice are problems, each naming the line of the first."""
    found = problems_of("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [(str(p.position), "line" in p.message) for p in found] == [
        ("report.yaml:4:3", True),
        ("report.yaml:5:1", True),
    ]
    assert "first in line 1" in found[1].message


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\n\tb: 2\n", "2:1", "tab"),
        ("a: [1\nb: 2", "2:2", "',' or ']' is missing"),
        ("a: b: c", "1:5", "':' cannot stand here"),
        ("a: @x", "1:4", "no value can start with '@'"),
        ("a: 'x\n", "1:4", "closing quote"),
        ("a: *x", "1:4", "not above it"),
        ("é: \x01", "1:4", "U+0001"),
        ("a: 1\r\nb: \x07", "2:4", "U+0007"),
        ("? [a]\n: b\n", "1:3", "key must be text"),
        ("a: !!int x", "1:4", "this is no int"),
        ("<<: 3", "1:1", "'<<' takes a mapping"),
        ("just text", "1:1", "a single value"),
        ("# only a comment\n", "1:1", "empty"),
    ],
)
def test_broken_yaml_is_explained_at_its_place(text: str, place: str, words: str) -> None:
    """The problem names line and column and says what is wrong in plain words."""
    (problem,) = problems_of(text)
    assert str(problem.position) == f"report.yaml:{place}"
    assert words in problem.message


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    """Aliases that would stand for billions of values are refused."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    (problem,) = problems_of("\n".join(rows))
    assert "aliases" in problem.message


def test_ten_thousand_open_brackets_do_not_exhaust_the_stack() -> None:
    """Absurd nesting is an ordinary error."""
    (problem,) = problems_of("a: " + "[" * 10_000)
    assert "nested deeper" in problem.message


def test_ten_megabytes_are_refused() -> None:
    """A file of the size limit is not parsed at all."""
    with pytest.raises(ConfigError, match="smaller than 10 MB"):
        source_of("big.yaml", b"#" * MAX_BYTES)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Files saved by Windows editors read as others do."""
    assert source_of("a.yaml", b"\xef\xbb\xbftitle: x").text == "title: x"


def test_what_cannot_be_read_names_file_and_reason(tmp_path: Any) -> None:
    """A missing file and a folder each give one ConfigError with the system's reason."""
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read: no such file"):
        read_source(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match="is a directory"):
        read_source(tmp_path)


def test_positions_follow_the_winning_file() -> None:
    """After a merge each value's position is in the file that it came from."""
    base, _ = compose(Source("base.yaml", "a: {x: 1, y: [1]}\nb: 1\n"))
    over, _ = compose(Source("over.yaml", "\na:\n  y: [2]\n"))
    merged = merge(base, over)
    places = SourceMap(merged)
    assert plain(merged) == {"a": {"x": 1, "y": [2]}, "b": 1}
    assert str(places["a", "x"].position) == "base.yaml:1:8"
    assert str(places["a", "y", 0].position) == "over.yaml:3:7"


def test_an_empty_section_of_a_later_file_takes_nothing_away() -> None:
    """A key with nothing behind it does not replace a mapping, `null` does."""
    base, _ = compose(Source("base.yaml", "a: {x: 1}\nb: {x: 1}\n"))
    over, _ = compose(Source("over.yaml", "a:\nb: null\n"))
    assert plain(merge(base, over)) == {"a": {"x": 1}, "b": None}


def test_a_path_that_is_not_there_falls_back_to_its_holder() -> None:
    """A problem about a missing key points at the mapping's own key."""
    root, _ = compose(Source("report.yaml", "views:\n  a:\n    plugin: plot\n"))
    problem = SourceMap(root).problem("no query", ("views", "a", "args", "query"))
    assert str(problem.position) == "report.yaml:2:3"
    assert problem.excerpt.endswith("^")


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "  SMTP_PASSWD: 'hunter2'",
        "- api_token: hunter2",
        "args: {host: x, api_key: hunter2, port: 1}",
        "url: postgresql://me:hunter2@host/db",
        "url: postgresql://me:hun@ter/hunter2@host/db",
        "secret: >\n  one\n  hunter2",
        "password:\n  hunter2",
    ],
)
def test_excerpts_hide_values_that_look_like_secrets(line: str) -> None:
    """No excerpt shows the value of a key that is named like a secret."""
    source = Source("report.yaml", f"{line}\nnext: 1\n")
    assert "hunter2" not in "\n".join(source.excerpt(row, 0, 1) for row in range(len(source.lines)))


def test_excerpts_keep_what_is_no_secret() -> None:
    """References to variables stay readable in excerpts."""
    source = Source("report.yaml", "password: ${SHOP}\ntoken: {env: TOKEN}\n")
    assert source.lines[:2] == ("password: ${SHOP}", "token: {env: TOKEN}")
