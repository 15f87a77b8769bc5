"""Templates are found, filled, and kept compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from kpi_assets.reports import templating


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bytecode goes to a folder of the test's own; that of our module is there, as after any import."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", str(tmp_path))
    folder = tmp_path / Path(templating.__file__).parent.relative_to("/")
    folder.mkdir(parents=True)
    return folder


def environment(source: str) -> Environment:
    return Environment(
        loader=DictLoader({"a.j2": source}),
        bytecode_cache=templating._Compiled(),
    )


def test_compiled_template_is_kept(prefix: Path) -> None:
    """A template that was compiled is not compiled again by the next process."""
    assert environment("{{ 1 + 1 }}").get_template("a.j2").render() == "2"
    (kept,) = prefix.iterdir()
    again = environment("{{ 1 + 1 }}")
    again.compile = None  # type: ignore[assignment,method-assign]
    assert again.get_template("a.j2").render() == "2"
    assert kept.name.startswith("template_")


def test_edited_template_is_compiled_anew(prefix: Path) -> None:
    """What is kept of a template never stands in for another text."""
    environment("{{ 1 + 1 }}").get_template("a.j2").render()
    assert environment("{{ 1 + 2 }}").get_template("a.j2").render() == "3"
    assert len(list(prefix.iterdir())) == 1


def test_no_bytecode_is_written_where_python_writes_none(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PYTHONDONTWRITEBYTECODE` holds for templates too."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert environment("{{ 1 + 1 }}").get_template("a.j2").render() == "2"
    assert list(prefix.iterdir()) == []


def test_folder_that_cannot_be_written_is_left_alone(prefix: Path) -> None:
    """Where there is no folder for bytecode, templates are compiled and that is all."""
    prefix.rmdir()
    assert environment("{{ 1 + 1 }}").get_template("a.j2").render() == "2"
    assert not prefix.exists()
