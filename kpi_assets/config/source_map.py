"""Where each value of a (merged) report stands: the bridge from a path of keys to file, line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpi_assets.config.nodes import Entry, Map, Node, Path, Scalar, child, walk
from kpi_assets.config.source import Mark
from kpi_assets.errors import Position, Problem


@dataclass(frozen=True)
class Place:
    """A position, and the source lines with a caret under it."""

    position: Position
    excerpt: str


class SourceMap(Mapping[Path, Place]):
    """Paths of keys and indexes -> places. The empty path is the file itself."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def __getitem__(self, path: Path) -> Place:
        node = self.node(path)
        if node is None:
            raise KeyError(path)
        return Place(node.mark.position, node.mark.excerpt)

    def __iter__(self) -> Iterator[Path]:
        return (path for path, _ in walk(self._root))

    def __len__(self) -> int:
        return self._root.size

    def node(self, path: Path) -> Node | None:
        """What stands at the path, or None."""
        node: Node | None = self._root
        for step in path:
            node = child(node, step) if node else None
        return node

    def text(self, path: Path) -> str | None:
        """How a single value is written, without quotes; None for mappings, lists and unknown paths."""
        node = self.node(path)
        return node.text if isinstance(node, Scalar) else None

    def problem(self, message: str, path: Path, *, on_key: bool = False) -> Problem:
        """A problem at the path's value, or at its key; a path that does not exist falls back to what holds it."""
        return self._mark(path, on_key).problem(message, path)

    def _mark(self, path: Path, on_key: bool) -> Mark:
        node = self.node(path)
        if node is None:
            return self._mark(path[:-1], True)
        entry = self._entry(path)
        if entry and (on_key or _nothing_written(node)):
            return entry.key
        return node.mark

    def _entry(self, path: Path) -> Entry | None:
        holder = self.node(path[:-1]) if path else None
        return holder.entries.get(str(path[-1])) if isinstance(holder, Map) else None


def _nothing_written(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.text and node.value is None
