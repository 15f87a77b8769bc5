"""A place in memory that breaks off, or lets others in, at a given write."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kpi_assets.contracts import File


class BrokenError(Exception):
    """The line broke."""


class Memory:
    """Files by path; `before_write` is called before each write."""

    def __init__(self, before_write: Callable[[], None] = lambda: None) -> None:
        self.tree: dict[str, bytes] = {}
        self.before_write = before_write

    def names(self) -> frozenset[str]:
        return frozenset(path.split("/")[0] for path in self.tree)

    def read(self, path: str) -> bytes | None:
        return self.tree.get(path)

    def has(self, path: str) -> bool:
        return path in self.tree

    def write(self, file: File, *, lasting: bool = False) -> None:
        self.before_write()
        self.tree[file.path] = file.content

    def write_folder(self, name: str, files: Sequence[File]) -> None:
        for file in files:
            self.write(File(f"{name}/{file.path}", file.media_type, file.content))


def after(writes: int, what: Callable[[], None]) -> Callable[[], None]:
    """Do nothing for that many writes, then `what`, once."""
    left = [writes]

    def count() -> None:
        left[0] -= 1
        if left[0] == -1:
            what()

    return count


def break_off() -> None:
    raise BrokenError
