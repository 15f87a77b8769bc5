from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from kpi_assets.outputs import staging
from kpi_assets.outputs.staging import Staging, locked, put_in_place


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_tree_replaces_a_tree(tmp_path: Path) -> None:
    """After a commit the folder holds the new files and none of the old."""
    for files in ({"index.html": b"1", "old.txt": b"1"}, {"index.html": b"2", "a/b.svg": b"2"}):
        with Staging(tmp_path) as stage:
            stage.tree("edition", files)
            stage.commit()
    assert contents(tmp_path) == {"edition/index.html": b"2", "edition/a/b.svg": b"2"}


def test_without_commit_nothing_changes(tmp_path: Path) -> None:
    """What was written aside and not committed leaves no trace."""
    with Staging(tmp_path) as stage:
        stage.tree("edition", {"index.html": b"1"})
        stage.file("index.html", b"1")
    assert list(tmp_path.iterdir()) == []


def test_without_exchange_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems that cannot exchange two names get the same result in two steps."""
    monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    test_a_tree_replaces_a_tree(tmp_path)


def test_a_failed_second_step_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new folder cannot get its name, the old one has it again."""
    monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    (tmp_path / "edition").mkdir()
    (tmp_path / "edition" / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="missing"):
        put_in_place(tmp_path / "missing", tmp_path / "edition")
    assert contents(tmp_path) == {"edition/a": b"old"}


def test_a_folder_takes_the_place_of_a_file(tmp_path: Path) -> None:
    """Something else under the name is replaced too."""
    (tmp_path / "edition").write_bytes(b"file")
    with Staging(tmp_path) as stage:
        stage.tree("edition", {"a": b"1"})
        stage.commit()
    assert contents(tmp_path) == {"edition/a": b"1"}


def test_what_the_dead_left(tmp_path: Path) -> None:
    """The next writer clears unfinished things away and puts back a folder that was between two names."""
    (tmp_path / ".tmp-abc").mkdir()
    (tmp_path / ".old-edition").mkdir()
    (tmp_path / ".old-edition" / "a").write_bytes(b"1")
    (tmp_path / ".old-done").write_bytes(b"1")
    (tmp_path / "done").write_bytes(b"2")
    with locked(tmp_path):
        pass
    assert contents(tmp_path) == {".lock": b"", "edition/a": b"1", "done": b"2"}


def _write_often(folder: Path, letter: bytes) -> None:
    for _ in range(20):
        with locked(folder), Staging(folder) as stage:
            stage.tree("edition", {f"{i}.txt": letter for i in range(20)})
            stage.commit()


def test_two_writers_and_a_reader(tmp_path: Path) -> None:
    """While two processes write the same folder, a reader always finds one of the two, whole."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(tmp_path, letter)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    seen: set[bytes] = set()
    while any(writer.is_alive() for writer in writers):
        if (tmp_path / "edition").exists():
            seen.add((tmp_path / "edition" / "7.txt").read_bytes())
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen <= {b"a", b"b"}
    assert len(set(contents(tmp_path / "edition").values())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "edition"]
